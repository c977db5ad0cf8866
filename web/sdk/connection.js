// One WebSocket at a time, with subprotocols, key, timeouts, reconnecting and a connection state. Knows frames and JSON.
// Does not know what events mean, except `session.created`, the error for a wrong key and the answer to its own probe.

import { SUBPROTOCOL, decodeFrame, encodeFrame, toBase64 } from "./framing.js";

const FIRST_EVENT_MS = 10_000;
const PROBE_AFTER_MS = 1000;  // without a message, while somebody waits for the server
const SILENT_MS = 2000;       // without an answer to the probe: the server is silent
const GIVE_UP_MS = 8000;      // ... and the connection counts as lost
const TICK_MS = 250;
const PROBE = { type: "conversation.item.retrieve", event_id: "probe", item_id: "probe" };  // answered by an error
const BACKOFF_MS = [500, 1000, 2000, 4000, 8000, 15_000];
const STALLED_BYTES = 512 * 1024;  // over five seconds of unsent speech: treat the connection as lost
const MAX_QUEUED_FRAMES = 250;     // five seconds of speech, kept while connecting
const PERMANENT = new Set([1002, 1003, 1007, 1009]);  // close codes after which a retry would fail again

/**
 * States: `closed` · `connecting` · `open` (`session.created` was received) · `waiting` (retry at `retryAt`, in the time
 * of performance.now) · `refused` (`reason` says why; no retry until `open()` is called).
 * `silent`: the server has not answered for 3 s, though it should have. Set `watched` while somebody waits for it.
 * Events: `state`, `silent`, `event` (a server event), `frame` (a decoded binary frame).
 */
export class Connection extends EventTarget {
  /** `credential`: async function that returns the key or null. If it throws {refused: reason}, there is no retry. */
  constructor({ url, extensions = [], binary = true, credential = async () => null, rate = 24000 }) {
    super();
    Object.assign(this, { url, extensions, binary, credential, rate });
    this.state = "closed";
    this.reason = null;
    this.retryAt = null;
    this.attempts = 0;
    this.everOpen = false;
    this.silent = false;
    this.watched = false;
    this.query = {};  // more parameters of the address
  }

  #socket = null; #timer = null; #queuedFrames = []; #seq = 0; #samples = 0; #generation = 0; #released = false;
  #ticking = null; #tickedAt = 0; #since = 0; #probed = false;  // `since`: of the last message, or of the probe

  get binaryAudio() {
    return this.#socket?.protocol === SUBPROTOCOL;
  }

  open() {
    if (this.state === "connecting" || this.state === "open") return;
    this.attempts = 0;
    this.#connect();
  }

  /** Connect again now: instead of at `retryAt`, or because the server is silent. */
  retryNow() {
    if (this.state !== "waiting" && !this.silent) return;
    this.#closeSocket();
    this.#connect();
  }

  close() {
    this.#closeSocket(1000);
    this.#queuedFrames = [];
    this.#setState("closed");
  }

  /** Send an event if the session is open, else drop it: it would not apply to the next session. */
  send(event) {
    if (this.state !== "open") return false;
    this.#socket.send(JSON.stringify(event));
    return true;
  }

  /** The new session has what it needs: send the audio that was kept while connecting, and all that follows. */
  release() {
    this.#released = true;
    for (const pcm of this.#queuedFrames.splice(0)) this.sendAudio(pcm);
  }

  /** Append microphone audio: PCM16 at the session's rate. */
  sendAudio(pcm) {
    if (this.state !== "open" || !this.#released) {
      this.#queuedFrames.push(pcm);
      if (this.#queuedFrames.length > MAX_QUEUED_FRAMES) this.#queuedFrames.shift();
      return;
    }
    if (this.#socket.bufferedAmount > STALLED_BYTES) return this.#retryLater("stalled");
    if (this.binaryAudio) {
      const startMs = Math.floor((this.#samples * 1000) / this.rate);
      this.#socket.send(encodeFrame({ pcm, seq: this.#seq++, startMs }));
    } else {
      this.#socket.send(JSON.stringify({ type: "input_audio_buffer.append", audio: toBase64(pcm) }));
    }
    this.#samples += pcm.length;
  }

  async #connect() {
    clearTimeout(this.#timer);
    const generation = ++this.#generation;
    this.#setState("connecting");
    this.#watch();
    this.#timer = setTimeout(() => this.#retryLater("unreachable"), FIRST_EVENT_MS);
    let key;
    try {
      key = await this.credential();
    } catch (error) {
      if (generation !== this.#generation) return;
      return error.refused ? this.#refuse(error.refused) : this.#retryLater("unreachable");
    }
    if (generation !== this.#generation) return;
    const protocols = [...(this.binary ? [SUBPROTOCOL] : []), "realtime"];
    if (key) protocols.push(`openai-insecure-api-key.${key}`);
    const socket = new WebSocket(this.#address(), protocols);
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => this.#receive(data);
    socket.onclose = ({ code, reason }) => this.#closed(code, reason);
    this.#socket = socket;
  }

  #address() {
    const url = new URL(this.url);
    if (this.extensions.length) url.searchParams.set("extensions", this.extensions.join(","));
    for (const [name, value] of Object.entries(this.query)) url.searchParams.set(name, value);
    return url;
  }

  #receive(data) {
    this.#heard();
    if (typeof data !== "string") {
      const frame = decodeFrame(data);
      if (frame) this.dispatchEvent(new CustomEvent("frame", { detail: frame }));
      return;
    }
    const event = JSON.parse(data);
    if (event.type === "error" && event.error?.event_id === PROBE.event_id) return;
    if (event.type === "session.created") this.#opened();
    if (event.type === "error" && event.error?.code === "invalid_api_key") this.reason = "invalid_api_key";
    this.dispatchEvent(new CustomEvent("event", { detail: event }));
  }

  #opened() {
    clearTimeout(this.#timer);
    this.attempts = this.#seq = this.#samples = 0;
    this.everOpen = true;
    this.#setState("open");
  }

  #watch() {
    this.#heard();
    this.#tickedAt = performance.now();
    clearInterval(this.#ticking);
    this.#ticking = setInterval(() => this.#tick(), TICK_MS);
  }

  #heard() {
    this.#since = performance.now();
    this.#probed = false;
    this.#setSilent(false);
  }

  /** The first message is due without a question; later ones only after a probe. */
  #tick() {
    const now = performance.now(), asleep = now - this.#tickedAt > 4 * TICK_MS + 1000;
    this.#tickedAt = now;
    if (asleep) [this.#since, this.#probed] = [now - PROBE_AFTER_MS, false];  // the page was frozen: ask again
    const waited = now - this.#since;
    if (this.state === "connecting") return this.#setSilent(waited >= PROBE_AFTER_MS + SILENT_MS);
    if (!this.#probed) {
      if (!this.watched || waited < PROBE_AFTER_MS || !this.send(PROBE)) return;
      [this.#since, this.#probed] = [now, true];
    } else if (waited >= GIVE_UP_MS) this.#retryLater("silent");
    else this.#setSilent(waited >= SILENT_MS);
  }

  #setSilent(silent) {
    if (silent === this.silent) return;
    this.silent = silent;
    this.dispatchEvent(new CustomEvent("silent", { detail: silent }));
  }

  #closed(code, reason) {
    if (this.reason === "invalid_api_key" || reason === "invalid_api_key") return this.#refuse("invalid_api_key");
    if (code === 1008 && reason !== "slow_reader") return this.#refuse(reason || "refused");
    if (PERMANENT.has(code)) return this.#refuse(reason || `closed_${code}`);
    this.#retryLater(reason || "unreachable");
  }

  #refuse(reason) {
    this.#closeSocket();
    this.reason = reason;
    this.#setState("refused");
  }

  #retryLater(reason) {
    this.#closeSocket();
    const base = BACKOFF_MS[Math.min(this.attempts++, BACKOFF_MS.length - 1)];
    const delay = base * (0.8 + 0.4 * Math.random());
    this.reason = reason;
    this.retryAt = performance.now() + delay;
    this.#timer = setTimeout(() => this.#connect(), delay);
    this.#setState("waiting");
  }

  /** Drop the socket without waiting for its closing handshake, which never ends on a lost connection. */
  #closeSocket(code) {
    clearTimeout(this.#timer);
    clearInterval(this.#ticking);
    this.#setSilent(false);
    this.#released = false;
    this.#generation += 1;
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onmessage = socket.onclose = null;
    socket.close(...(code ? [code] : []));
  }

  #setState(state) {
    if (state === "connecting" || state === "open") this.reason = null;
    if (state !== "waiting") this.retryAt = null;
    const changed = state !== this.state;
    this.state = state;
    if (changed || state === "waiting") this.dispatchEvent(new CustomEvent("state", { detail: state }));
  }
}

/**
 * Exchange a key for a short-lived `ek_…` secret, so that no socket is opened with the key itself.
 * Throws an Error with `refused: "invalid_api_key"` if the server rejects the key.
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
