// @ts-check
// The two forms of a message: the binary audio frame of `realtime.bin.v1` (a header of twelve bytes, then PCM16, all
// little-endian), and an event as JSON. Knows only the layout; knows no socket and no streams.

export const SUBPROTOCOL = "realtime.bin.v1";
export const HEADER_BYTES = 12;
const VERSION = 1;
const KIND_AUDIO = 1;
const FLAG_END = 1;

/**
 * One frame as an ArrayBuffer. `startMs` is the position of the first sample in its stream.
 * @param {{ pcm: Int16Array, seq: number, startMs: number, stream?: number, end?: boolean }} frame
 */
export function encodeFrame({ pcm, seq, startMs, stream = 0, end = false }) {
  const buffer = new ArrayBuffer(HEADER_BYTES + pcm.byteLength);
  const header = new DataView(buffer);
  header.setUint8(0, VERSION);
  header.setUint8(1, KIND_AUDIO);
  header.setUint8(2, end ? FLAG_END : 0);
  header.setUint8(3, stream);
  header.setUint32(4, seq >>> 0, true);
  header.setUint32(8, startMs >>> 0, true);
  new Int16Array(buffer, HEADER_BYTES).set(pcm);
  return buffer;
}

/** The frame in `buffer`, or null if this version does not know it; the caller skips such frames. @param {ArrayBuffer} buffer */
export function decodeFrame(buffer) {
  if (buffer.byteLength < HEADER_BYTES || buffer.byteLength % 2) return null;
  const header = new DataView(buffer);
  if (header.getUint8(0) !== VERSION || header.getUint8(1) !== KIND_AUDIO) return null;
  return {
    stream: header.getUint8(3),
    seq: header.getUint32(4, true),
    startMs: header.getUint32(8, true),
    end: (header.getUint8(2) & FLAG_END) !== 0,
    pcm: new Int16Array(buffer, HEADER_BYTES),
  };
}

/** Base64 of the bytes of a typed array: audio in JSON events. @param {ArrayBufferView} view @returns {string} */
export function toBase64(view) {
  const bytes = /** @type {Uint8Array & { toBase64?: () => string }} */ (new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
  if (bytes.toBase64) return bytes.toBase64();
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x2000) {
    text += String.fromCharCode(...bytes.subarray(at, at + 0x2000));
  }
  return btoa(text);
}

/** PCM16 samples from base64; an odd last byte is dropped. @param {string} text */
export function fromBase64(text) {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length & ~1);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return new Int16Array(bytes.buffer);
}

/** An event as JSON. Half of a surrogate pair, as of an emoji that was cut, is no text: a server could not read it. @param {unknown} event @returns {string} */
export const jsonOf = (event) =>
  JSON.stringify(event, (_, value) => (typeof value === "string" ? value.replace(/\p{Surrogate}/gu, "\ufffd") : value));
