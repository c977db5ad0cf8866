// @ts-check
// One WebSocket at a time, with subprotocols, key, timeouts, reconnecting and a connection state. Knows frames and JSON.
// With the extension `resume` a session outlives its socket: `resuming.js` remembers what that needs. Does not know what
// events mean, except `session.created` and `.resumed`, the error for a wrong key and the answer to its own probe.

import { SUBPROTOCOL, decodeFrame, encodeFrame, jsonOf, toBase64 } from "./framing.js";
import { Resuming } from "./resuming.js";
import { Silence } from "./silence.js";
import { understood } from "./understood.js";

/** @import { ProtocolEvent } from "./types.js" */
/** @typedef {import("./types.js").ConnectionState} ConnectionState */

const FIRST_EVENT_MS = 10_000;
const PROBE = { type: "conversation.item.retrieve", event_id: "probe", item_id: "probe" };  // answered by an error
const BACKOFF_MS = [500, 1000, 2000, 4000, 8000, 15_000];
const RESUME_WITHIN_MS = 300;  // the first try, at random: many clients may have lost the same server
const STEADY_MS = 2000;  // a session that is lost sooner is a try in vain: a server that ends each one is asked less often
const STALLED_BYTES = 512 * 1024;  // over five seconds of unsent speech: treat the connection as lost
const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;  // what may stand in the name of a subprotocol
const ENDS = new Set(["server_draining", "session_taken_over"]);  // reasons after which nobody can resume the session
const PERMANENT = new Set([1002, 1003, 1007, 1009]);  // close codes after which a retry would fail again

/**
 * States: `closed` · `connecting` · `open` (`session.created` was received) · `waiting` (retry at `retryAt`, in the time
 * of performance.now) · `refused` (`reason` says why; no retry until `open()` is called).
 * `silent`: the server has not answered for 3 s, though it should have. Set `watched` while somebody waits for it.
 * `resuming`: the session is alive without a socket; what is sent meanwhile is sent when it is resumed.
 * Events: `state`, `silent`, `event` (a server event), `frame` (a decoded binary frame), each once over all sockets.
 */
export class Connection extends EventTarget {
  /**
   * `credential`: async function that returns the key or null. If it throws {refused: reason}, there is no retry.
   * @param {{ url: string | URL, extensions?: string[], binary?: boolean, credential?: () => Promise<string | null>,
   *   rate?: number }} options
   */
  constructor({ url, extensions = [], binary = true, credential = async () => null, rate = 24000 }) {
    super();
    this.url = url;
    this.extensions = extensions;
    this.binary = binary;
    this.credential = credential;
    this.rate = rate;  // Hertz
    this.state = /** @type {ConnectionState} */ ("closed");
    this.reason = /** @type {string | null} */ (null);
    this.retryAt = /** @type {number | null} */ (null);
    this.attempts = 0;
    this.everOpen = false;
    this.watched = false;
    this.query = /** @type {() => Record<string, string>} */ (() => ({}));  // more parameters of the address, asked for at each connect
    this.played = /** @type {() => import("./resuming.js").Playing | null} */ (() => null);  // what is playing, for the server of a resumed session
    this.repeated = /** @type {string[]} */ ([]);  // items of the user whose audio a new session is sent again
    this.resumptions = 0;
    this.traffic = { sent: 0, received: 0 };  // bytes of all messages of all sockets
    this.#log = new Resuming({ rate });
    this.#silence = new Silence({
      look: () => ({ connecting: this.state === "connecting", watched: this.watched, resumable: this.#log.possible }),
      ask: () => this.#ask(),
      changed: (silent) => this.dispatchEvent(new CustomEvent("silent", { detail: silent })),
      lost: () => this.#lost("silent"),
    });
  }

  #log; #silence; #allowed = STALLED_BYTES; #hiding = () => this.#leave(); #online = () => this.retryNow();

  /** @type {WebSocket | null} */
  #socket = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #seq = 0; #samples = 0; #generation = 0; #probe = ""; #probes = 0; #openedAt = 0;
  /** @type {string | null} */
  #key = null;          // of this socket
  /** @type {string | null} */
  #refusedKey = null;   // the server did not take it, and another one was asked for
  /** @type {ProtocolEvent | null} */
  #refusal = null;      // what it said; told when no other key is taken either

  get silent() {
    return this.#silence.silent;
  }

  get binaryAudio() {
    return this.#socket?.protocol === SUBPROTOCOL;
  }

  /** Whether the session can be resumed, and has no socket. */
  get resuming() {
    return this.state !== "open" && this.#log.possible;
  }

  /** Whether speech that is held asks for an answer when it is released. */
  get asksLater() {
    return this.#log.asksLater;
  }

  open() {
    if (this.state === "connecting" || this.state === "open") return;
    globalThis.addEventListener?.("pagehide", this.#hiding);
    globalThis.addEventListener?.("online", this.#online);  // after a sleep, say: the next try may be 15 s away
    this.attempts = 0;
    this.#refusedKey = null;
    this.#connect();
  }

  /** Connect again now: instead of at `retryAt`, or because the server is silent. */
  retryNow() {
    if (this.state !== "waiting" && !this.silent) return;
    this.#closeSocket();
    this.#connect();
  }

  /** The client is done: the server forgets the session at once. */
  close() {
    globalThis.removeEventListener?.("pagehide", this.#hiding);
    globalThis.removeEventListener?.("online", this.#online);
    this.#closeSocket(1000);
    this.#log.forget();
    this.#setState("closed");
  }

  /** The page is left. If it comes back from the browser's cache, its timers go on and it connects again. */
  #leave() {
    if (this.state === "refused") return;
    this.#closeSocket(1000);
    this.#log.forget();
    this.#retryLater("hidden");
  }

  /**
   * Send an event if there is a session, else drop it: it would not apply to the next one. The end of a turn waits as long
   * as the speech before it. Returns whether it was sent, or will be.
   * @param {ProtocolEvent} event
   * @returns {boolean}
   */
  send(event) {
    return this.#send(event);
  }

  /** @param {ProtocolEvent} event @param {boolean} [again] */
  #send(event, again) {
    if (this.#log.holds(event)) return true;
    if (this.state !== "open" && !(this.resuming && this.#log.hasRoom)) return false;
    const named = this.#log.possible ? this.#log.event(event, again, this.state !== "open") : event;
    if (this.state === "open") this.#put(jsonOf(named));
    return true;
  }

  /** The new session has what it needs: send the speech that was held for it, and all that follows. */
  release() {
    this.#sendAgain(this.#log.release());
  }

  /** @param {(string | Int16Array)[]} rest */
  #sendAgain(rest) {
    for (const each of rest) {
      if (typeof each === "string") this.#put(each);
      else this.#sendPcm(each);
    }
    this.#allowed = this.#unsent + STALLED_BYTES;
  }

  /** Append microphone audio: PCM16 at the session's rate. @param {Int16Array} pcm */
  sendAudio(pcm) {
    if (!this.#log.audio(pcm) || this.state !== "open") return;
    const unsent = this.#unsent;
    if (unsent > this.#allowed) return this.#lost("stalled");
    this.#allowed = Math.max(STALLED_BYTES, Math.min(this.#allowed, unsent + STALLED_BYTES));
    this.#sendPcm(pcm);
  }

  /** @param {Int16Array} pcm */
  #sendPcm(pcm) {
    if (this.binaryAudio) {
      const startMs = Math.floor((this.#samples * 1000) / this.rate);
      this.#put(encodeFrame({ pcm, seq: this.#seq++, startMs }));
    } else {
      this.#put(JSON.stringify({ type: "input_audio_buffer.append", audio: toBase64(pcm) }));
    }
    this.#samples += pcm.length;
  }

  get #unsent() {
    return this.#socket?.bufferedAmount ?? 0;
  }

  /** @param {string | ArrayBuffer} data */
  #put(data) {
    this.traffic.sent += bytesOf(data);
    this.#socket?.send(data);
  }

  async #connect() {
    clearTimeout(this.#timer);
    const generation = ++this.#generation;
    this.#setState("connecting");
    this.#silence.watch();
    this.#timer = setTimeout(() => this.#retryLater("unreachable"), FIRST_EVENT_MS);
    let key;
    try {
      key = await this.credential();
    } catch (thrown) {
      if (generation !== this.#generation) return;
      const error = /** @type {{ refused?: string }} */ (thrown);
      return error.refused ? this.#refuse(error.refused) : this.#retryLater("unreachable");
    }
    if (generation !== this.#generation) return;
    if (key !== null && key === this.#refusedKey) return this.#refuse("invalid_api_key");  // there is no other
    this.#key = key;
    const protocols = [...(this.binary ? [SUBPROTOCOL] : []), "realtime"];  // a session is resumed with that of before
    if (key) protocols.push(`openai-insecure-api-key.${key}`);
    const socket = this.#newSocket(protocols, key);
    if (!socket) return;
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => this.#receive(data);
    socket.onclose = ({ code, reason }) => this.#closed(code, reason);
    this.#socket = socket;
  }

  /** Null if the browser refuses to try: then no retry would do better. @param {string[]} protocols @param {string | null} key */
  #newSocket(protocols, key) {
    try {
      return new WebSocket(this.#address().href, protocols);  // what a page has put in its place may expect a text
    } catch (error) {
      this.#refuse(reasonOf(/** @type {Error} */ (error), key));
      return null;
    }
  }

  #address() {
    const url = new URL(this.url);
    if (this.extensions.length) url.searchParams.set("extensions", this.extensions.join(","));
    const query = { ...this.query(), ...this.#log.query(this.played()) };
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    return url;
  }

  /** @param {string | ArrayBuffer} data */
  #receive(data) {
    this.#silence.heard();
    this.traffic.received += bytesOf(data);
    if (typeof data !== "string") {
      const frame = decodeFrame(data);
      const counted = this.#log.possible ? frame?.seq : undefined;
      if (frame && this.#log.isNew(counted)) this.dispatchEvent(new CustomEvent("frame", { detail: frame }));
      return;
    }
    const event = eventIn(data);
    if (!event) return;
    if (event.type === "session.created") this.#opened(event.session ?? {});
    if (!this.#log.isNew(event.seq)) return;
    understood(() => this.#log.follow(event), undefined);
    if (event.type === "error" && event.error?.event_id === this.#probe) return;
    if (event.type === "session.resumed") this.#resumed(event);
    if (event.type === "error" && event.error?.code === "invalid_api_key") {
      this.reason = "invalid_api_key";
      this.#refusal = event;
      if (this.#key !== null && this.#refusedKey === null) return;  // another key may do
    }
    this.dispatchEvent(new CustomEvent("event", { detail: event }));
  }

  /** @param {Record<string, any>} session */
  #opened(session) {
    clearTimeout(this.#timer);
    this.repeated = this.#log.begin(session);
    this.#seq = this.#samples = 0;
    this.#openedAt = performance.now();
    this.everOpen = true;
    this.#refusedKey = this.#refusal = null;
    this.#setState("open");
  }

  /** The same session on a new socket: what the server has not received is sent again, in order. @param {ProtocolEvent} event */
  #resumed(event) {
    clearTimeout(this.#timer);
    const rest = this.#log.resumed(event);
    this.#openedAt = performance.now();
    this.resumptions += 1;
    this.#refusedKey = this.#refusal = null;
    this.#sendAgain(rest);
    this.#setState("open");
  }

  #ask() {
    this.#probe = `${PROBE.event_id}${this.#log.possible ? `_${++this.#probes}` : ""}`;  // a name that no other event has
    return this.#send({ ...PROBE, event_id: this.#probe }, false);
  }

  /** @param {number} code @param {string} reason */
  #closed(code, reason) {
    if (code === 1000 || code === 1001 || ENDS.has(reason)) this.#log.ended();
    if (this.reason === "invalid_api_key" || reason === "invalid_api_key") return this.#refuseKey();
    if (code === 1008 && reason !== "slow_reader") return this.#refuse(reason || "refused");
    if (PERMANENT.has(code)) return this.#refuse(reason || `closed_${code}`);
    this.#lost(reason || "unreachable");
  }

  /** A short-lived secret may have expired on its way: ask for another one, once. The same one again is refused. */
  #refuseKey() {
    if (this.#key === null || this.#refusedKey !== null) return this.#refuse("invalid_api_key");
    this.#refusedKey = this.#key;
    this.#closeSocket();
    this.#connect();
  }

  /** The socket is gone. A session that waits for its client is fetched at once, if the last try was not in vain.
   * @param {string} reason */
  #lost(reason) {
    const open = this.state === "open", steady = open && performance.now() - this.#openedAt >= STEADY_MS;
    if (steady) this.attempts = 0;
    if (!open || !this.#log.possible || this.attempts > 0) return this.#retryLater(reason);
    this.attempts = steady ? 0 : 1;
    this.#wait(reason, reason === "silent" ? 0 : Math.random() * RESUME_WITHIN_MS);
  }

  /** @param {string} reason */
  #refuse(reason) {
    this.#closeSocket();
    this.reason = reason;
    if (this.#refusedKey !== null && this.#refusedKey === this.#key && this.#refusal) {
      this.dispatchEvent(new CustomEvent("event", { detail: this.#refusal }));
    }
    this.#setState("refused");
  }

  /** @param {string} reason */
  #retryLater(reason) {
    const base = BACKOFF_MS[Math.min(this.attempts++, BACKOFF_MS.length - 1)];
    this.#wait(reason, base * (0.8 + 0.4 * Math.random()));
  }

  /** @param {string} reason @param {number} delay in ms */
  #wait(reason, delay) {
    this.#closeSocket();
    this.reason = reason;
    this.retryAt = performance.now() + delay;
    this.#timer = setTimeout(() => this.#connect(), delay);
    this.#setState("waiting");
  }

  /** Drop the socket without waiting for its closing handshake, which never ends on a lost connection. @param {number} [code] */
  #closeSocket(code) {
    clearTimeout(this.#timer);
    this.#silence.end();
    if (!this.#log.possible) this.#log.hold();
    this.#generation += 1;
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onmessage = socket.onclose = null;
    socket.close(...(code ? [code] : []));
  }

  /** @param {ConnectionState} state */
  #setState(state) {
    if (state === "connecting" || state === "open") this.reason = null;
    if (state !== "waiting") this.retryAt = null;
    const changed = state !== this.state;
    this.state = state;
    if (changed || state === "waiting") this.dispatchEvent(new CustomEvent("state", { detail: state }));
  }
}

/**
 * Why there is no socket: an https page must not open ws://, and a key has to be written as the name of a subprotocol.
 * @param {Error} error @param {string | null} key
 */
function reasonOf({ name }, key) {
  if (!globalThis.WebSocket) return "no_websocket";
  if (name === "SecurityError") return "insecure_address";
  return key && !TOKEN.test(key) ? "invalid_api_key" : "invalid_address";
}

const encoder = new TextEncoder();
const bytesOf = (/** @type {string | ArrayBuffer} */ data) => (typeof data === "string" ? encoder.encode(data).length : data.byteLength);

/**
 * The event in a message; null if there is none, as from something on the way that is no Realtime server.
 * @param {string} text @returns {ProtocolEvent | null}
 */
function eventIn(text) {
  try {
    const event = JSON.parse(text);
    return typeof event?.type === "string" ? event : null;
  } catch {
    return null;
  }
}
