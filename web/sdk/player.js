// @ts-check
// The audio output of the page: owns an AudioContext and the player worklet, and sends audio to it. Computes from its
// reports what the listener has heard, with the latency of the device. Knows nothing of the protocol.

import { keepRunning, ownContexts, soundIsPossible } from "./audio_context.js";
import { devices } from "./devices.js";

/** @typedef {import("./types.js").Contexts} Contexts */
/**
 * What is known of a part; `done`: all of it was output, or is not wanted. `cut`: the rest was flushed.
 * @typedef {{ heardMs: number, outputMs: number, receivedMs: number, done: boolean, cut?: boolean }} Part
 */
/** A part that was flushed, and how much of it was output. @typedef {{ key: string, playedMs: number, receivedMs: number }} Unplayed */
/** `keys`: of the parts that it is about. @typedef {{ resolve: (parts: Unplayed[]) => void, timeout: ReturnType<typeof setTimeout>, keys: Set<string> }} Flush */
/** `setSinkId`: not in every browser. @typedef {AudioContext & { setSinkId(id: string): Promise<void> }} Context */
/**
 * What the worklet reports.
 * @typedef {{ parts: (Part & { key: string, sinceMs: number })[], level: number, underruns: number, bufferedMs: number,
 *   jitterMs: number }} Report
 */

const GAIN_S = 0.02;  // time constant of a change of gain: after 50 ms nine tenths of it are done
const KEEP_HEARD_MS = 1000;  // a part is known so long after its end was heard: captions, and events that come late
const FLUSH_TIMEOUT_MS = 150;  // a suspended context may never answer: use its last report

/** After the messages that have come while the page was busy. @returns {Promise<void>} */
const messagesRead = () => new Promise((resolve) => {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => { port1.close(); resolve(); };
  port2.postMessage(null);
});

/** Whether nothing more of a part will be heard. @param {Part} part */
export const isHeard = ({ done, heardMs, receivedMs }) => done && heardMs >= receivedMs;

export class Player extends EventTarget {
  /**
   * `rate` in Hertz. `contexts` opens and closes the AudioContext: its own one, or one that it shares.
   * @param {{ rate?: number, contexts?: Contexts }} options
   */
  constructor({ rate = 24000, contexts = ownContexts } = {}) {
    super();
    this.contexts = contexts;
    this.rate = rate;
    this.context = /** @type {Context | null} */ (null);
    this.node = /** @type {AudioWorkletNode | null} */ (null);
    this.output = /** @type {GainNode | null} */ (null);  // of all output
    this.gain = 1;  // its factor
    this.parts = /** @type {Map<string, Part>} */ (new Map());
    this.underruns = 0;
    this.bufferedMs = 0;  // received and not yet output, at the last report
    this.jitterMs = 0;    // the length of the jitter buffer
    /** @type {string | null} The chosen device; null: the one of the system. */
    this.deviceId = null;
    this.interrupted = false;  // a phone call or another app has stopped the sound
  }

  /** @type {[object, Transferable[]][]} */ #queued = [];
  /** @type {Map<number, Flush>} */ #flushes = new Map();
  /** @type {Promise<void> | null} */ #opening = null;
  /** @type {(() => void) | null} */ #keeping = null;
  /** @type {Set<string>} */ #heard = new Set();  // parts that were heard to their end: for good
  #nextFlush = 1; #devicesChanged = () => this.#lookForDevice();

  /** Whether this page can play sound: not over http, except on localhost. */
  get possible() {
    return soundIsPossible();
  }

  /** The speakers: [{id, name}]; none where the browser tells none, or cannot choose one. */
  async devices() {
    return "setSinkId" in (globalThis.AudioContext?.prototype ?? {}) ? devices("audiooutput") : [];
  }

  /** Play on this device, also while something plays. Null: the system's. Resolves to whether that was possible. @param {string | null} deviceId */
  async use(deviceId) {
    const before = this.deviceId;
    this.deviceId = deviceId;
    if (!this.context) return true;
    try {
      await this.context.setSinkId(deviceId ?? "");
      return true;
    } catch {
      if (this.deviceId === deviceId) this.deviceId = before;
      return false;
    }
  }

  /** The chosen speaker may be gone: the sound goes on at that of the system. */
  async #lookForDevice() {
    const chosen = this.deviceId, all = chosen ? await this.devices() : [];
    if (chosen && chosen === this.deviceId && all.length && !all.some(({ id }) => id === chosen)) await this.use(null);
  }

  #reset() {
    this.#queued = [];
    this.#flushes = new Map();
    this.#nextFlush = 1;
    this.#opening = null;
  }

  /** Start the audio context. Browsers require the first call inside a click or a key press. */
  open() {
    this.#opening ??= this.#start();
    if (this.context && this.context.state !== "running") this.context.resume().catch(() => {});
    return this.#opening;
  }

  async #start() {
    const context = this.context = /** @type {Context} */ (this.contexts.open({ sampleRate: this.rate, latencyHint: "interactive" }));
    context.resume().catch(() => {});
    this.#keeping = keepRunning(context, (state) => {
      this.interrupted = state === "interrupted";
      this.dispatchEvent(new CustomEvent("state", { detail: state }));
    });
    try {
      await this.#prepare(context);
    } catch (error) {
      if (context !== this.context) return;
      this.#opening = this.context = null;  // the server may be unreachable: the next open() tries again
      this.#keeping?.();
      this.contexts.close(context).catch(() => {});
      throw error;
    }
    if (context !== this.context) return;  // closed meanwhile
    this.node = new AudioWorkletNode(context, "realtime-player", {
      numberOfInputs: 0, outputChannelCount: [1], processorOptions: { rate: this.rate },
    });
    this.node.port.onmessage = ({ data }) => (data.type === "flushed" ? this.#flushed(data) : this.#report(data));
    navigator.mediaDevices?.addEventListener("devicechange", this.#devicesChanged);
    this.output = new GainNode(context, { gain: this.gain });
    this.node.connect(this.output).connect(context.destination);
    for (const [message, transfer] of this.#queued.splice(0)) this.node.port.postMessage(message, transfer);
  }

  /** The worklet's code, and the chosen speaker. @param {Context} context */
  async #prepare(context) {
    await context.audioWorklet.addModule(new URL("./worklets/player.js", import.meta.url));
    const { deviceId } = this;
    if (!deviceId || !context.setSinkId) return;
    await context.setSinkId(deviceId).catch(() => { if (this.deviceId === deviceId) this.deviceId = null; });
  }

  /** Whether received audio has not been heard yet. */
  get playing() {
    return ![...this.parts.values()].every(isHeard);
  }

  /** What the listener has heard of a part, in ms. Infinity: to its end, and for good; null: nothing is known of it. @param {string} key */
  heardMs(key) {
    return this.#heard.has(key) ? Infinity : this.parts.get(key)?.heardMs ?? null;
  }

  /** Nobody will ask for the parts that were heard. */
  forget() {
    this.#heard.clear();
  }

  /** Play PCM16 samples after all earlier ones. @param {string} key @param {Int16Array} pcm */
  push(key, pcm) {
    if (!pcm.length) return;
    const part = this.#part(key);
    part.receivedMs += (pcm.length * 1000) / this.rate;
    const copy = pcm.slice().buffer;
    this.#post({ type: "audio", key, pcm: copy }, [copy]);
  }

  /** The part is complete. @param {string} key */
  end(key) {
    if (this.parts.has(key)) this.#post({ type: "end", key });
  }

  /** Play a part only to this position; more of it may already sound. @param {string} key @param {number} ms */
  trim(key, ms) {
    const part = this.parts.get(key);
    if (!part) return;
    part.receivedMs = Math.min(part.receivedMs, Math.max(ms, part.outputMs));
    this.#post({ type: "trim", key, ms });
  }

  /** Stop within one quantum. Resolves to [{key, playedMs, receivedMs}] of the unfinished parts. @returns {Promise<Unplayed[]>} */
  flush() {
    if (!this.node) return Promise.resolve(this.#discardAll());
    const id = this.#nextFlush++, keys = new Set(this.parts.keys());  // the next answer may begin before this is over
    return new Promise((resolve) => {
      const giveUp = async () => {
        await messagesRead();  // time passes also while the page is busy, and the answer may wait to be read
        this.#flushed({ id, parts: this.#unplayed(keys) });
      };
      const timeout = setTimeout(giveUp, FLUSH_TIMEOUT_MS);
      this.#flushes.set(id, { resolve, timeout, keys });
      this.#post({ type: "flush", id });
    });
  }

  /** Play everything at this gain in dB from now on, with a short ramp. @param {number} db */
  setGain(db) {
    this.gain = 10 ** (db / 20);
    this.output?.gain.setTargetAtTime(this.gain, this.output.context.currentTime, GAIN_S);
  }

  /** End all sound at once, and give the context back. An `open()` after it opens another one. */
  async close() {
    const { context } = this, opening = this.#opening;
    this.#keeping?.();
    navigator.mediaDevices?.removeEventListener("devicechange", this.#devicesChanged);
    for (const [id, { keys }] of this.#flushes) this.#flushed({ id, parts: this.#unplayed(keys) });  // somebody waits for them
    if (this.node) {
      this.node.port.onmessage = null;
      this.node.port.postMessage({ type: "stop" });  // the context may go on without it
      this.output?.disconnect();
    }
    this.context = this.node = this.output = null;
    this.parts.clear();
    this.#reset();
    await opening?.catch(() => {});
    if (context) await this.contexts.close(context);
  }

  /** @param {string} key @returns {Part} */
  #part(key) {
    const part = this.parts.get(key) ?? { heardMs: 0, outputMs: 0, receivedMs: 0, done: false };
    this.parts.set(key, part);
    return part;
  }

  /** @param {object} message @param {Transferable[]} transfer */
  #post(message, transfer = []) {
    if (this.node) this.node.port.postMessage(message, transfer);
    else this.#queued.push([message, transfer]);
  }

  /** @param {Set<string>} keys */
  #unplayed(keys) {
    return [...this.parts]
      .filter(([key, part]) => keys.has(key) && !part.done)
      .map(([key, part]) => ({ key, playedMs: part.outputMs, receivedMs: part.receivedMs }));
  }

  #discardAll() {
    const unplayed = this.#unplayed(new Set(this.parts.keys()));
    this.#queued = [];
    this.parts.clear();
    return unplayed;
  }

  /** @param {{ id: number, parts: Unplayed[] }} report */
  #flushed({ id, parts }) {
    const flush = this.#flushes.get(id);
    if (!flush) return;
    this.#flushes.delete(id);
    clearTimeout(flush.timeout);
    for (const { key, playedMs } of parts) {
      Object.assign(this.#part(key), { heardMs: playedMs, receivedMs: playedMs, outputMs: playedMs, done: true, cut: true });
    }
    flush.resolve(parts);
  }

  /** @param {Report} report */
  #report({ parts, level, underruns, bufferedMs, jitterMs }) {
    const { outputLatency = 0, baseLatency = 0 } = this.context ?? {};
    const latencyMs = (outputLatency || baseLatency) * 1000;
    Object.assign(this, { underruns, bufferedMs, jitterMs });
    const alive = new Set();
    for (const { key, receivedMs, outputMs, sinceMs, done } of parts) {
      const part = this.#part(key);
      alive.add(key);
      part.outputMs = outputMs;
      part.done ||= done;  // a report from before a flush may come after it, when the page was busy
      if (done) part.receivedMs = receivedMs;
      part.heardMs = Math.max(part.heardMs, outputMs - Math.max(0, latencyMs - sinceMs));
      if (isHeard(part) && !part.cut) this.#heard.add(key);
      if (done && sinceMs > latencyMs + KEEP_HEARD_MS) this.#post({ type: "forget", key });  // the next report is without it
    }
    for (const [key, part] of this.parts) if (part.done && !alive.has(key)) this.parts.delete(key);
    this.dispatchEvent(new CustomEvent("progress", { detail: { level, parts: this.parts } }));
  }
}
