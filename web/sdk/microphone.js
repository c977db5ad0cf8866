// The microphone as PCM16 frames, and its troubles as words: every way the browser can refuse ends in a state.
// Knows nothing of the wire and shows nothing.

const STATE_OF_ERROR = {
  NotAllowedError: "denied",
  SecurityError: "denied",
  NotFoundError: "missing",
  OverconstrainedError: "missing",
  NotReadableError: "busy",
  AbortError: "busy",
  Unloaded: "unloaded",
};

/** The worklet's code comes from the server, which may be away just now: not the microphone's fault. */
async function load(context) {
  try {
    await context.audioWorklet.addModule(new URL("./worklets/capture.js", import.meta.url));
  } catch (error) {
    throw Object.assign(new Error(`The capture worklet could not be loaded: ${error.message}`), { name: "Unloaded" });
  }
}

/** Events: `state`, and `frame` with {pcm: Int16Array, level: 0…1}. */
export class Microphone extends EventTarget {
  constructor({ rate = 24000, frameMs = 20, constraints = {} } = {}) {  // Hertz
    super();
    this.rate = rate;
    this.frameMs = frameMs;
    this.constraints = {
      channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true, ...constraints,
    };
    this.state = "off";  // off asking on denied missing busy insecure lost unloaded failed
    this.muted = false;
    this.error = null;
  }

  #stream = null; #context = null; #node = null; #attempt = 0;

  /** Ask for the microphone. Resolves when it runs or when `state` says why it does not. */
  async start() {
    if (this.state === "on" || this.state === "asking") return;
    const attempt = ++this.#attempt;
    if (!navigator.mediaDevices?.getUserMedia) return this.#become("insecure");
    this.#become("asking");
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: this.constraints });
      if (attempt !== this.#attempt) return stream.getTracks().forEach((track) => track.stop());
      this.#stream = stream;
      await this.#listen(stream);
      if (attempt === this.#attempt) this.#become("on");
    } catch (error) {
      if (attempt !== this.#attempt) return;
      this.#release();
      this.error = error;
      this.#become(STATE_OF_ERROR[error.name] ?? "failed");
    }
  }

  stop() {
    this.#attempt += 1;
    this.#release();
    this.#become("off");
  }

  /** A muted microphone sends silence: the server's clock and its end-of-turn detection go on. */
  mute(on) {
    this.muted = on;
    for (const track of this.#stream?.getAudioTracks() ?? []) track.enabled = !on;
  }

  async #listen(stream) {
    const [track] = stream.getAudioTracks();
    track.enabled = !this.muted;
    track.onended = () => { this.#release(); this.#become("lost"); };
    // The device's own rate: some browsers refuse a stream whose rate differs from its context's.
    const context = (this.#context = new AudioContext({ latencyHint: "interactive" }));
    context.resume().catch(() => {});
    await load(context);
    if (context.state === "closed") return;
    this.#node = new AudioWorkletNode(context, "realtime-capture", {
      outputChannelCount: [1], processorOptions: { rate: this.rate, frameMs: this.frameMs },
    });
    this.#node.port.onmessage = ({ data }) => {
      const detail = { pcm: new Int16Array(data.pcm), level: data.level };
      this.dispatchEvent(new CustomEvent("frame", { detail }));
    };
    // The worklet writes nothing; the connection only makes the browser run it.
    context.createMediaStreamSource(stream).connect(this.#node).connect(context.destination);
  }

  #release() {
    for (const track of this.#stream?.getTracks() ?? []) {
      track.onended = null;
      track.stop();
    }
    if (this.#node) {
      this.#node.port.onmessage = null;
      this.#node.port.postMessage("stop");
      this.#node.disconnect();
    }
    if (this.#context && this.#context.state !== "closed") this.#context.close().catch(() => {});
    this.#stream = this.#context = this.#node = null;
  }

  #become(state) {
    if (state === this.state) return;
    this.state = state;
    this.dispatchEvent(new CustomEvent("state", { detail: state }));
  }
}
