// Keeps the conversation of this tab over a reload, in sessionStorage: its id, which a server with a store continues, and
// its text, which is sent to any other. The browser deletes it with the tab.

import { heardText } from "../sdk/conversation.js";
import { storage } from "./storing.js";

const CONVERSATION = "realtime.conversation";
const MAX_ITEMS = 200;
const MAX_CHARACTERS = 200_000;

/** `heardMs`: item id -> how much of an answer that still plays has been heard, or null if it does not play. */
export function save({ id, items }, heardMs) {
  const kept = [];
  let characters = 0;
  for (const item of items.slice().reverse()) {
    if (item.hidden || !item.text || !["user", "assistant"].includes(item.role)) continue;
    const ms = item.role === "assistant" ? heardMs(item.id) : null;
    const text = ms === null ? item.text : heardText(item, ms);
    characters += text.length;
    if (kept.length >= MAX_ITEMS || characters > MAX_CHARACTERS) break;
    const { role, placed, typed, whole } = item;
    if (text) kept.unshift({ id: item.id, role, text, placed, typed, whole, truncated: item.truncated || text !== item.text });
  }
  if (kept.length) storage.set(CONVERSATION, JSON.stringify({ id, items: kept }));
  else storage.remove(CONVERSATION);
}

/** {id, items}, or null if there is none. */
export function load() {
  try {
    const { id, items } = JSON.parse(storage.get(CONVERSATION));
    const sound = (item) => typeof item.id === "string" && typeof item.text === "string" && ["user", "assistant"].includes(item.role);
    return Array.isArray(items) && items.length ? { id: typeof id === "string" ? id : null, items: items.filter(sound) } : null;
  } catch {
    return null;
  }
}
