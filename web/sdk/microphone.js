// @ts-check
// The microphone as PCM16 frames. Every error of the browser becomes a state.
// Knows nothing of the protocol and shows nothing.

import { keepRunning, ownContexts } from "./audio_context.js";
import { devices, microphoneForbidden, microphonePermission } from "./devices.js";

/** @typedef {import("./types.js").Contexts} Contexts */
/** @typedef {import("./types.js").MicrophoneState} MicrophoneState */

const RETURN_MS = 60_000;  // a microphone that is plugged in again so soon goes on by itself; later it would surprise

/** @type {Record<string, MicrophoneState>} */
const STATE_OF_ERROR = {
  NotAllowedError: "denied",
  SecurityError: "denied",
  NotFoundError: "missing",
  OverconstrainedError: "missing",
  NotReadableError: "busy",
  AbortError: "busy",
  Unloaded: "unloaded",
};

/** The worklet's code comes from the server, which may be unreachable: not an error of the microphone. @param {AudioContext} context */
async function load(context) {
  try {
    await context.audioWorklet.addModule(new URL("./worklets/capture.js", import.meta.url));
  } catch (error) {
    throw Object.assign(new Error(`The capture worklet could not be loaded: ${/** @type {Error} */ (error).message}`), { name: "Unloaded" });
  }
}

/** @param {MediaStream} stream */
const stop = (stream) => stream.getTracks().forEach((track) => track.stop());

/** Events: `state`, and `frame` with {pcm: Int16Array, level: 0…1}. */
export class Microphone extends EventTarget {
  /** @param {{ rate?: number, frameMs?: number, constraints?: MediaTrackConstraints, contexts?: Contexts }} options */
  constructor({ rate = 24000, frameMs = 20, constraints = {}, contexts = ownContexts } = {}) {  // Hertz
    super();
    this.contexts = contexts;  // who opens and closes the AudioContext
    this.rate = rate;
    this.frameMs = frameMs;
    this.constraints = {
      channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true, ...constraints,
    };
    this.state = /** @type {MicrophoneState} */ ("off");
    this.muted = false;
    this.error = /** @type {unknown} */ (null);  // the browser's last one
    /** @type {string | null} The device in use, or to be used; null: the one of the browser. */
    this.deviceId = null;
  }

  /** @type {MediaStream | null} */ #stream = null;
  /** @type {AudioContext | null} */ #context = null;
  /** @type {AudioWorkletNode | null} */ #node = null;
  /** @type {MediaStreamAudioSourceNode | null} */ #source = null;
  /** @type {(() => void) | null} */ #keeping = null;
  /** @type {string | null} The chosen device while it is not there: it is tried first at each start. */ #absent = null;
  /** @type {MediaStreamTrack | null} It has ended, and another one is being opened. */ #leaving = null;
  #attempt = 0; #switch = 0; #lostAt = 0; #chosenLate = false; #plugged = () => this.#lookForDevice();

  /** The microphones: [{id, name}]. Names are empty until the user has allowed one. */
  devices() {
    return devices("audioinput");
  }

  /** "granted", "denied", "prompt", or "unknown" where the browser does not say. */
  permission() {
    return microphonePermission();
  }

  /**
   * Use this device, also while talking: the frames go on from it without an end. Null: the browser's choice. Resolves to
   * whether it is in use or will be; if it cannot be opened, the one before stays, and `error` says why.
   * @param {string | null} deviceId
   * @returns {Promise<boolean>}
   */
  async use(deviceId) {
    const before = [this.deviceId, this.#absent], change = this.#switch + 1;
    [this.deviceId, this.#absent] = [deviceId, null];
    if (this.state !== "on" && this.state !== "interrupted") return this.#chosenLate = true;
    const done = await this.#exchange(deviceId);
    if (done === null) return change === this.#switch;  // stopped meanwhile: it counts at the next start
    if (done) return true;
    [this.deviceId, this.#absent] = before;
    this.#heed();  // that of before may be gone by now
    return false;
  }

  /** Request the microphone. Resolves when it runs, or when `state` says why not. */
  async start() {
    if (this.state === "on" || this.state === "asking") return;
    if (this.state === "interrupted") return void this.#context?.resume().catch(() => {});
    const attempt = ++this.#attempt;
    if (!navigator.mediaDevices?.getUserMedia) return this.#setState("insecure");
    this.#chosenLate = false;
    this.#setState("asking");
    const wanted = this.#absent ?? this.deviceId;
    try {
      const { stream, opened } = await this.#openAny(wanted);
      if (attempt !== this.#attempt) return stop(stream);
      this.#stream = stream;
      if (!this.#chosenLate) [this.deviceId, this.#absent] = [opened, opened === wanted ? null : wanted];
      const context = await this.#capture(stream);
      if (attempt !== this.#attempt) return;
      await this.#heed(true);
      if (attempt !== this.#attempt || context !== this.#context) return;  // it went away while it was opened
      this.#keeping = keepRunning(context, () => this.#heed());
      if (this.#chosenLate) await this.#useChosen(opened);
    } catch (error) {
      if (attempt !== this.#attempt) return;
      this.#release();
      this.error = error;
      const state = STATE_OF_ERROR[/** @type {Error} */ (error).name] ?? "failed";
      this.#setState(state === "denied" && microphoneForbidden() ? "forbidden" : state);
    }
  }

  /** Another device was chosen while the first one was opened. @param {string | null} opened */
  async #useChosen(opened) {
    const chosen = this.deviceId;
    this.deviceId = opened;
    if (chosen === opened) return;
    await this.use(chosen);
  }

  stop() {
    this.#attempt += 1;
    this.#release();
    this.#setState("off");
  }

  /** A muted microphone sends silence: the server measures time in audio, also for the end of turns. @param {boolean} on */
  mute(on) {
    this.muted = on;
    for (const track of this.#stream?.getAudioTracks() ?? []) track.enabled = !on;
  }

  /** @param {string | null} id */
  #open(id) {
    return navigator.mediaDevices.getUserMedia({ audio: id ? { ...this.constraints, deviceId: { exact: id } } : this.constraints });
  }

  /** This device; if it is not there, that of the browser. @param {string | null} wanted */
  async #openAny(wanted) {
    try {
      return { stream: await this.#open(wanted), opened: wanted };
    } catch (error) {
      if (!wanted || STATE_OF_ERROR[/** @type {Error} */ (error).name] !== "missing") throw error;
      return { stream: await this.#open(null), opened: null };
    }
  }

  /** The sound comes from another device. False: that cannot be opened. Null: nothing was done, it was stopped or chosen anew.
   * @param {string | null} id
   */
  async #exchange(id) {
    const change = ++this.#switch, attempt = this.#attempt;
    const overtaken = () => change !== this.#switch || attempt !== this.#attempt || !this.#context || !this.#node;
    try {
      const stream = await this.#open(id);
      if (overtaken() || !this.#context || !this.#node) return stop(stream), null;
      this.#replace(stream, this.#context, this.#node);
      return true;
    } catch (error) {
      if (change !== this.#switch) return null;
      this.error = error;
      return false;
    }
  }

  /** @param {MediaStream} stream */
  #follow(stream) {
    const [track] = stream.getAudioTracks();
    track.enabled = !this.muted;
    track.onended = track.onmute = track.onunmute = () => void this.#heed();  // a phone call takes the device away for a while
  }

  /**
   * The device is gone: it makes room for the browser's choice. Without another one the microphone is lost, or denied.
   * @param {MediaStreamTrack} track
   */
  async #ended(track) {
    if (this.#leaving === track) return;
    this.#leaving = track;
    const attempt = this.#attempt;
    if (!this.#chosenLate) [this.deviceId, this.#absent] = [null, this.deviceId ?? this.#absent];
    const done = await this.#exchange(null);
    if (this.#leaving === track) this.#leaving = null;
    if (done !== false || attempt !== this.#attempt) return;
    this.#release();
    this.#lostAt = performance.now();
    navigator.mediaDevices.addEventListener("devicechange", this.#plugged);
    this.#setState(STATE_OF_ERROR[/** @type {Error} */ (this.error).name] === "denied" ? "denied" : "lost");
  }

  /** A lost one is back, or there is another: go on with it. */
  async #lookForDevice() {
    const all = await this.devices();
    if (this.state !== "lost" || !all.length || performance.now() - this.#lostAt > RETURN_MS) return;
    await this.start();
  }

  /** The capture goes on with another stream.
   * @param {MediaStream} stream @param {AudioContext} context @param {AudioWorkletNode} node
   */
  #replace(stream, context, node) {
    this.#stopTracks();
    this.#source?.disconnect();
    this.#stream = stream;
    this.#follow(stream);
    this.#source = context.createMediaStreamSource(stream);
    this.#source.connect(node);
    this.#heed(this.state === "asking");
  }

  /** @param {MediaStream} stream */
  async #capture(stream) {
    this.#follow(stream);
    // Use the device's rate: some browsers reject a stream whose rate is not that of the context.
    const context = (this.#context = this.contexts.open({ latencyHint: "interactive" }));
    context.resume().catch(() => {});
    await load(context);
    if (context !== this.#context || context.state === "closed") throw new Error("The AudioContext was closed.");
    this.#node = new AudioWorkletNode(context, "realtime-capture", {
      outputChannelCount: [1], processorOptions: { rate: this.rate, frameMs: this.frameMs },
    });
    this.#node.port.onmessage = ({ data }) => {
      const detail = { pcm: new Int16Array(data.pcm), level: data.level };
      this.dispatchEvent(new CustomEvent("frame", { detail }));
    };
    // The worklet outputs nothing; the browser only runs it if it is connected.
    this.#source = context.createMediaStreamSource(stream);
    this.#source.connect(this.#node).connect(context.destination);
    return context;
  }

  /**
   * The state is what is: sound comes, does not come for now (a phone call), or never again. Nothing is known before all is
   * opened. `opening`: the context may still need a moment to run; `keepRunning` tells when that is too long.
   * @param {boolean} [opening]
   */
  #heed(opening = false) {
    if (!this.#stream || !this.#context || !this.#source || (this.state === "asking" && !opening)) return;
    const [track] = this.#stream.getAudioTracks();
    if (track.readyState === "ended") return this.#ended(track);
    this.#setState((opening || this.#context.state === "running") && !track.muted ? "on" : "interrupted");
  }

  #release() {
    this.#keeping?.();
    this.#keeping = null;
    this.#stopTracks();
    this.#source?.disconnect();  // a shared context lives on
    if (this.#node) {
      this.#node.port.onmessage = null;
      this.#node.port.postMessage("stop");
      this.#node.disconnect();
    }
    if (this.#context) this.contexts.close(this.#context).catch(() => {});
    this.#stream = this.#context = this.#node = this.#source = null;
  }

  #stopTracks() {
    for (const track of this.#stream?.getTracks() ?? []) {
      track.onended = track.onmute = track.onunmute = null;
      track.stop();
    }
  }

  /** @param {MicrophoneState} state */
  #setState(state) {
    if (state === this.state) return;
    if (state !== "lost") navigator.mediaDevices?.removeEventListener("devicechange", this.#plugged);
    this.state = state;
    this.dispatchEvent(new CustomEvent("state", { detail: state }));
  }
}
