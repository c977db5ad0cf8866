// @ts-check
// Measures a conversation: the time line of every turn, the sound, and the number of events. It is told of events, audio
// and playback by measuring.js, with times of the page's clock (performance.now), and keeps plain numbers. Knows the
// protocol's events; knows no socket, no audio, no document. `read()` is the public shape of `voice.stats()`.
//
// Server and page have different clocks. Two moments are known to both: the first audio of an answer leaves the server
// (`first_audio_sent`) and arrives here; the first acknowledgement leaves here and arrives there (`playback_started`). As
// with NTP, the middle of the two differences is the difference of the clocks, and the rest is the round trip.

/** @import { Measurements, ProtocolEvent, Turn } from "./types.js" */
/**
 * What is known of one answer, in times of the page.
 * @typedef {{ id: string, asked: { kind: "speech" | "page", at: number } | null, createdAt: number, audioAt: number | null,
 *   heardAt: number | null, acknowledgedAt: number | null, doneAt: number | null, status: string, origin: string | null,
 *   marks: Record<string, number> }} Known
 */
/** @typedef {{ underruns: number, bufferedMs: number, jitterMs: number | null }} Sound */

const MAX_TURNS = 200;

/** @type {() => Sound} */
const noSound = () => ({ underruns: 0, bufferedMs: 0, jitterMs: null });
const noEvents = () => ({ sent: 0, received: 0 });
const noUsage = () => ({ responses: 0, inputTokens: 0, cachedTokens: 0, outputTokens: 0 });

export class Stats {
  constructor({ maxTurns = MAX_TURNS } = {}) {
    this.maxTurns = maxTurns;
  }

  /** @type {Map<string, Known>} */ #turns = new Map();    // response id -> turn
  /** @type {Map<string, string>} */ #items = new Map();    // item id -> response id, of the newest turns
  /** @type {Map<number, string>} */ #streams = new Map();  // number of a binary stream -> response id
  /** @type {Known["asked"]} */ #asked = null;              // what the next answer answers
  #sound = noSound(); #wire = noEvents(); #usage = noUsage(); #resumed = 0;

  /** Another conversation begins. */
  reset() {
    for (const each of [this.#turns, this.#items, this.#streams]) each.clear();
    this.#asked = null;
    [this.#sound, this.#wire, this.#usage, this.#resumed] = [noSound(), noEvents(), noUsage(), 0];
  }

  /** A server event. @param {ProtocolEvent} event @param {{ at: number }} when */
  received(event, { at }) {
    this.#wire.received += 1;
    switch (event.type) {
      case "input_audio_buffer.speech_stopped": this.#asked = { kind: "speech", at }; break;
      case "response.created": return this.#created(event.response, at);
      case "response.output_item.added": return this.#add(this.#items, event.item?.id, event.response_id);
      case "response.content_part.added": return this.#part(event);
      case "response.output_audio.delta": return this.#arrived(event.response_id, at);
      case "response.latency.done": return this.#measured(event);
      case "response.done": return this.#done(event.response, at);
      case "session.resumed": this.#resumed += 1; break;
    }
  }

  /** A client event. @param {ProtocolEvent} event @param {{ at: number }} when */
  sent(event, { at }) {
    this.#wire.sent += 1;
    if (event.type === "response.create") this.#asked = { kind: "page", at };
    if (event.type !== "output_audio_buffer.played") return;
    const turn = this.#turnOfItem(event.item_id);
    if (turn) turn.acknowledgedAt ??= at;
  }

  /** A binary frame of audio that came. @param {{ stream: number, at: number }} one */
  frame({ stream, at }) {
    this.#arrived(this.#streams.get(stream), at);
  }

  /**
   * How far playback is. `heard`: item id -> ms heard; the other numbers replace the last ones.
   * @param {{ at: number, heard: Map<string, number> } & Partial<Sound>} report
   */
  playback({ at, heard, ...sound }) {
    Object.assign(this.#sound, sound);
    for (const [id, heardMs] of heard) {
      const turn = heardMs > 0 ? this.#turnOfItem(id) : null;
      if (turn) turn.heardAt ??= at - heardMs;
    }
  }

  /**
   * {turns, p50, p95, underruns, bufferedMs, jitterMs, requests, speculation, events, resumed}. `p50` and `p95` are of the
   * turns' `firstSoundMs`; null: nothing is known. `speculation.waste` is null: no server tells it yet. `traffic`: the bytes
   * of all messages, {sent, received}.
   * @returns {Measurements}
   */
  read(traffic = { sent: 0, received: 0 }) {
    const turns = [...this.#turns.values()].map(describe);
    const first = turns.map((turn) => turn.firstSoundMs).filter((ms) => ms !== null).sort((a, b) => a - b);
    return {
      turns, p50: percentile(first, 0.5), p95: percentile(first, 0.95), ...this.#sound,
      requests: { ...this.#usage },
      speculation: { hits: turns.filter((turn) => turn.early).length, waste: null },
      events: { ...this.#wire, bytes: { ...traffic } },
      resumed: this.#resumed,
    };
  }

  /** @param {Record<string, any> | undefined} response @param {number} at */
  #created(response, at) {
    if (!response?.id) return;
    this.#usage.responses += 1;
    if (response.conversation_id === null) return;  // out of band: no turn
    this.#turns.set(response.id, {
      id: response.id, asked: this.#asked, createdAt: at, audioAt: null, heardAt: null, acknowledgedAt: null, doneAt: null,
      status: "in_progress", origin: null, marks: {},
    });
    this.#asked = null;
    if (this.#turns.size > this.maxTurns) this.#turns.delete(oldest(this.#turns));
  }

  /** @param {ProtocolEvent} event */
  #part({ item_id, response_id, stream }) {
    this.#add(this.#items, item_id, response_id);
    if (stream !== undefined) this.#add(this.#streams, stream, response_id);
  }

  /** @template K @param {Map<K, string>} map @param {K | undefined} key @param {string} id */
  #add(map, key, id) {
    if (key === undefined) return;
    map.set(key, id);
    if (map.size > 2 * this.maxTurns) map.delete(oldest(map));
  }

  /** @param {string} id */
  #turnOfItem(id) {
    return this.#turns.get(this.#items.get(id) ?? "");
  }

  /** @param {string | undefined} id @param {number} at */
  #arrived(id, at) {
    const turn = this.#turns.get(id ?? "");
    if (turn) turn.audioAt ??= at;
  }

  /** @param {ProtocolEvent} event */
  #measured({ response_id, origin, marks }) {
    const turn = this.#turns.get(response_id);
    if (turn) Object.assign(turn, { origin: origin ?? null, marks: numbers(marks) });
  }

  /** @param {Record<string, any> | undefined} response @param {number} at */
  #done(response, at) {
    const { usage } = response ?? {};
    this.#usage.inputTokens += usage?.input_tokens ?? 0;
    this.#usage.cachedTokens += usage?.input_token_details?.cached_tokens ?? 0;
    this.#usage.outputTokens += usage?.output_tokens ?? 0;
    const turn = this.#turns.get(response?.id);
    if (turn) Object.assign(turn, { status: response?.status ?? "completed", doneAt: at });
  }
}

/** @template K @param {Map<K, any>} map */
const oldest = (map) => /** @type {K} */ (map.keys().next().value);

/** One turn for `read()`: all marks in whole ms after its origin. Those of the page begin with `page_`. @param {Known} turn @returns {Turn} */
function describe(turn) {
  const clock = clockOf(turn);
  const { origin, marks } = turn;
  const seen = { page_sent: turn.asked?.kind === "page" ? turn.asked.at : null, page_created: turn.createdAt,
    page_audio: turn.audioAt, page_sound: turn.heardAt, page_done: turn.doneAt };
  /** @type {Record<string, number>} */
  const all = { ...marks };
  for (const [name, at] of Object.entries(seen)) if (clock && at !== null) all[name] = Math.round(at + clock.offsetMs);
  return {
    response_id: turn.id, status: turn.status, origin: origin ?? clock?.origin ?? null, marks: all,
    firstSoundMs: all.page_sound ?? marks.playback_started ?? marks.first_audio_sent ?? null,
    roundTripMs: clock?.roundTripMs ?? null,
    early: marks.chat_request !== undefined && marks.turn_confirmed !== undefined && marks.chat_request < marks.turn_confirmed,
  };
}

/**
 * {offsetMs, roundTripMs, origin}: add `offsetMs` to a time of the page to get ms after the turn's origin; null: unknown.
 * @param {Known} turn @returns {{ offsetMs: number, roundTripMs: number | null, origin?: string } | null}
 */
function clockOf({ marks, audioAt, acknowledgedAt, asked }) {
  const { first_audio_sent: left, playback_started: confirmed } = marks;
  if (left !== undefined && audioAt !== null) {
    const down = left - audioAt;
    if (confirmed === undefined || acknowledgedAt === null) return { offsetMs: down, roundTripMs: null };
    const up = confirmed - acknowledgedAt;
    return { offsetMs: (down + up) / 2, roundTripMs: Math.max(0, Math.round(up - down)) };
  }
  // Without the server's marks, a turn that the page began can be measured from there.
  return asked?.kind === "page" ? { offsetMs: -asked.at, roundTripMs: null, origin: "page_sent" } : null;
}

/** @param {Record<string, number> | null | undefined} marks @returns {Record<string, number>} */
function numbers(marks) {
  return Object.fromEntries(Object.entries(marks ?? {}).filter(([, ms]) => Number.isFinite(ms)));
}

/** The value that `share` of the sorted values do not exceed; null of nothing. @param {number[]} sorted @param {number} share */
function percentile(sorted, share) {
  return sorted.length ? sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] : null;
}
