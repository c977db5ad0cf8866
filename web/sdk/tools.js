// @ts-check
// Functions of the page that the model may call. Runs each call once and answers it in its own session: with the result, or
// with an error that the model can read. When all calls of a response are answered, one `response.create` follows.
// Knows the protocol's events; knows no socket. What a function returns is data for the model and is never shown or run here.

import { beginning } from "./beginning.js";

const TIMEOUT_MS = 30_000;
const LONGEST_MS = 2 ** 31 - 1;     // of a timer of the browser; over 24 days
const INTERRUPTED_MS = 1000;        // what a function may still take after an interruption: then its result is told
const MAX_RESULT_CHARACTERS = 200_000;
const MAX_ERROR_CHARACTERS = 1000;
const NAME = /^[a-zA-Z0-9_-]{1,64}$/;

/** @import { ProtocolEvent, Tool, ToolReport } from "./types.js" */
/**
 * @typedef {{ call_id: string, name: string, tool: Tool | null, response_id: string, arguments: any, abort: AbortController,
 *   answered: boolean, timer: ReturnType<typeof setTimeout> | undefined, late: boolean }} Call
 * @typedef {{ calls: Call[], done: boolean, silent: string }} Calling
 */

/** Why a call ended early; the reason of its signal. */
export class ToolError extends Error {
  name = "ToolError";
}

/** Throws a TypeError for a tool that no server would take. @param {Tool} tool */
export function checkTool(tool) {
  if (!NAME.test(tool?.name)) throw new TypeError(`The name of a tool has 1 to 64 letters, digits, _ or -: ${String(tool?.name)}`);
  if (typeof tool.run !== "function") throw new TypeError(`The tool ${tool.name} has no function "run".`);
}

export class Tools {
  /**
   * `send`: event -> whether it was sent. `changed`: called when the list has changed. `report`: called with
   * {name, call_id, arguments, result | error} of each call that has ended. `foreign`: name -> whether the page answers it itself.
   * `busy`: called with true when a call starts, and with false when the last one has ended and no answer will be asked for.
   * @param {{ send: (event: ProtocolEvent) => boolean, changed?: () => void, report?: (one: ToolReport) => void,
   *   foreign?: (name: string) => boolean, busy?: (running: boolean) => void }} parts
   */
  constructor({ send, changed = () => {}, report = () => {}, foreign = () => false, busy = () => {} }) {
    this.send = send;
    this.changed = changed;
    this.report = report;
    this.foreign = foreign;
    this.busy = busy;
  }

  /** @type {Map<string, Tool>} */ #tools = new Map();      // name -> tool
  /** @type {Map<string, Call>} */ #calls = new Map();      // call id -> the call, also when it is answered: an answer is never sent twice
  /** @type {Map<string, Calling>} */ #responses = new Map();  // response id -> {calls, done, silent: "" | "speech" | "cancelled"}
  /** @type {ProtocolEvent[]} */ #unsent = [];            // answers that wait for the line
  #owed = false;           // speech has taken the place of an answer

  /** For `session.tools`. */
  get definitions() {
    return [...this.#tools.values()].map(({ name, description, parameters }) => ({
      type: "function", name, ...(description && { description }), parameters: parameters ?? { type: "object", properties: {} },
    }));
  }

  /** Whether a call is running or its answer has not been sent. */
  get running() {
    return this.#unsent.length > 0 || [...this.#calls.values()].some((call) => !call.answered);
  }

  /** Offer a function. Returns a function that removes it. Throws a TypeError for a tool that no server would take. @param {Tool} tool */
  add(tool) {
    checkTool(tool);
    this.#tools.set(tool.name, tool);
    this.changed();
    return () => {
      if (this.#tools.get(tool.name) !== tool) return;  // removed before, or replaced
      this.#tools.delete(tool.name);
      for (const call of this.#calls.values()) if (call.tool === tool) this.#fail(call, "The tool was removed while it ran.");
      this.changed();
    };
  }

  /** Follow the server. @param {ProtocolEvent} event */
  handle(event) {
    switch (event.type) {
      case "session.created": return this.abandon();
      case "session.resumed": return this.#flush();
      case "response.function_call_arguments.done": return this.#start(event);
      case "response.created": return void (this.#owed = false);
      case "response.done": return this.#done(event.response);
      case "conversation.item.input_audio_transcription.completed": return event.transcript.trim() ? undefined : this.#nothingSaid();
    }
  }

  /**
   * The user interrupts, by "speech" or otherwise: running functions are told, and what they still return within a second is
   * the result. No answer is asked for, except after speech without words.
   */
  interrupt(how = "cancelled") {
    for (const response of this.#responses.values()) response.silent ||= how;
    for (const call of this.#calls.values()) {
      if (call.answered || call.late) continue;
      call.late = true;
      clearTimeout(call.timer);
      call.timer = setTimeout(() => this.#fail(call, "The user interrupted before the tool had finished."), INTERRUPTED_MS);
      call.abort.abort(new ToolError("interrupted"));
    }
  }

  /** The session is over: its calls end, and nothing of them reaches another session. */
  abandon() {
    const calls = [...this.#calls.values()].filter((call) => !call.answered);
    this.#calls = new Map();
    this.#responses.clear();
    this.#unsent = [];
    this.#owed = false;
    for (const call of calls) {
      call.answered = true;
      clearTimeout(call.timer);
      call.abort.abort(new ToolError("the session is over"));
    }
  }

  /** @param {Record<string, any>} event */
  #start({ response_id, call_id, name, arguments: text }) {
    if (this.#calls.has(call_id) || !this.#tools.size || (!this.#tools.has(name) && this.foreign(name))) return;
    const tool = this.#tools.get(name) ?? null;
    /** @type {Call} */
    const call = { call_id, name, tool, response_id, arguments: null, abort: new AbortController(), answered: false, timer: undefined, late: false };
    this.#calls.set(call_id, call);
    const response = this.#responses.get(response_id) ?? { calls: [], done: false, silent: "" };
    response.calls.push(call);
    this.#responses.set(response_id, response);
    this.busy(true);
    if (!tool) return this.#fail(call, `There is no tool ${JSON.stringify(name)}. There are: ${[...this.#tools.keys()].join(", ")}.`);
    try {
      call.arguments = JSON.parse(text || "{}");
    } catch (error) {
      return this.#fail(call, `The arguments are not valid JSON: ${messageOf(error)}`);
    }
    if (!isObject(call.arguments)) return this.#fail(call, "The arguments have to be a JSON object.");
    this.#run(call);
  }

  /** @param {Call} call */
  async #run(call) {
    const { timeout_ms = TIMEOUT_MS, run } = /** @type {Tool} */ (call.tool);
    if (timeout_ms <= LONGEST_MS) {  // a longer timer would end at once
      call.timer = setTimeout(() => this.#fail(call, `The tool did not end within ${timeout_ms} ms.`), timeout_ms);
    }
    try {
      await null;  // the events of this task come first: an interruption among them is known by then
      if (call.answered) return;
      const result = await run.call(call.tool, structuredClone(call.arguments), { signal: call.abort.signal, call_id: call.call_id });
      this.#answer(call, { result: asText(result), value: result });
    } catch (error) {
      this.#fail(call, messageOf(error));
    }
  }

  /** @param {Call} call @param {string} message */
  #fail(call, message) {
    this.#answer(call, { result: JSON.stringify({ error: beginning(message, MAX_ERROR_CHARACTERS) }), error: message });
  }

  /** @param {Call} call @param {{ result: string, value?: unknown, error?: string }} outcome */
  #answer(call, { result, value, error }) {
    if (call.answered) return;
    call.answered = true;
    clearTimeout(call.timer);
    const { call_id, name, response_id } = call;
    this.#post({ type: "conversation.item.create", item: { type: "function_call_output", call_id, output: result } });
    if (error !== undefined) call.abort.abort(new ToolError(error));
    this.#next(response_id);
    this.report({ name, call_id, arguments: call.arguments, ...(error === undefined ? { result: value } : { error }) });
  }

  /** @param {Record<string, any>} response */
  #done(response) {
    const own = this.#responses.get(response?.id);
    if (!own) return;
    own.done = true;
    if (response.status === "cancelled" || response.status === "failed") own.silent = "cancelled";
    this.#next(response.id);
  }

  /** Ask for the answer, once, when the response is done and all of its calls are answered. @param {string} id */
  #next(id) {
    const response = this.#responses.get(id);
    if (!response?.done || !response.calls.every((call) => call.answered)) return;
    this.#responses.delete(id);
    this.#owed = response.silent === "speech";
    if (!response.silent) this.#post({ type: "response.create" });
    else if (!this.#responses.size) this.busy(false);
  }

  /** The interruption was a noise: the answer is asked for after all. */
  #nothingSaid() {
    for (const response of this.#responses.values()) if (response.silent === "speech") response.silent = "";
    if (this.#owed) this.#post({ type: "response.create" });
    if (this.#owed || this.running) this.busy(true);
    this.#owed = false;
  }

  /** @param {ProtocolEvent} event */
  #post(event) {
    if (this.#unsent.length || !this.send(event)) this.#unsent.push(event);
  }

  #flush() {
    while (this.#unsent.length && this.send(this.#unsent[0])) this.#unsent.shift();
  }
}

const isObject = (/** @type {any} */ value) => typeof value === "object" && value !== null && !Array.isArray(value);

/** What the model reads of a result: a string as it is, anything else as JSON. Throws for what cannot be told. @param {unknown} result */
function asText(result) {
  const text = typeof result === "string" ? result : JSON.stringify(result) ?? "null";
  if (text.length <= MAX_RESULT_CHARACTERS) return text;
  throw new ToolError(`The result is too large: ${text.length} characters, and at most ${MAX_RESULT_CHARACTERS} are sent.`);
}

/** Anything can be thrown, also what has no message, or one that throws. @param {any} error */
function messageOf(error) {
  try {
    return String(error?.message ?? error) || "The tool failed.";
  } catch {
    return "The tool failed.";
  }
}
