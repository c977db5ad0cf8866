// Tool calls in the conversation: who was called, with which arguments, and what came back, of the page's tools and of the
// server's. All of it is shown as text. Knows the items of the protocol; `captions.js` gives a call its place.

import { beginning, shortened } from "../sdk/beginning.js";
import { element } from "./elements.js";
import { language, textOf } from "./language.js";

const MAX_SHOWN = 20_000;  // characters
const MAX_CALLS = 500;

export class ToolCalls {
  constructor() {
    this.calls = new Map();  // item id -> {name, call_id, arguments}; replaced when it changes
    this.results = new Map(); // call id -> {output}
  }

  /** Follow what `voice` receives. `changed` is called when a call looks different. */
  follow(voice, changed) {
    voice.addEventListener("event", ({ detail }) => { if (this.add(detail)) changed(); });
    return this;
  }

  /** Whether the event changed something. */
  add({ type, item }) {
    if (!/^conversation\.item\.(added|done|retrieved)$/.test(type) || typeof item?.id !== "string") return false;
    if (item.type === "function_call") keep(this.calls, item.id, { name: item.name, call_id: item.call_id, arguments: item.arguments });
    else if (item.type === "function_call_output") keep(this.results, item.call_id, { output: item.output });
    else return false;
    return true;
  }

  /** What the block of an item shows: equal strings look equal. Null: it is no call that is known. */
  look(id) {
    const call = this.calls.get(id);
    return call ? JSON.stringify([call, this.results.get(call.call_id) ?? null, language.tag]) : null;
  }

  /** The block of a call. `open`: whether its details are. */
  draw(id, open = false) {
    const { name, call_id, arguments: given } = this.calls.get(id), result = this.results.get(call_id);
    const failed = result ? errorOf(result.output) : null;
    const state = !result ? "running" : failed ? "failed" : "done";
    const details = element("details", { open, className: `tool-call ${state}` },
      element("summary", {}, element("span", { className: "tool-name", textContent: String(name ?? "tool") }),
        element("span", { className: "tool-brief", textContent: failed ?? brief(given) }),
        element("span", { className: "tool-state", "data-text": `tool.${state}` })),
      block("tool.arguments", given));
    if (result) details.append(block("tool.result", result.output));
    return details;
  }
}

function keep(map, key, value) {
  map.set(key, value);
  if (map.size > MAX_CALLS) map.delete(map.keys().next().value);
}

function block(key, value) {
  return element("div", { className: "tool-part" }, element("span", { className: "quiet", "data-text": key }),
    element("pre", { tabIndex: 0, "data-label": key, role: "region", textContent: pretty(value) }));
}

/** JSON with line breaks; anything else as it is. */
function pretty(value) {
  const parsed = parse(value);
  const text = typeof parsed === "object" && parsed !== null ? JSON.stringify(parsed, null, 2) : String(value ?? "");
  return shortened(text, MAX_SHOWN);
}

function brief(given) {
  const parsed = parse(given);
  if (typeof parsed !== "object" || parsed === null) return "";
  const text = Object.values(parsed).map((value) => (typeof value === "object" ? "…" : String(value))).join(", ");
  return shortened(text, 60);
}

/** The text of an error that a tool has returned, or null. */
function errorOf(output) {
  const parsed = parse(output), error = typeof parsed === "object" && parsed !== null ? parsed.error : null;
  if (!error) return null;
  return beginning(String(typeof error === "object" ? error.message ?? textOf("tool.failed") : error), 200);
}

function parse(value) {
  try { return JSON.parse(value); } catch { return null; }
}
