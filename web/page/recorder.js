// Records both sides in the page, if the person asks: the microphone left, the answers right. What the page plays is the
// clock, silence included; the microphone's frames are put beside it. Bounded; nothing leaves the page.

import { capture } from "./capturing.js";

const MAX_MINUTES = 20;
const MAX_WAITING_MS = 300;  // of the microphone, if the clock of the output is slower

/** Event: `change`. */
export class Recorder extends EventTarget {
  constructor(voice, { maxMinutes = MAX_MINUTES } = {}) {
    super();
    this.voice = voice;
    this.rate = voice.player.rate;
    this.maxSamples = maxMinutes * 60 * this.rate;
    this.on = false;
    this.samples = 0;  // for each side
    this.full = false;
    voice.microphone.addEventListener("frame", ({ detail: { pcm } }) => { if (this.on) this.heard(pcm); });
  }

  #frames = []; #waiting = []; #end = null;

  get seconds() {
    return this.samples / this.rate;
  }

  /** Call it inside a click: it starts the sound of the page. Throws where there is no sound. Goes on after a stop. */
  async start() {
    if (this.on || this.full) return;
    this.on = true;
    try {
      this.#end = await capture(this.voice.player, (pcm) => this.played(pcm));
    } catch (error) {
      this.on = false;
      throw error;
    } finally {
      this.#changed();
    }
  }

  stop() {
    this.#end?.();
    this.#end = null;
    this.#waiting = [];
    this.on = false;
    this.#changed();
  }

  forget() {
    this.stop();
    this.#frames = [];
    this.samples = 0;
    this.full = false;
    this.#changed();
  }

  /** A frame of the microphone. */
  heard(pcm) {
    this.#waiting.push(...pcm);
    const most = (MAX_WAITING_MS * this.rate) / 1000;
    if (this.#waiting.length > most) this.#waiting.splice(0, this.#waiting.length - most);
  }

  /** A frame of what the page plays. */
  played(pcm) {
    const both = new Int16Array(2 * pcm.length), mine = this.#waiting.splice(0, pcm.length);
    for (let at = 0; at < pcm.length; at++) {
      both[2 * at] = mine[at] ?? 0;
      both[2 * at + 1] = pcm[at];
    }
    this.#frames.push(both);
    this.samples += pcm.length;
    if (this.samples % this.rate < pcm.length) this.#changed();  // once a second
    if (this.samples < this.maxSamples) return;
    this.full = true;
    this.stop();
  }

  /** A WAV file with two channels. */
  wav() {
    return new Blob([wavHeader({ rate: this.rate, channels: 2, samples: this.samples }), ...this.#frames], { type: "audio/wav" });
  }

  #changed() {
    this.dispatchEvent(new CustomEvent("change"));
  }
}

export function wavHeader({ rate, channels, samples }) {
  const view = new DataView(new ArrayBuffer(44)), bytes = samples * channels * 2;
  const write = (at, text) => [...text].forEach((letter, i) => view.setUint8(at + i, letter.charCodeAt(0)));
  write(0, "RIFF");
  view.setUint32(4, 36 + bytes, true);
  write(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, channels, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, rate * channels * 2, true);
  view.setUint16(32, channels * 2, true);
  view.setUint16(34, 16, true);
  write(36, "data");
  view.setUint32(40, bytes, true);
  return view.buffer;
}
