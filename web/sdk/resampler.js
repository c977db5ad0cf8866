// @ts-check
// Streaming sample-rate conversion of Float32 samples with a polyphase windowed sinc. It keeps the end of the last
// block, so that blocks of any size join without an error.

const ZERO_CROSSINGS = 16;  // half width of the kernel at the lower rate: 0.7 ms of delay at 24 kHz

/** @type {(a: number, b: number) => number} */
const divisor = (a, b) => (b ? divisor(b, a % b) : a);

/** @param {number} t @param {number} cutoff @param {number} halfWidth */
function windowedSinc(t, cutoff, halfWidth) {
  if (Math.abs(t) >= halfWidth) return 0;
  const x = Math.PI * t * cutoff;
  const sinc = t === 0 ? 1 : Math.sin(x) / x;
  const phase = (Math.PI * t) / halfWidth;
  return cutoff * sinc * (0.42 + 0.5 * Math.cos(phase) + 0.08 * Math.cos(2 * phase));
}

/** The kernel of each output phase, normalized so that a constant signal keeps its value. @param {number} up @param {number} cutoff @param {number} halfWidth @param {number} taps */
function kernels(up, cutoff, halfWidth, taps) {
  return Array.from({ length: up }, (_, phase) => {
    const row = new Float32Array(taps);
    let sum = 0;
    for (let k = 0; k < taps; k++) {
      row[k] = windowedSinc(k - (taps / 2 - 1) - phase / up, cutoff, halfWidth);
      sum += row[k];
    }
    return row.map((value) => value / sum);
  });
}

export class Resampler {
  /** @param {number} fromRate in Hertz @param {number} toRate */
  constructor(fromRate, toRate) {
    const common = divisor(fromRate, toRate);
    this.up = toRate / common;
    this.down = fromRate / common;
    const cutoff = Math.min(1, toRate / fromRate) * 0.94;
    const halfWidth = Math.ceil(ZERO_CROSSINGS * Math.max(1, fromRate / toRate));
    this.taps = halfWidth * 2;
    this.rows = fromRate === toRate ? null : kernels(this.up, cutoff, halfWidth, this.taps);
    this.history = new Float32Array(halfWidth - 1);
    this.phase = 0;
  }

  /** The samples that can be computed with `input`; they lag by half the width of the kernel. @param {Float32Array} input @returns {Float32Array} */
  push(input) {
    if (!this.rows) return input;
    const line = new Float32Array(this.history.length + input.length);
    line.set(this.history);
    line.set(input, this.history.length);
    const output = new Float32Array(Math.ceil(((line.length + 1) * this.up) / this.down) + 1);
    let at = 0, count = 0;
    while (at + this.taps <= line.length) {
      const row = this.rows[this.phase];
      let sum = 0;
      for (let k = 0; k < this.taps; k++) sum += row[k] * line[at + k];
      output[count++] = sum;
      this.phase += this.down;
      at += Math.floor(this.phase / this.up);
      this.phase %= this.up;
    }
    this.history = line.slice(at);
    return output.subarray(0, count);
  }

  /** The remaining samples, as if silence followed. */
  drain() {
    return this.rows ? this.push(new Float32Array(this.taps / 2)) : new Float32Array(0);
  }
}
