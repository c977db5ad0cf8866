// The player's heart: a ring of samples with the names of the parts they belong to. Decides when to begin,
// counts every sample it hands out, and forgets the rest at a flush. Pure: no worklet, no clock but its own count.

const JITTER_STEP_MS = 20;
const JITTER_CAP_MS = 40;
const RAMP_MS = 2;        // joins silence and sound without a click
const REMEMBER_MS = 1000; // a finished part is reported this long, so that device latency can pass

export class Playout {
  constructor(rate, { flushFade = 128, seconds = 20 } = {}) {
    this.rate = rate;  // Hertz
    this.flushFade = flushFade;  // samples that still sound, fading, after a flush: one quantum
    this.ring = new Float32Array(rate * seconds);
    this.head = 0;
    this.size = 0;
    this.segments = [];        // [{part, samples}] in ring order
    this.parts = new Map();    // key -> {key, received, handed, ended, lastSample}
    this.clock = 0;            // samples of output, silence included
    this.waiting = true;
    this.waited = 0;
    this.jitter = 0;           // samples wanted before sound begins: nothing until a stream has stumbled
    this.ramp = Math.round((rate * RAMP_MS) / 1000);
    this.rampIn = 0;
    this.last = 0;             // the last sample handed out, to decay from
    this.underruns = 0;
  }

  get playing() {
    return this.size > 0;
  }

  push(key, samples) {
    const part = this.#part(key);
    if (part.ended || !samples.length) return;
    this.#reserve(samples.length);
    let tail = (this.head + this.size) % this.ring.length;
    const first = Math.min(samples.length, this.ring.length - tail);
    this.ring.set(samples.subarray(0, first), tail);
    this.ring.set(samples.subarray(first), 0);
    this.size += samples.length;
    part.received += samples.length;
    const open = this.segments.at(-1);
    if (open?.part === part) open.samples += samples.length;
    else this.segments.push({ part, samples: samples.length });
  }

  /** Nothing more will come for this part. */
  end(key) {
    const part = this.#part(key);
    part.ended = true;
    if (part.lastSample === null) part.lastSample = this.clock;
  }

  /** Fill `out` with the next samples, or with silence. */
  pull(out) {
    this.clock += out.length;
    if (this.waiting && !this.#begin(out.length)) return this.#silence(out, 0);
    const count = Math.min(this.size, out.length);
    const first = Math.min(count, this.ring.length - this.head);
    out.set(this.ring.subarray(this.head, this.head + first));
    out.set(this.ring.subarray(0, count - first), first);
    this.#fadeIn(out, count);
    if (count) this.last = out[count - 1];
    this.#advance(count, this.clock - out.length);
    if (count < out.length) {
      this.#dry();
      this.#silence(out, count);
    }
  }

  /** Forget everything unheard, letting one quantum fade. What each cut part had played, in samples. */
  flush() {
    const kept = this.waiting ? 0 : Math.min(this.size, this.flushFade);
    for (let i = 0; i < kept; i++) {
      this.ring[(this.head + i) % this.ring.length] *= 1 - (i + 1) / kept;
    }
    const will = new Map();
    let left = kept;
    for (const segment of this.segments) {
      segment.samples = Math.min(segment.samples, left);
      left -= segment.samples;
      will.set(segment.part, (will.get(segment.part) ?? 0) + segment.samples);
    }
    this.segments = this.segments.filter((segment) => segment.samples);
    this.size = kept;
    const cut = [];
    for (const part of this.parts.values()) {
      const played = part.handed + (will.get(part) ?? 0);
      if (part.ended && played === part.received) continue;
      cut.push({ key: part.key, played, received: part.received });
      Object.assign(part, { received: played, ended: true, lastSample: part.lastSample ?? this.clock });
    }
    return cut;
  }

  /** Every part that is not long finished: received, handed out, and how long ago its last sample left. */
  report() {
    const parts = [];
    for (const part of this.parts.values()) {
      const done = part.ended && part.handed === part.received;
      const since = part.lastSample === null ? 0 : this.clock - part.lastSample;
      parts.push({ key: part.key, received: part.received, handed: part.handed, since, done });
      if (done && since > (this.rate * REMEMBER_MS) / 1000) this.parts.delete(part.key);
    }
    return parts;
  }

  #part(key) {
    let part = this.parts.get(key);
    if (!part) {
      part = { key, received: 0, handed: 0, ended: false, lastSample: null };
      this.parts.set(key, part);
    }
    return part;
  }

  #reserve(more) {
    if (this.size + more <= this.ring.length) return;
    const larger = new Float32Array(Math.max(this.ring.length * 2, this.size + more));
    const first = Math.min(this.size, this.ring.length - this.head);
    larger.set(this.ring.subarray(this.head, this.head + first));
    larger.set(this.ring.subarray(0, this.size - first), first);
    this.ring = larger;
    this.head = 0;
  }

  #begin(length) {
    if (!this.size) return false;
    const complete = this.segments.at(-1).part.ended;
    if (this.size < this.jitter && this.waited < this.jitter && !complete) {
      this.waited += length;
      return false;
    }
    this.waiting = false;
    this.waited = 0;
    return true;
  }

  #advance(count, clock) {
    this.head = (this.head + count) % this.ring.length;
    this.size -= count;
    while (count) {
      const segment = this.segments[0];
      const taken = Math.min(count, segment.samples);
      clock += taken;
      segment.samples -= taken;
      segment.part.handed += taken;
      segment.part.lastSample = clock;
      this.current = segment.part;
      count -= taken;
      if (!segment.samples) this.segments.shift();
    }
  }

  /** The ring ran dry: a clean end relaxes the jitter buffer, a stumble makes it wait a little next time. */
  #dry() {
    this.waiting = true;
    const step = (this.rate * JITTER_STEP_MS) / 1000;
    if (this.current?.ended) {
      this.jitter = Math.max(0, this.jitter - step / 2);
    } else {
      this.underruns += 1;
      this.jitter = Math.min((this.rate * JITTER_CAP_MS) / 1000, this.jitter + step);
      this.rampIn = this.ramp;
    }
  }

  #silence(out, from) {
    for (let i = from; i < out.length; i++) {
      this.last = Math.abs(this.last) < 1e-4 ? 0 : this.last * (1 - 3 / this.ramp);
      out[i] = this.last;
    }
  }

  #fadeIn(out, count) {
    for (let i = 0; i < count && this.rampIn > 0; i++, this.rampIn--) {
      out[i] *= 1 - this.rampIn / this.ramp;
    }
  }
}
