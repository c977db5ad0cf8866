// The conversation as text and as JSON, as it was heard. Pure; knows the values of sdk/conversation.js and `tool_calls.js`.
import { textOf } from "./language.js";

const ROLES = ["user", "assistant"];

/** [{role, text, interrupted?, not_heard?} | {role: "tool", name, arguments, result}], in order. */
export function lines(items, tools) {
  return items.map((item) => (item.role === "function_call" ? toolLine(item, tools) : spokenLine(item))).filter(Boolean);
}

function spokenLine({ role, text, hidden, truncated, whole }) {
  if (hidden || !ROLES.includes(role) || !text) return null;
  const rest = truncated && whole?.startsWith(text) ? whole.slice(text.length).trim() : "";
  return { role, text, ...(truncated && { interrupted: true }), ...(rest && { not_heard: rest }) };
}

function toolLine({ id }, tools) {
  const call = tools?.calls.get(id);
  if (!call) return null;
  return { role: "tool", name: call.name ?? null, arguments: call.arguments ?? null, result: tools.results.get(call.call_id)?.output ?? null };
}

export function asText(all) {
  const shown = all.map((line) => (line.role === "tool"
    ? `[${line.name}(${line.arguments ?? ""}) → ${line.result ?? textOf("export.no_result")}]`
    : `${textOf(`who.${line.role}`)}${line.text}${line.interrupted ? textOf("export.interrupted") : ""}`));
  return `${shown.join("\n\n")}\n`;
}

export function asJson(all, { id, at, stats }) {
  return JSON.stringify({ object: "realtime.export", conversation: id, exported_at: at, items: all, turns: stats.turns }, null, 2);
}

/** "realtime-2026-05-01-1430.txt" */
export function fileName(date, ending) {
  const two = (number) => String(number).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `realtime-${day}-${two(date.getHours())}${two(date.getMinutes())}.${ending}`;
}
