// @ts-check
// The conversation as plain data: for each event type a pure function (state, event) -> state.
// Knows the protocol's events and their order; knows no socket, no audio, no document.

import { seenLength } from "./markdown.js";
import { understood } from "./understood.js";

/** @import { Conversation, Item, Problem, ProtocolEvent, Word } from "./types.js" */
/** @typedef {import("./types.js").Phase} Phase */
/**
 * What changes of an item: its new fields, or a function that makes them of the item before.
 * @typedef {Partial<Item> | ((item: Item) => Partial<Item>)} Change
 */

/** @type {() => Conversation} */
export const emptyConversation = () => ({
  session: null,
  extensions: [],
  id: null,         // of the conversation: a server with a store can continue it
  items: [],        // {id, role, text, whole, words, status, final, truncated, moved, hidden, placed, typed,
                    // unread, failed, images, call}
  response: null,   // id of the running response of the conversation
  newest: null,     // id of the newest response
  speech: null,     // item id of the user's current speech
  awaiting: false,  // the user's turn has ended and no response has started
  wanted: false,    // the next session has to answer: the last message has not reached a server, or has no answer yet
  problem: null,    // {code, message} of the last error
  latency: null,    // the marks of the newest turn
});

/**
 * The state after `event`; the same object if the event does not change the conversation. An event that lacks what its
 * handler needs, from a server of another version, changes nothing.
 * @param {Conversation} state
 * @param {ProtocolEvent} event
 */
export function reduce(state, event) {
  const handler = Object.hasOwn(handlers, event.type) ? handlers[event.type] : null;
  return handler ? understood(() => handler(state, event), state) : state;
}

/** user-speaking · speaking · thinking · listening @param {Conversation} state @param {boolean} playing @returns {Phase} */
export function phase(state, playing) {
  if (state.speech) return "user-speaking";
  if (playing) return "speaking";
  return state.response || state.awaiting ? "thinking" : "listening";
}

/** Events that create the conversation again in a new session: as heard, and with what was typed meanwhile. @param {Conversation} state */
export function recreate(state) {
  return state.items
    .filter((item) => (item.placed || item.typed) && (item.text || item.images.length) && !item.hidden && ["user", "assistant"].includes(item.role))
    .map((item) => ({
      type: "conversation.item.create",
      item: {
        id: item.id, type: "message", role: item.role,
        content: item.role === "user" ? inputOf(item) : [{ type: "output_text", text: item.text }],
      },
    }));
}

/** The content of a typed message. @param {{ text: string, images: string[] }} message */
export function inputOf({ text, images }) {
  return [
    ...(text ? [{ type: "input_text", text }] : []),
    ...images.map((image_url) => ({ type: "input_image", image_url })),
  ];
}

/** @type {Record<string, (state: Conversation, event: ProtocolEvent) => Conversation>} */
export const handlers = {
  "session.created": (state, { session }) => {
    const next = {
      ...withSession(state, session), response: null, speech: null, problem: null,
      items: state.items.filter((item) => item.text || item.unread || item.images.length).map((item) => ({ ...item, final: true })),
    };
    const wanted = state.wanted || (isUnanswered(next) && (state.awaiting || state.response !== null));
    const cut = state.response !== null && !wanted;  // the answer was running when the connection was lost
    return { ...(cut ? failLast(next, LOST) : next), wanted, awaiting: wanted };
  },
  "conversation.created": (state, { conversation }) => ({ ...state, id: conversation?.id ?? null }),
  // Without turn detection, and where another server goes on, no `speech_stopped` ends the speech
  "session.updated": (state, { session }) => {
    const next = withSession(state, session);
    return session.audio?.input?.turn_detection === null ? nobodySpeaks(next) : next;
  },
  "session.resumed": (state, { session, restored }) => {
    const next = withSession(state, session);
    return restored ? nobodySpeaks(next) : next;
  },

  "input_audio_buffer.speech_started": (state, { item_id }) => ({
    ...upsert(state, item_id, { role: "user" }), speech: item_id, awaiting: false, problem: null, latency: null,
    wanted: state.wanted || (state.awaiting && isUnanswered(state, { known: true })),  // also if this is only a noise
  }),
  "input_audio_buffer.speech_stopped": (state) => ({ ...state, speech: null, awaiting: true }),
  "input_audio_buffer.committed": (state, { item_id, previous_item_id }) => ({
    ...place(upsert(state, item_id, { role: "user" }), item_id, previous_item_id), speech: null,
    awaiting: state.awaiting || answersTurns(state),
  }),
  "input_audio_buffer.cleared": (state) => nobodySpeaks(state),

  "conversation.item.added": itemPlaced,
  "conversation.item.done": itemPlaced,
  "conversation.item.deleted": (state, { item_id }) => ({
    ...state, items: state.items.filter((item) => item.id !== item_id),
  }),
  "conversation.item.retrieved": (state, { item }) => change(state, item.id, { text: textOf(item), final: true }),
  "conversation.item.truncated": (state, event) => change(state, event.item_id, (item) => {
    const text = event.transcript ?? heardText(item, event.audio_end_ms);
    if (!item.moved) return { truncated: true, final: true, whole: item.whole ?? item.text, text };
    return { final: true, whole: text, text, words: item.words.filter((word) => word.start_ms < event.audio_end_ms) };
  }),

  "conversation.item.input_audio_transcription.delta": (state, { item_id, delta }) =>
    change(state, item_id, (item) => ({ text: item.text + (delta ?? "") })),
  "conversation.item.input_audio_transcription.completed": (state, { item_id, transcript }) => {
    const text = (transcript ?? "").trim();
    const next = change(state, item_id, { text, final: true, hidden: !text });
    return text ? next : { ...next, awaiting: state.wanted };
  },
  "conversation.item.input_audio_transcription.failed": (state, { item_id, error }) => ({
    ...upsert(state, item_id, { role: "user", unread: asProblem(error), final: true }), awaiting: state.wanted,
  }),

  "response.created": (state, { response }) =>
    outOfBand(response) ? state : {
      ...withoutFailures(state), response: response.id, newest: response.id, awaiting: false, wanted: false, problem: null,
      latency: null,
    },
  "response.output_text.delta": appendText,
  "response.output_audio_transcript.delta": appendText,
  "response.output_text.done": (state, { item_id, text }) => finishText(state, item_id, text),
  "response.output_audio_transcript.done": (state, { item_id, transcript }) => finishText(state, item_id, transcript),
  "response.output_audio_words.delta": (state, { item_id, words }) =>
    change(state, item_id, (item) => ({ words: [...item.words, ...listOf(words).filter(isWord)] })),
  "response.done": (state, { response }) => {
    if (outOfBand(response)) return state;
    const moved = response.status_details?.error?.code === "server_restarting";  // another server says the rest
    const ended = listOf(response.output).reduce(
      (/** @type {Conversation} */ all, item) => change(all, item?.id, { status: item.status, final: true, moved }), state);
    const problem = moved ? null : problemOf(response);
    return {
      ...(problem && response.status === "failed" ? failLast(ended, problem) : ended),
      response: [undefined, state.response].includes(response.id) ? null : state.response,
      problem: problem ?? state.problem,
    };
  },
  // It may come when the next turn has already begun.
  "response.latency.done": (state, { response_id, origin, marks }) =>
    (state.newest ?? response_id) === response_id && !state.speech && !state.awaiting
      ? { ...state, latency: marks ? { response_id, origin, marks: numbers(marks) } : null } : state,

  "error": (state, { error }) =>
    HARMLESS.has(error?.code) || error?.param === "conversation" ? state : { ...state, problem: asProblem(error) },

  // Local events of the page.
  "local.message": (state, { item_id, text, images = [] }) => ({
    ...upsert(withoutFailures(state), item_id, { role: "user", text, images, final: true, typed: true }),
    problem: null, awaiting: true, wanted: true, latency: null,
  }),
  "local.asked": (state) => (state.wanted ? state : { ...state, wanted: true }),
  "local.retried": (state) => ({ ...withoutFailures(state), problem: null, awaiting: true, wanted: true, latency: null }),
  "local.stopped": (state) => ({ ...state, response: null, speech: null, awaiting: false, wanted: false }),
  "local.restored": (state, { id, items }) => ({
    ...state, id, items: [...items.map((/** @type {Item} */ item) => newItem(item.id, { ...item, final: true })), ...state.items],
  }),
  "local.tools": (state, { running }) => ({ ...state, awaiting: running }),  // an answer follows their results
  "local.problem_seen": (state) => ({ ...state, problem: null }),
};

/** @type {Problem} */
const LOST = { code: "connection_lost", message: "The connection was lost." };

const visible = (/** @type {Conversation} */ { items }) => items.filter((item) => !item.hidden && ["user", "assistant"].includes(item.role));

/** Whether the last thing that was said is the user's. `known`: and its words are, so it was no noise. @param {Conversation} state */
function isUnanswered(state, { known = false } = {}) {
  const last = visible(state).at(-1);
  return last?.role === "user" && (!known || (last.final && !last.unread));
}

/** Whether the server answers by itself when a turn ends. @param {Conversation} state */
function answersTurns({ session }) {
  const detection = session?.audio?.input?.turn_detection;
  return detection !== null && detection?.create_response !== false;
}

/**
 * The user can ask again for the last answer: the failure stands at it, or at the message without one.
 * @param {Conversation} state @param {Problem | null} failed
 */
function failLast(state, failed) {
  const last = visible(state).at(-1);
  return last ? change(state, last.id, { failed }) : state;
}

/** @param {Conversation} state @returns {Conversation} */
function withoutFailures(state) {
  if (!state.items.some((item) => item.failed)) return state;
  return { ...state, items: state.items.map((item) => (item.failed ? { ...item, failed: null } : item)) };
}

/** Errors of events that crossed on the network. */
const HARMLESS = new Set([
  "response_cancel_not_active", "item_retrieve_invalid_item_id", "item_create_duplicate_item_id",
  "conversation_already_has_active_response", "session_not_resumable",
]);

/** @param {Conversation} state @param {Record<string, any>} session @returns {Conversation} */
function withSession(state, session) {
  return { ...state, session, extensions: session.extensions ?? [] };
}

/** Speech that had begun will be no item. @param {Conversation} state @returns {Conversation} */
function nobodySpeaks(state) {
  return { ...state, speech: null, items: state.items.filter((item) => item.id !== state.speech) };
}

/** @param {Record<string, any>} response */
function outOfBand(response) {
  return response.conversation_id === null;
}

/** @param {any} error @returns {Problem} */
function asProblem(error) {
  return { code: error?.code ?? null, message: String(error?.message ?? "") };
}

/** @param {Record<string, any>} response @returns {Problem | null} */
function problemOf({ status, status_details }) {
  if (status === "failed") return asProblem(status_details?.error ?? { message: "The answer failed." });
  if (status !== "incomplete") return null;
  return status_details?.reason === "content_filter"
    ? { code: "content_filter", message: "The rest of this answer was withheld by the content filter." }
    : { code: "max_output_tokens", message: "The answer reached its length limit." };
}

/** @param {Record<string, any>} item @returns {string} */
function textOf(item) {
  return (item.content ?? []).map((/** @type {any} */ part) => part.text ?? part.transcript ?? "").join("");
}

/** @type {(id: string, fields: Partial<Item>) => Item} */
const newItem = (id, fields) => ({
  id, role: "assistant", text: "", whole: null, words: [], status: "in_progress",
  final: false, truncated: false, moved: false, hidden: false, placed: false, typed: false, unread: null, failed: null, images: [], call: null, ...fields,
});

/** @param {Conversation} state @param {string} id @param {Change} update @returns {Conversation} */
function change(state, id, update) {
  const at = state.items.findIndex((item) => item.id === id);
  if (at < 0) return state;
  const items = state.items.slice(), item = items[at];
  items[at] = whole({ ...item, ...(typeof update === "function" ? update(item) : update) }, item);
  return { ...state, items };
}

/** @param {Conversation} state @param {string} id @param {Partial<Item>} fields @returns {Conversation} */
function upsert(state, id, fields) {
  if (typeof id !== "string") return state;
  if (state.items.some((item) => item.id === id)) return change(state, id, fields);
  const item = newItem(id, fields);
  return { ...state, items: [...state.items, whole(item, newItem(id, {}))] };
}

/** `item` with the values of `before` where the server gave none: what draws it needs a text and a role. @param {Item} item @param {Item} before */
function whole(item, before) {
  for (const name of /** @type {const} */ (["text", "role"])) if (typeof item[name] !== "string") item[name] = before[name];
  return item;
}

/** @type {(value: unknown) => any[]} */
const listOf = (value) => (Array.isArray(value) ? value : []);
/** @type {(marks: Record<string, number>) => Record<string, number>} */
const numbers = (marks) => Object.fromEntries(Object.entries(marks).filter(([, ms]) => Number.isFinite(ms)));
/** @type {(word: any) => word is Word} */
const isWord = (word) => typeof word?.text === "string" && Number.isFinite(word.start_ms) && Number.isFinite(word.end_ms);

/**
 * Put an item after `previous`. Null puts it first; an unknown id leaves it where it is.
 * @param {Conversation} state @param {string} id @param {string | null | undefined} previous @returns {Conversation}
 */
function place(state, id, previous) {
  if (previous === undefined) return state;
  const item = state.items.find((candidate) => candidate.id === id);
  const rest = state.items.filter((candidate) => candidate.id !== id);
  const after = previous === null ? -1 : rest.findIndex((candidate) => candidate.id === previous);
  if (!item || (previous !== null && after < 0)) return state;
  rest.splice(after + 1, 0, item);
  return { ...state, items: rest };
}

/** @param {Conversation} state @param {ProtocolEvent} event @returns {Conversation} */
function itemPlaced(state, { item, previous_item_id }) {
  if (item.type !== "message") {
    // Calls and their outputs are kept as hidden items, because later items name them as `previous_item_id`.
    const { name = null, call_id = null, arguments: given = null, output = null } = item;
    const call = { name, call_id, arguments: given, output };
    return place(upsert(state, item.id, { role: item.type, hidden: true, call }), item.id, previous_item_id);
  }
  const known = state.items.find((candidate) => candidate.id === item.id);
  const text = textOf(item);
  const typed = item.content?.some((/** @type {any} */ part) => part.type === "input_text");
  /** @type {Partial<Item>} */
  const fields = { role: item.role, status: item.status, hidden: item.role === "system", placed: true };
  if (known) fields.hidden ||= known.hidden;
  if (text && !known?.final && !known?.truncated) fields.text = text;
  if (typed || (item.role === "assistant" && text && item.status !== "in_progress")) fields.final = true;
  const next = upsert(state, item.id, fields);
  return known?.placed ? next : place(next, item.id, previous_item_id);
}

/** @param {Conversation} state @param {ProtocolEvent} event */
function appendText(state, { item_id, delta }) {
  return change(state, item_id, (item) => (item.truncated ? {} : { text: item.text + (delta ?? "") }));
}

/** @param {Conversation} state @param {string} id @param {string} text */
function finishText(state, id, text) {
  return change(state, id, (item) => (item.truncated ? {} : { text, final: true }));
}

/**
 * The words that were heard up to their middle. Of what has no word times yet the text stays, if any sound of it was heard.
 * Code or a table at the beginning of an answer was seen: it stays, as in the server's history.
 * @param {Item} item
 * @param {number} heardMs
 */
export function heardText(item, heardMs) {
  if (heardMs > (item.words.at(-1)?.end_ms ?? 0)) return item.text;
  const heard = item.words
    .filter((word) => (word.start_ms + word.end_ms) / 2 <= heardMs)
    .map((word) => word.text).join("");
  return (heard.length ? heard : item.text.slice(0, seenLength(item.text))).trimEnd();
}
