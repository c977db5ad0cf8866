// @ts-check
// Connects the protocol and the player: assigns audio to parts, and reports to the server what was heard.
// With the `playback` extension it reports continuously; without it, by one truncate at an interruption.

import { fromBase64 } from "./framing.js";
import { isHeard } from "./player.js";

/** @import { ProtocolEvent } from "./types.js" */
/** @import { Playing } from "./resuming.js" */
/** @typedef {import("./player.js").Player} Player */
/** @typedef {{ ms: number, at: number, drained: boolean }} Acknowledgement `ms` of the part were heard, told `at`. */

const ACK_EVERY_MS = 200;
/** @type {(event: Record<string, any>) => string} */
const keyOf = ({ item_id, content_index = 0 }) => `${content_index}:${item_id}`;
const partOf = (/** @type {string} */ key) => {
  const colon = key.indexOf(":");
  return { item_id: key.slice(colon + 1), content_index: Number(key.slice(0, colon)) };
};

export class ResponseAudio {
  /** @type {Map<number, string>} */ streams = new Map();        // binary stream number -> key
  /** @type {Set<string>} */ open = new Set();                   // keys of parts that were added and are not done
  /** @type {Set<string>} */ flushed = new Set();                // keys of flushed parts: their later audio is dropped
  /** @type {Set<string>} */ earlier = new Set();                // keys of a session before, which may still sound
  /** @type {Map<string, Acknowledgement>} */ acks = new Map();  // the last one of each key
  /** @type {Map<string, number>} */ stopped = new Map();        // key -> ms, where the server has not said what counts

  /**
   * `send` returns whether the server gets the event. `session`: returns the last session object from the server. `cut` is
   * told where a part was stopped if no server says what of it counts: it does not hear of it, or is gone before it says so.
   * @param {{ player: Player, send: (event: ProtocolEvent) => boolean, session: () => Record<string, any> | null,
   *   cut?: (event: ProtocolEvent) => unknown }} parts
   */
  constructor({ player, send, session, cut = () => {} }) {
    this.player = player;
    this.send = send;
    this.cut = cut;
    this.session = session;
    this.reset();
    player.addEventListener("progress", () => this.#acknowledge());
  }

  /** Start with a new session: no more audio of the old one will come, and what there is of a part is all of it. */
  reset() {
    this.settle();
    for (const key of this.open) this.player.end(key);
    this.earlier = new Set(this.player.parts.keys());
    for (const each of [this.streams, this.open, this.flushed, this.acks]) each.clear();
    this.player.setGain(0);
  }

  /** The server says nothing more: what was stopped counts to there. */
  settle() {
    for (const [key, audio_end_ms] of this.stopped) this.#cut(key, audio_end_ms);
    this.stopped.clear();
  }

  get acknowledges() {
    return (this.session()?.extensions ?? []).includes("playback");
  }

  /** What of this session's answers is playing: of a session before, the server knows nothing. @returns {Playing | null} */
  get playing() {
    const playing = [...this.player.parts].find(([key, part]) => !this.earlier.has(key) && !isHeard(part));
    if (!playing) return null;
    const [key, { heardMs, receivedMs }] = playing;
    return { item_id: partOf(key).item_id, played_ms: heardMs, received_ms: receivedMs };
  }

  /**
   * Handle a server event. For an interruption, the promise resolves when the player has stopped.
   * @param {ProtocolEvent} event
   * @returns {void | Promise<unknown>}
   */
  handle(event) {
    switch (event.type) {
      case "session.created": return this.reset();
      case "session.resumed": return event.restored ? this.player.setGain(0) : undefined;  // this server has lowered nothing
      case "response.content_part.added": return this.#partAdded(event);
      case "response.output_audio.delta": return this.#push(keyOf(event), fromBase64(event.delta));
      case "response.output_audio.done": return this.#finish(keyOf(event));
      case "input_audio_buffer.speech_started": return this.#mayInterrupt() ? this.interrupt() : undefined;
      case "output_audio_buffer.cleared": return this.interrupt();
      case "conversation.item.truncated":  // the rest does not count, or comes again
        this.stopped.delete(keyOf(event));
        return this.player.trim(keyOf(event), event.audio_end_ms);
      case "output_audio_buffer.gain_changed": return this.player.setGain(event.gain_db);
    }
  }

  /** @param {{ stream: number, pcm: Int16Array, end: boolean }} frame */
  handleFrame({ stream, pcm, end }) {
    const key = this.streams.get(stream);
    if (!key) return;
    this.#push(key, pcm);
    if (end) {
      this.streams.delete(stream);
      this.#finish(key);
    }
  }

  /** Stop playing, and report how much of each unfinished part was heard. Resolves when that is done. */
  async interrupt() {
    const open = new Set([...this.open].filter((key) => !this.flushed.has(key)));
    const active = [...this.player.parts].filter(([, part]) => !part.done).map(([key]) => key);
    for (const key of [...open, ...active]) this.flushed.add(key);
    const flushed = await this.player.flush();
    const reported = new Set(flushed.map(({ key }) => key));
    for (const { key, playedMs } of flushed) this.#report(key, Math.floor(playedMs));
    if (this.acknowledges) for (const key of open) if (!reported.has(key)) this.#report(key, 0);
  }

  /** @param {ProtocolEvent} event */
  #partAdded({ stream, part, ...event }) {
    if (part.type !== "audio") return;
    const key = keyOf(event);
    this.open.add(key);
    if (stream !== undefined) this.streams.set(stream, key);
  }

  /** @param {string} key @param {Int16Array} pcm */
  #push(key, pcm) {
    if (!this.flushed.has(key)) this.player.push(key, pcm);
  }

  /** @param {string} key */
  #finish(key) {
    this.open.delete(key);
    this.player.end(key);
  }

  #mayInterrupt() {
    return this.session()?.audio?.input?.turn_detection?.interrupt_response !== false;
  }

  /** @param {string} key @param {number} ms */
  #report(key, ms) {
    const part = partOf(key);
    this.acks.delete(key);
    const told = !this.earlier.has(key) && this.send(this.acknowledges
      ? { type: "output_audio_buffer.played", ...part, played_ms: ms, state: "flushed" }
      : { type: "conversation.item.truncate", ...part, audio_end_ms: ms });
    if (told) this.stopped.set(key, ms);
    else this.#cut(key, ms);
  }

  /** @param {string} key @param {number} audio_end_ms */
  #cut(key, audio_end_ms) {
    this.cut({ type: "conversation.item.truncated", ...partOf(key), audio_end_ms });
  }

  #acknowledge() {
    if (!this.acknowledges) return;
    for (const [key, part] of this.player.parts) {
      if (this.flushed.has(key) || this.earlier.has(key) || part.heardMs <= 0) continue;
      const drained = isHeard(part);
      const last = this.acks.get(key);
      if (last?.drained || (!drained && last && performance.now() - last.at < ACK_EVERY_MS)) continue;
      const played_ms = Math.floor(part.heardMs);
      if (last && !drained && last.ms === played_ms) continue;
      this.acks.set(key, { ms: played_ms, at: performance.now(), drained });
      const state = drained ? "drained" : "playing";
      this.send({ type: "output_audio_buffer.played", ...partOf(key), played_ms, state });
    }
  }
}
