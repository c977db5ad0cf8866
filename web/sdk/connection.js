// One WebSocket at a time and the patience around it: subprotocols, key, back-off, and a state for every moment.
// Knows frames and JSON, not what an event means, except the two that decide whether the door is open.

import { SUBPROTOCOL, decodeFrame, encodeFrame, toBase64 } from "./framing.js";

const FIRST_EVENT_MS = 10_000;
const BACKOFF_MS = [500, 1000, 2000, 4000, 8000, 15_000];
const STALLED_BYTES = 512 * 1024;  // over five seconds of unsent speech: the line is dead, whatever the socket says
const KEPT_FRAMES = 250;           // five seconds of speech wait for a socket that is on its way
const FINAL = new Set([1002, 1003, 1007, 1009]);  // asking again would end the same way

/**
 * States: `closed` · `connecting` · `open` (session.created has come) · `waiting` (retry at `retryAt`, on the
 * clock of performance.now) · `refused` (`reason` says why; only `open()` tries again).
 * Events: `state`, `event` (a server event), `frame` (a decoded binary frame).
 */
export class Connection extends EventTarget {
  /** `credential`: async function to the key to offer, or null. It may throw {refused: reason} to give up. */
  constructor({ url, extensions = [], binary = true, credential = async () => null, rate = 24000 }) {
    super();
    Object.assign(this, { url, extensions, binary, credential, rate });
    this.state = "closed";
    this.reason = null;
    this.retryAt = null;
    this.attempts = 0;
    this.everOpen = false;
  }

  #socket = null; #timer = null; #backlog = []; #frames = []; #seq = 0; #samples = 0; #generation = 0;

  get binaryAudio() {
    return this.#socket?.protocol === SUBPROTOCOL;
  }

  open() {
    if (this.state === "connecting" || this.state === "open") return;
    this.attempts = 0;
    this.#dial();
  }

  /** Try again now instead of at the end of the back-off. */
  retryNow() {
    if (this.state === "waiting") this.#dial();
  }

  close() {
    this.#drop(1000);
    this.#backlog = [];
    this.#frames = [];
    this.#become("closed");
  }

  /** Send an event if the session is open. What speaks of a lost session would only confuse the next one. */
  send(event) {
    if (this.state !== "open") return false;
    this.#socket.send(JSON.stringify(event));
    return true;
  }

  /** Send an event now or as soon as a session is open. */
  queue(event) {
    if (!this.send(event)) this.#backlog.push(event);
  }

  /** Append microphone audio: PCM16 at the session's rate. */
  sendAudio(pcm) {
    if (this.state !== "open") {
      this.#frames.push(pcm);
      if (this.#frames.length > KEPT_FRAMES) this.#frames.shift();
      return;
    }
    if (this.#socket.bufferedAmount > STALLED_BYTES) return this.#lost("stalled");
    if (this.binaryAudio) {
      const startMs = Math.floor((this.#samples * 1000) / this.rate);
      this.#socket.send(encodeFrame({ pcm, seq: this.#seq++, startMs }));
    } else {
      this.#socket.send(JSON.stringify({ type: "input_audio_buffer.append", audio: toBase64(pcm) }));
    }
    this.#samples += pcm.length;
  }

  async #dial() {
    clearTimeout(this.#timer);
    const generation = ++this.#generation;
    this.#become("connecting");
    let key;
    try {
      key = await this.credential();
    } catch (error) {
      if (generation !== this.#generation) return;
      return error.refused ? this.#refuse(error.refused) : this.#lost("unreachable");
    }
    if (generation !== this.#generation) return;
    const protocols = [...(this.binary ? [SUBPROTOCOL] : []), "realtime"];
    if (key) protocols.push(`openai-insecure-api-key.${key}`);
    const socket = new WebSocket(this.#address(), protocols);
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => this.#receive(data);
    socket.onclose = ({ code, reason }) => this.#closed(code, reason);
    this.#socket = socket;
    this.#timer = setTimeout(() => this.#lost("unreachable"), FIRST_EVENT_MS);
  }

  #address() {
    const url = new URL(this.url);
    if (this.extensions.length) url.searchParams.set("extensions", this.extensions.join(","));
    return url;
  }

  #receive(data) {
    if (typeof data !== "string") {
      const frame = decodeFrame(data);
      if (frame) this.dispatchEvent(new CustomEvent("frame", { detail: frame }));
      return;
    }
    const event = JSON.parse(data);
    if (event.type === "session.created") this.#opened();
    if (event.type === "error" && event.error?.code === "invalid_api_key") this.reason = "invalid_api_key";
    this.dispatchEvent(new CustomEvent("event", { detail: event }));
    if (event.type === "session.created") this.#sendBacklog();
  }

  #opened() {
    clearTimeout(this.#timer);
    this.attempts = this.#seq = this.#samples = 0;
    this.everOpen = true;
    this.#become("open");
  }

  #sendBacklog() {
    for (const event of this.#backlog.splice(0)) this.send(event);
    for (const pcm of this.#frames.splice(0)) this.sendAudio(pcm);
  }

  #closed(code, reason) {
    if (this.reason === "invalid_api_key" || reason === "invalid_api_key") return this.#refuse("invalid_api_key");
    if (code === 1008 && reason !== "slow_reader") return this.#refuse(reason || "refused");
    if (FINAL.has(code)) return this.#refuse(reason || `closed_${code}`);
    this.#lost(reason || "unreachable");
  }

  #refuse(reason) {
    this.#drop();
    this.#backlog = [];
    this.reason = reason;
    this.#become("refused");
  }

  #lost(reason) {
    this.#drop();
    const base = BACKOFF_MS[Math.min(this.attempts++, BACKOFF_MS.length - 1)];
    const delay = base * (0.8 + 0.4 * Math.random());
    this.reason = reason;
    this.retryAt = performance.now() + delay;
    this.#timer = setTimeout(() => this.#dial(), delay);
    this.#become("waiting");
  }

  /** Let go of the socket without waiting for its closing handshake, which a dead line never finishes. */
  #drop(code) {
    clearTimeout(this.#timer);
    this.#generation += 1;
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onmessage = socket.onclose = null;
    socket.close(...(code ? [code] : []));
  }

  #become(state) {
    if (state === "connecting" || state === "open") this.reason = null;
    if (state !== "waiting") this.retryAt = null;
    const changed = state !== this.state;
    this.state = state;
    if (changed || state === "waiting") this.dispatchEvent(new CustomEvent("state", { detail: state }));
  }
}

/**
 * Exchange a key for a short-lived `ek_…` secret, so that the key itself never opens a socket.
 * Throws an Error with `refused: "invalid_api_key"` when the server does not accept the key.
 */
export async function clientSecret(url, key) {
  const answer = await fetch(url, {
    method: "POST",
    headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
    body: JSON.stringify({ session: { type: "realtime" } }),
  });
  if (answer.ok) return (await answer.json()).value;
  const error = new Error(`The server answered ${answer.status} to the key.`);
  if (answer.status === 401 || answer.status === 403) error.refused = "invalid_api_key";
  throw error;
}
