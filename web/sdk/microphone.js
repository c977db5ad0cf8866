// @ts-check
// The microphone as PCM16 frames. Every error of the browser becomes a state.
// Knows nothing of the protocol and shows nothing.

import { keepRunning, ownContexts } from "./audio_context.js";
import { devices, microphonePermission } from "./devices.js";

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
    /** @type {string | null} The chosen device; null: the one of the browser. */
    this.deviceId = null;
  }

  /** @type {MediaStream | null} */ #stream = null;
  /** @type {AudioContext | null} */ #context = null;
  /** @type {AudioWorkletNode | null} */ #node = null;
  /** @type {MediaStreamAudioSourceNode | null} */ #source = null;
  /** @type {(() => void) | null} */ #keeping = null;
  #attempt = 0; #switch = 0; #lostAt = 0; #plugged = () => this.#lookForDevice();

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
    const before = this.deviceId, change = ++this.#switch, attempt = this.#attempt;
    this.deviceId = deviceId;
    if (this.state !== "on" && this.state !== "interrupted") return true;
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: this.#wanted() });
      if (change !== this.#switch || attempt !== this.#attempt || !this.#context || !this.#node) {  // stopped, or chosen anew
        stream.getTracks().forEach((track) => track.stop());
        return change === this.#switch;
      }
      this.#replace(stream, this.#context, this.#node);
      return true;
    } catch (error) {
      if (change === this.#switch) [this.deviceId, this.error] = [before, error];
      return false;
    }
  }

  /** Request the microphone. Resolves when it runs, or when `state` says why not. */
  async start() {
    if (this.state === "on" || this.state === "asking") return;
    if (this.state === "interrupted") return void this.#context?.resume().catch(() => {});
    const attempt = ++this.#attempt;
    if (!navigator.mediaDevices?.getUserMedia) return this.#setState("insecure");
    this.#setState("asking");
    const opened = this.deviceId;
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: this.#wanted() });
      if (attempt !== this.#attempt) return stream.getTracks().forEach((track) => track.stop());
      this.#stream = stream;
      const context = await this.#capture(stream);
      if (attempt !== this.#attempt) return;
      this.#setState("on");
      this.#keeping = keepRunning(context, () => this.#heed());
      await this.#useChosen(opened);
    } catch (error) {
      if (attempt !== this.#attempt) return;
      this.#release();
      this.error = error;
      this.#setState(STATE_OF_ERROR[/** @type {Error} */ (error).name] ?? "failed");
    }
  }

  /** Another device was chosen while the first one was opened. @param {string | null} opened */
  async #useChosen(opened) {
    const chosen = this.deviceId;
    if (chosen === opened) return;
    this.deviceId = opened;
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

  #wanted() {
    return this.deviceId ? { ...this.constraints, deviceId: { exact: this.deviceId } } : this.constraints;
  }

  /** @param {MediaStream} stream */
  #follow(stream) {
    const [track] = stream.getAudioTracks();
    track.enabled = !this.muted;
    track.onended = () => this.#ended();
    track.onmute = track.onunmute = () => this.#heed();  // a phone call takes the device away for a while
  }

  /** The device is gone: it makes room for the browser's choice. Without another one the microphone is lost, or denied. */
  async #ended() {
    const attempt = this.#attempt;
    if ((await this.use(null)) || attempt !== this.#attempt) return;
    this.#release();
    this.#lostAt = performance.now();
    navigator.mediaDevices.addEventListener("devicechange", this.#plugged);
    this.#setState(STATE_OF_ERROR[/** @type {Error} */ (this.error).name] === "denied" ? "denied" : "lost");
  }

  /** A lost one is back, or there is another: go on with it. */
  async #lookForDevice() {
    const all = await this.devices();
    if (this.state !== "lost" || !all.length || performance.now() - this.#lostAt > RETURN_MS) return;
    if (!all.some(({ id }) => id === this.deviceId)) this.deviceId = null;
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
    this.#heed();
  }

  /** @param {MediaStream} stream */
  async #capture(stream) {
    this.#follow(stream);
    // Use the device's rate: some browsers reject a stream whose rate is not that of the context.
    const context = (this.#context = this.contexts.open({ latencyHint: "interactive" }));
    context.resume().catch(() => {});
    await load(context);
    if (context !== this.#context || context.state === "closed") return context;
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

  /** Whether sound comes now: not during a phone call. */
  #heed() {
    if (!this.#stream || !this.#context || (this.state !== "on" && this.state !== "interrupted")) return;
    const [track] = this.#stream.getAudioTracks();
    this.#setState(this.#context.state === "running" && !track.muted ? "on" : "interrupted");
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
