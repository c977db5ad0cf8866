// @ts-check
// Runs in the audio thread: sends PCM16 frames of a fixed length and rate over the port, each with its level.
// Used for the microphone, and to record the page's output.

import { Resampler } from "../resampler.js";

class CaptureProcessor extends AudioWorkletProcessor {
  /** @param {{ processorOptions: { rate: number, frameMs: number } }} options `rate` in Hertz */
  constructor({ processorOptions: { rate, frameMs } }) {
    super();
    this.resampler = new Resampler(sampleRate, rate);
    this.frame = new Float32Array((rate * frameMs) / 1000);
    this.filled = 0;
    this.running = true;
    this.port.onmessage = () => { this.running = false; };
  }

  /** @param {Float32Array[][]} inputs @param {Float32Array[][]} _outputs */
  process([channels], _outputs) {
    // An unconnected input has no channels: send silence, because the receiver measures time in audio.
    const input = channels.length ? mono(channels) : new Float32Array(128);
    const samples = this.resampler.push(input);
    for (let at = 0; at < samples.length;) {
      const count = Math.min(samples.length - at, this.frame.length - this.filled);
      this.frame.set(samples.subarray(at, at + count), this.filled);
      this.filled += count;
      at += count;
      if (this.filled === this.frame.length) this.#emit();
    }
    return this.running;
  }

  #emit() {
    const pcm = new Int16Array(this.frame.length);
    let energy = 0;
    for (let i = 0; i < pcm.length; i++) {
      const value = Math.max(-1, Math.min(1, this.frame[i]));
      pcm[i] = Math.round(value * 32767);
      energy += value * value;
    }
    this.filled = 0;
    this.port.postMessage({ pcm: pcm.buffer, level: Math.sqrt(energy / pcm.length) }, [pcm.buffer]);
  }
}

/** @param {Float32Array[]} channels @returns {Float32Array} */
function mono(channels) {
  if (channels.length === 1) return channels[0];
  return channels[0].map((_, i) => channels.reduce((sum, channel) => sum + channel[i], 0) / channels.length);
}

registerProcessor("realtime-capture", CaptureProcessor);
