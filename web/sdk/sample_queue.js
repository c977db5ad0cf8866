// @ts-check
// The player's ring buffer of samples, each with the part it belongs to. Decides when to start, counts every sample of
// output, and discards the rest at a flush. Knows no worklet; measures time in samples.
//
// The jitter buffer is a little longer than arrivals have been late: if the audio of a part had been played from its first
// arrival on, how long would it have been missing? Audio that comes faster than it sounds is never late, and starts at once.

const JITTER_STEP_MS = 20;
const MARGIN_MS = 10;     // more than that: the next time they may be a little later
const JITTER_CAP_MS = 200;  // a longer pause is one of the voice, and waiting would not have helped
const RAMP_MS = 2;        // fades between silence and audio without a click

/** @typedef {{ key: string, base: number | null, received: number, output: number, ended: boolean, lastSample: number | null }} Part */

/** @param {Part} part */
const isDone = ({ ended, output, received }) => ended && output === received;

export class SampleQueue {
  /** @param {number} rate in Hertz @param {{ flushFade?: number, seconds?: number }} options */
  constructor(rate, { flushFade = 128, seconds = 20 } = {}) {
    this.rate = rate;
    this.flushFade = flushFade;  // samples that fade out after a flush: one quantum
    this.ring = new Float32Array(rate * seconds);
    this.head = 0;
    this.size = 0;
    /** @type {{ part: Part, samples: number }[]} */
    this.segments = [];        // in ring order
    /** @type {Map<string, Part>} */
    this.parts = new Map();
    /** @type {Part | null} */
    this.current = null;       // of the last sample of output
    this.clock = 0;            // samples of output, silence included
    this.waiting = true;
    this.waited = 0;
    this.opening = 0;          // size of the first arrival of what waits
    this.jitter = 0;           // samples that the output starts later than it could: 0 until arrivals were late
    this.latest = 0;           // the largest lateness of the current part
    this.ramp = Math.round((rate * RAMP_MS) / 1000);
    this.rampIn = 0;           // samples of the fade that is due
    this.last = 0;             // the last sample of output: silence decays from it
    this.underruns = 0;
  }

  get playing() {
    return this.size > 0;
  }

  /** @param {string} key @param {Float32Array} samples */
  push(key, samples) {
    const part = this.#part(key);
    if (part.ended || !samples.length) return;
    this.#measure(part);
    this.#reserve(samples.length);
    let tail = (this.head + this.size) % this.ring.length;
    const first = Math.min(samples.length, this.ring.length - tail);
    this.ring.set(samples.subarray(0, first), tail);
    this.ring.set(samples.subarray(first), 0);
    if (!this.size) this.opening = samples.length;
    this.size += samples.length;
    part.received += samples.length;
    const open = this.segments.at(-1);
    if (open?.part === part) open.samples += samples.length;
    else this.segments.push({ part, samples: samples.length });
  }

  /** The part is complete. @param {string} key */
  end(key) {
    const part = this.#part(key);
    part.ended = true;
    if (part.lastSample === null) part.lastSample = this.clock;
  }

  /** Fill `out` with the next samples, or with silence. @param {Float32Array} out */
  pull(out) {
    this.clock += out.length;
    if (this.waiting && !this.#start(out.length)) return this.#silence(out, 0);
    const count = Math.min(this.size, out.length);
    const first = Math.min(count, this.ring.length - this.head);
    out.set(this.ring.subarray(this.head, this.head + first));
    out.set(this.ring.subarray(0, count - first), first);
    this.#fadeIn(out, count);
    if (count) this.last = out[count - 1];
    this.#advance(count, this.clock - out.length);
    if (count < out.length) {
      this.#empty();
      this.#silence(out, count);
    }
  }

  /** Discard what waits of a part after its first `length` samples. @param {string} key @param {number} length */
  trim(key, length) {
    const part = this.parts.get(key);
    if (!part || part.received <= length) return;
    part.received = Math.max(part.output, length);
    let from = 0, to = 0, left = part.received - part.output;
    for (const segment of this.segments) {
      const { samples } = segment;
      if (segment.part === part) left -= segment.samples = Math.min(samples, left);
      if (from > to) this.#move(from, to, segment.samples);
      from += samples;
      to += segment.samples;
    }
    this.segments = this.segments.filter((segment) => segment.samples);
    this.size = to;
  }

  /** Discard all samples but one fading quantum. Returns what each unfinished part has played, in samples. */
  flush() {
    const kept = this.waiting ? 0 : Math.min(this.size, this.flushFade);
    for (let i = 0; i < kept; i++) {
      this.ring[(this.head + i) % this.ring.length] *= 1 - (i + 1) / kept;
    }
    const fading = new Map();
    let left = kept;
    for (const segment of this.segments) {
      segment.samples = Math.min(segment.samples, left);
      left -= segment.samples;
      fading.set(segment.part, (fading.get(segment.part) ?? 0) + segment.samples);
    }
    this.segments = this.segments.filter((segment) => segment.samples);
    this.size = kept;
    const flushed = [];
    for (const part of this.parts.values()) {
      const played = part.output + (fading.get(part) ?? 0);
      if (part.ended && played === part.received) continue;
      flushed.push({ key: part.key, played, received: part.received });
      Object.assign(part, { received: played, ended: true, lastSample: part.lastSample ?? this.clock });
    }
    return flushed;
  }

  /** Of each part: samples received and output, the time since the last output, and whether all of it was output. */
  report() {
    return [...this.parts.values()].map((part) => ({
      key: part.key, received: part.received, output: part.output, done: isDone(part),
      since: part.lastSample === null ? 0 : this.clock - part.lastSample,
    }));
  }

  /** Report this part no more. How late the sound is heard is not known here. @param {string} key */
  forget(key) {
    const part = this.parts.get(key);
    if (part && isDone(part)) this.parts.delete(key);
  }

  /** @param {string} key @returns {Part} */
  #part(key) {
    let part = this.parts.get(key);
    if (!part) {
      part = { key, base: null, received: 0, output: 0, ended: false, lastSample: null };
      this.parts.set(key, part);
    }
    return part;
  }

  /** How late this arrival is, against the first one of its part. @param {Part} part */
  #measure(part) {
    part.base ??= this.clock;
    const late = this.clock - part.base - part.received;
    if (late <= 0) return;
    const most = (this.rate * JITTER_CAP_MS) / 1000;
    if (this.size === 0) part.base += late;  // the listener has waited: what follows is late against that
    if (late > most) return;
    this.latest = Math.max(this.latest, late + (this.rate * MARGIN_MS) / 1000);
    this.jitter = Math.max(this.jitter, this.latest);
  }

  /** @param {number} more samples */
  #reserve(more) {
    if (this.size + more <= this.ring.length) return;
    const larger = new Float32Array(Math.max(this.ring.length * 2, this.size + more));
    const first = Math.min(this.size, this.ring.length - this.head);
    larger.set(this.ring.subarray(this.head, this.head + first));
    larger.set(this.ring.subarray(0, this.size - first), first);
    this.ring = larger;
    this.head = 0;
  }

  /** Bring samples forward, to a place before theirs; both are counted from the head. @param {number} from @param {number} to @param {number} count */
  #move(from, to, count) {
    for (let i = 0; i < count; i++) {
      this.ring[(this.head + to + i) % this.ring.length] = this.ring[(this.head + from + i) % this.ring.length];
    }
  }

  /** @param {number} length of a quantum */
  #start(length) {
    if (!this.size) return false;
    const complete = this.segments[this.segments.length - 1].part.ended;
    // What comes after the first arrival is ahead of its time: as good as waiting that long.
    if (this.size - this.opening < this.jitter && this.waited < this.jitter && !complete) {
      this.waited += length;
      return false;
    }
    this.waiting = false;
    this.waited = 0;
    this.rampIn = this.ramp;
    return true;
  }

  /** @param {number} count @param {number} clock */
  #advance(count, clock) {
    this.head = (this.head + count) % this.ring.length;
    this.size -= count;
    while (count) {
      const segment = this.segments[0];
      const taken = Math.min(count, segment.samples);
      clock += taken;
      segment.samples -= taken;
      segment.part.output += taken;
      segment.part.lastSample = clock;
      this.current = segment.part;
      count -= taken;
      if (!segment.samples) this.segments.shift();
    }
  }

  /** The buffer is empty: the end of a part that needed less makes the jitter buffer smaller, an underrun makes it larger. */
  #empty() {
    this.waiting = true;
    const step = (this.rate * JITTER_STEP_MS) / 1000;
    if (this.current?.ended) {
      this.jitter = Math.max(this.latest, this.jitter - step / 2);
      this.latest = 0;
    } else {
      this.underruns += 1;
      this.jitter = Math.max(this.jitter, step);
    }
  }

  /** @param {Float32Array} out @param {number} from */
  #silence(out, from) {
    for (let i = from; i < out.length; i++) {
      this.last = Math.abs(this.last) < 1e-4 ? 0 : this.last * (1 - 3 / this.ramp);
      out[i] = this.last;
    }
  }

  /** @param {Float32Array} out @param {number} count */
  #fadeIn(out, count) {
    for (let i = 0; i < count && this.rampIn > 0; i++, this.rampIn--) {
      out[i] *= 1 - this.rampIn / this.ramp;
    }
  }
}
