// Between the wire and the player: which audio belongs to which part, and telling the server what was heard.
// With the `playback` extension that is a running acknowledgement; without it, one truncate at an interruption.

import { fromBase64 } from "./framing.js";

const ACK_EVERY_MS = 200;
const keyOf = ({ item_id, content_index = 0 }) => `${content_index}:${item_id}`;
const partOf = (key) => {
  const colon = key.indexOf(":");
  return { item_id: key.slice(colon + 1), content_index: Number(key.slice(0, colon)) };
};

export class Playback {
  /** `send`: event -> void. `session`: () -> the session object as the server last echoed it. */
  constructor({ player, send, session }) {
    Object.assign(this, { player, send, session });
    this.reset();
    player.addEventListener("progress", () => this.#acknowledge());
  }

  /** A new session: nothing of the old one is on its way any more. */
  reset() {
    this.streams = new Map();  // binary stream number -> key
    this.open = new Set();     // keys announced and not finished
    this.cut = new Set();      // keys that were flushed: what still arrives for them is dropped
    this.acks = new Map();     // key -> {ms, at} of the last acknowledgement
  }

  get acknowledges() {
    return (this.session()?.extensions ?? []).includes("playback");
  }

  /** A server event, in order. Resolves when an interruption it carries has been carried out. */
  handle(event) {
    switch (event.type) {
      case "session.created": return this.reset();
      case "response.content_part.added": return this.#announced(event);
      case "response.output_audio.delta": return this.#push(keyOf(event), fromBase64(event.delta));
      case "response.output_audio.done": return this.#finish(keyOf(event));
      case "input_audio_buffer.speech_started": return this.#mayInterrupt() ? this.interrupt() : undefined;
      case "output_audio_buffer.cleared": return this.interrupt();
    }
  }

  handleFrame({ stream, pcm, end }) {
    const key = this.streams.get(stream);
    if (!key) return;
    this.#push(key, pcm);
    if (end) {
      this.streams.delete(stream);
      this.#finish(key);
    }
  }

  /** Silence now; the server learns how much of each part was heard. */
  async interrupt() {
    const open = new Set([...this.open].filter((key) => !this.cut.has(key)));
    const active = [...this.player.parts].filter(([, part]) => !part.done).map(([key]) => key);
    for (const key of [...open, ...active]) this.cut.add(key);
    const flushed = await this.player.flush();
    const sounding = new Set(flushed.map(({ key }) => key));
    for (const { key, playedMs } of flushed) this.#report(key, Math.floor(playedMs));
    if (this.acknowledges) for (const key of open) if (!sounding.has(key)) this.#report(key, 0);
  }

  #announced({ stream, part, ...event }) {
    if (part.type !== "audio") return;
    const key = keyOf(event);
    this.open.add(key);
    if (stream !== undefined) this.streams.set(stream, key);
  }

  #push(key, pcm) {
    if (!this.cut.has(key)) this.player.push(key, pcm);
  }

  #finish(key) {
    this.open.delete(key);
    this.player.end(key);
  }

  #mayInterrupt() {
    return this.session()?.audio?.input?.turn_detection?.interrupt_response !== false;
  }

  #report(key, ms) {
    const part = partOf(key);
    this.acks.delete(key);
    if (this.acknowledges) {
      this.send({ type: "output_audio_buffer.played", ...part, played_ms: ms, state: "flushed" });
    } else {
      this.send({ type: "conversation.item.truncate", ...part, audio_end_ms: ms });
    }
  }

  #acknowledge() {
    if (!this.acknowledges) return;
    for (const [key, part] of this.player.parts) {
      if (this.cut.has(key) || part.heardMs <= 0) continue;
      const drained = part.done && part.heardMs >= part.receivedMs;
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
