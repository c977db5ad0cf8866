// @ts-check
// Runs in the audio thread: receives PCM16 over the port, plays it, and regularly reports the progress of each part.
// All rules are in sample_queue.js.

import { SampleQueue } from "../sample_queue.js";
import { Resampler } from "../resampler.js";

const REPORT_MS = 25;

class PlayerProcessor extends AudioWorkletProcessor {
  /** @param {{ processorOptions: { rate: number } }} options */
  constructor({ processorOptions: { rate } }) {
    super();
    this.rate = rate;  // of the received PCM, in Hertz; `sampleRate` is that of the context
    this.queue = new SampleQueue(sampleRate);
    /** @type {Map<string, Resampler>} */
    this.resamplers = new Map();
    this.sinceReport = 0;
    this.energy = 0;
    this.idle = true;
    this.stopped = false;
    this.port.onmessage = ({ data }) => this[/** @type {"audio" | "end" | "trim" | "forget" | "flush" | "stop"} */ (data.type)](data);
  }

  /** @param {{ key: string, pcm: ArrayBuffer }} message */
  audio({ key, pcm }) {
    const samples = Float32Array.from(new Int16Array(pcm), (value) => value / 32768);
    this.queue.push(key, this.#resampler(key)?.push(samples) ?? samples);
  }

  /** @param {{ key: string }} message */
  end({ key }) {
    const tail = this.resamplers.get(key)?.drain();
    if (tail) this.queue.push(key, tail);
    this.resamplers.delete(key);
    this.queue.end(key);
  }

  /** @param {{ key: string, ms: number }} message */
  trim({ key, ms }) {
    this.resamplers.delete(key);
    this.queue.trim(key, Math.floor((ms * sampleRate) / 1000));
  }

  /** @param {{ key: string }} message */
  forget({ key }) {
    this.queue.forget(key);
  }

  /** @param {{ id: number }} message */
  flush({ id }) {
    const parts = this.queue.flush().map((part) => ({
      key: part.key, playedMs: this.#ms(part.played), receivedMs: this.#ms(part.received),
    }));
    this.resamplers.clear();
    this.port.postMessage({ type: "flushed", id, parts });
  }

  stop() {
    this.stopped = true;
  }

  /** @param {Float32Array[][]} _inputs @param {Float32Array[][]} outputs */
  process(_inputs, [[out]]) {
    if (this.stopped) return false;
    this.queue.pull(out);
    for (const sample of out) this.energy += sample * sample;
    this.sinceReport += out.length;
    if (this.sinceReport * 1000 >= REPORT_MS * sampleRate) this.#report();
    return true;
  }

  #report() {
    const parts = this.queue.report();
    const level = Math.sqrt(this.energy / this.sinceReport);
    this.sinceReport = this.energy = 0;
    if (!parts.length && this.idle) return;
    this.idle = !parts.length;
    this.port.postMessage({
      type: "report", level, underruns: this.queue.underruns,
      bufferedMs: this.#ms(this.queue.size), jitterMs: this.#ms(this.queue.jitter),
      parts: parts.map((part) => ({
        key: part.key, done: part.done,
        receivedMs: this.#ms(part.received), outputMs: this.#ms(part.output), sinceMs: this.#ms(part.since),
      })),
    });
  }

  /** @param {string} key */
  #resampler(key) {
    if (this.rate === sampleRate) return null;
    const resampler = this.resamplers.get(key) ?? new Resampler(this.rate, sampleRate);
    this.resamplers.set(key, resampler);
    return resampler;
  }

  /** @param {number} samples */
  #ms(samples) {
    return (samples * 1000) / sampleRate;
  }
}

registerProcessor("realtime-player", PlayerProcessor);
