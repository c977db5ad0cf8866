// @ts-check
// A bounded list of what a client has sent or will send, in order: audio and events.

export const KEEP_S = 30;  // of microphone audio
export const KEEP_EVENTS = 500;
export const KEEP_BYTES = 4 << 20;  // of events

/** An event; `text` is what to send again: null, if it would be worth nothing later. @typedef {{ pcm?: undefined, type: string, id: string, text: string | null }} KeptEvent */
/** @typedef {{ pcm: Int16Array, type?: undefined } | KeptEvent} Entry */

export class Kept {
  /** @type {Entry[]} */
  entries = [];
  samples = 0;
  #events = 0; #bytes = 0;

  /** @param {number} rate in Hertz @param {number} seconds of audio that are kept at most */
  constructor(rate, seconds = KEEP_S) {
    this.maxSamples = rate * seconds;
  }

  /** What is worth sending: audio, and texts of events. */
  get worthSending() {
    return this.entries.map(toSend).filter((each) => each !== null);
  }

  /** Keep these, and only these. @param {Entry[]} entries */
  set(entries) {
    this.entries = [];
    this.samples = this.#events = this.#bytes = 0;
    for (const entry of entries) this.add(entry);
  }

  /** @param {Entry} entry */
  add(entry) {
    this.entries.push(entry);
    this.#count(entry, 1);
    while (this.samples > this.maxSamples || this.#events > KEEP_EVENTS || this.#bytes > KEEP_BYTES) this.#dropOldest();
  }

  /** Of the kind of which there is too much: a long silence of the user keeps all events, and many events all audio. */
  #dropOldest() {
    const audio = this.samples > this.maxSamples;
    const at = this.entries.findIndex(({ pcm }) => Boolean(pcm) === audio);
    this.#count(this.entries.splice(at, 1)[0], -1);
  }

  /** @param {Entry} entry @param {1 | -1} sign */
  #count(entry, sign) {
    if (entry.pcm) this.samples += sign * entry.pcm.length;
    else [this.#events, this.#bytes] = [this.#events + sign, this.#bytes + sign * (entry.text?.length ?? 0)];
  }
}

/** @param {Entry} entry */
export const toSend = (entry) => entry.pcm ?? entry.text;
