// The speaker of the page: owns an AudioContext and the player worklet, moves buffers to it, and turns its
// reports into what the listener has heard, device latency included. Knows nothing of the wire.

const OPEN_FLUSH_MS = 150;  // a suspended context may never answer; then the last report stands

export class Player extends EventTarget {
  constructor({ rate = 24000 } = {}) {  // Hertz
    super();
    this.rate = rate;
    this.context = null;
    this.node = null;
    this.output = null;  // a GainNode: everything that is heard passes it
    this.parts = new Map();  // key -> {heardMs, handedMs, receivedMs, done}
    this.underruns = 0;
    this.#reset();
  }

  #waiting; #flushes; #nextFlush; #opening;

  #reset() {
    this.#waiting = [];
    this.#flushes = new Map();
    this.#nextFlush = 1;
    this.#opening = null;
  }

  /** Begin the audio context. Call it first inside a click or key press: browsers insist. */
  open() {
    this.#opening ??= this.#start().catch((error) => {
      this.#opening = null;  // the server may have been away: the next open() tries again
      this.context?.close().catch(() => {});
      this.context = null;
      throw error;
    });
    if (this.context?.state === "suspended") this.context.resume().catch(() => {});
    return this.#opening;
  }

  async #start() {
    this.context = new AudioContext({ sampleRate: this.rate, latencyHint: "interactive" });
    this.context.resume().catch(() => {});
    await this.context.audioWorklet.addModule(new URL("./worklets/player.js", import.meta.url));
    this.node = new AudioWorkletNode(this.context, "realtime-player", {
      numberOfInputs: 0, outputChannelCount: [1], processorOptions: { rate: this.rate },
    });
    this.node.port.onmessage = ({ data }) => (data.type === "flushed" ? this.#flushed(data) : this.#report(data));
    this.output = new GainNode(this.context);
    this.node.connect(this.output).connect(this.context.destination);
    for (const [message, transfer] of this.#waiting.splice(0)) this.node.port.postMessage(message, transfer);
  }

  /** True while something received has not been heard yet. */
  get playing() {
    for (const part of this.parts.values()) if (!(part.done && part.heardMs >= part.receivedMs)) return true;
    return false;
  }

  /** What the listener has heard of a part, in ms. */
  heardMs(key) {
    return this.parts.get(key)?.heardMs ?? 0;
  }

  /** Play PCM16 samples after everything that was pushed before. */
  push(key, pcm) {
    if (!pcm.length) return;
    const part = this.#part(key);
    part.receivedMs += (pcm.length * 1000) / this.rate;
    const copy = pcm.slice().buffer;
    this.#post({ type: "audio", key, pcm: copy }, [copy]);
  }

  /** Nothing more will come for this part. */
  end(key) {
    if (this.parts.has(key)) this.#post({ type: "end", key });
  }

  /** Silence, within one quantum. Resolves to [{key, playedMs, receivedMs}] of the parts that were cut. */
  flush() {
    if (!this.node) return Promise.resolve(this.#abandon());
    const id = this.#nextFlush++;
    return new Promise((resolve) => {
      const giveUp = setTimeout(() => this.#flushed({ id, cut: this.#unplayed() }), OPEN_FLUSH_MS);
      this.#flushes.set(id, { resolve, giveUp });
      this.#post({ type: "flush", id });
    });
  }

  async close() {
    await this.#opening?.catch(() => {});
    const { context } = this;
    if (this.node) this.node.port.onmessage = null;
    this.context = this.node = this.output = null;
    this.parts.clear();
    this.#reset();
    if (context && context.state !== "closed") await context.close();
  }

  #part(key) {
    if (!this.parts.has(key)) this.parts.set(key, { heardMs: 0, handedMs: 0, receivedMs: 0, done: false });
    return this.parts.get(key);
  }

  #post(message, transfer = []) {
    if (this.node) this.node.port.postMessage(message, transfer);
    else this.#waiting.push([message, transfer]);
  }

  #unplayed() {
    return [...this.parts]
      .filter(([, part]) => !part.done)
      .map(([key, part]) => ({ key, playedMs: part.handedMs, receivedMs: part.receivedMs }));
  }

  #abandon() {
    const cut = this.#unplayed();
    this.#waiting = [];
    this.parts.clear();
    return cut;
  }

  #flushed({ id, cut }) {
    const flush = this.#flushes.get(id);
    if (!flush) return;
    this.#flushes.delete(id);
    clearTimeout(flush.giveUp);
    for (const { key, playedMs } of cut) {
      Object.assign(this.#part(key), { heardMs: playedMs, receivedMs: playedMs, handedMs: playedMs, done: true });
    }
    flush.resolve(cut);
  }

  #report({ parts, level, underruns }) {
    const latencyMs = (this.context.outputLatency || this.context.baseLatency || 0) * 1000;
    this.underruns = underruns;
    const alive = new Set();
    for (const { key, receivedMs, handedMs, sinceMs, done } of parts) {
      const part = this.#part(key);
      alive.add(key);
      part.handedMs = handedMs;
      part.done = done;
      if (done) part.receivedMs = receivedMs;
      part.heardMs = Math.max(part.heardMs, handedMs - Math.max(0, latencyMs - sinceMs));
    }
    for (const [key, part] of this.parts) if (part.done && !alive.has(key)) this.parts.delete(key);
    this.dispatchEvent(new CustomEvent("progress", { detail: { level, parts: this.parts } }));
  }
}
