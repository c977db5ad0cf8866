// @ts-check
// What a client must remember to go on with its session on a new socket: the number of the last message that came, and
// all it has sent that the server may not have received. Holds the user's speech back until a new session knows the
// conversation before it. Pure: knows no socket and no clock (docs/wire.md 6.6).

import { jsonOf } from "./framing.js";
import { KEEP_BYTES, KEEP_EVENTS, KEEP_S, Kept } from "./kept.js";
import { CLEAR, COMMIT, Unheard } from "./unheard.js";

const FIRST_S = 5;  // of audio that a first session gets from before it
const ASK = "response.create";

/** @import { Entry } from "./kept.js" */
/** @import { ProtocolEvent } from "./types.js" */
/** How much of an item was played, and how much has arrived. @typedef {{ item_id: string, played_ms: number, received_ms: number }} Playing */

/** An event that says nothing new when it comes late: it is never sent again. @param {ProtocolEvent} event */
const stale = ({ type, state }) => type === "output_audio_buffer.played" && (state ?? "playing") === "playing";

export class Resuming {
  /** @type {string | null} */
  id = null;       // of the session that can be resumed
  lastSeq = 0;
  holding = true;  // speech waits for a session that is ready for it
  #had = false;    // there was a session that could be resumed
  #end = 0;        // samples of the session up to the end of the log
  #late = { events: 0, bytes: 0 };  // sent by the client since there is no socket
  #names = 0; #log; #held; #unheard;

  constructor({ rate = 24000 } = {}) {  // Hertz
    this.rate = rate;
    this.#log = new Kept(rate);            // what was sent, in order
    this.#held = new Kept(rate, FIRST_S);  // what follows when the session is ready for it
    this.#unheard = new Unheard(rate);
  }

  get possible() {
    return this.id !== null;
  }

  /** Whether there is room for one more event that waits for a new socket. */
  get hasRoom() {
    return this.#late.events < KEEP_EVENTS && this.#late.bytes < KEEP_BYTES;
  }

  /** Whether what is held asks for an answer. */
  get asksLater() {
    return this.#held.entries.some(({ pcm, type }) => !pcm && type === ASK);
  }

  /** A message came. False if it came before, on an older socket. @param {number | undefined} seq */
  isNew(seq) {
    this.#unheard.sign(this.#end);
    if (seq === undefined) return true;
    if (seq <= this.lastSeq) return false;
    this.lastSeq = seq;
    return true;
  }

  /** Parameters for the address of the new socket. `played`: what is playing. @param {Playing | null} played */
  query(played = null) {
    if (!this.possible) return {};
    const [played_ms, received_ms] = [played?.played_ms ?? 0, played?.received_ms ?? 0].map(Math.floor);
    const at = played ? { item_id: played.item_id, played_ms, received_ms } : {};
    return { resume: this.id, last_seq: this.lastSeq, ...at };
  }

  /** Whether an event has to wait behind speech that is held; it is held then, too. @param {ProtocolEvent} event */
  holds(event) {
    if (!this.holding || !this.#isSpeech(event)) return false;
    this.#held.add(this.#entry(this.#named(event)));
    return true;
  }

  /**
   * Keep an event that is about to be sent; returns it with an id. `again`: false for one that is worth nothing later.
   * `late`: there is no socket, and it has to wait.
   * @param {ProtocolEvent} event
   */
  event(event, again = !stale(event), late = false) {
    const named = this.#named(event);
    if (late && !again) return named;
    const entry = this.#entry(named, again), { events, bytes } = this.#late;
    const size = entry.pcm ? 0 : entry.text?.length ?? 0;
    this.#late = late ? { events: events + 1, bytes: bytes + size } : { events: 0, bytes: 0 };
    this.#sent(entry);
    return named;
  }

  /** Keep this audio. Whether it is to be sent now. @param {Int16Array} pcm */
  audio(pcm) {
    if (this.holding) this.#held.add({ pcm });
    else if (this.possible) this.#sent({ pcm });
    return !this.holding;
  }

  /** The server's events that say what it knows of the user's speech. @param {ProtocolEvent} event */
  follow(event) {
    if (event.type === "session.updated" || event.type === "session.resumed") {
      if (this.possible && !(event.session.extensions ?? []).includes("resume")) this.id = null;
    }
    this.#unheard.follow(event);  // not `session.created`: a new session gets the settings of the one before
  }

  /** The session goes on. Returns what it has not received: `Int16Array`s of audio and texts of events, in order. @param {ProtocolEvent} event */
  resumed({ input_audio_ms, last_event_id, restored }) {
    this.#late = { events: 0, bytes: 0 };
    if (restored) {  // another server may want audio again from before an event that it knows
      const known = this.#log.entries.findIndex((entry) => !entry.pcm && last_event_id != null && entry.id === last_event_id);
      this.#log.set(this.#log.entries.filter(({ pcm }, index) => pcm || index > known));
    }
    const log = this.#log.entries, begin = this.#end - this.#log.samples, received = this.#received(begin, input_audio_ms);
    let at = begin, done = -1, cut = 0;
    log.forEach((entry, index) => {
      if (!entry.pcm) {
        if (last_event_id != null && entry.id === last_event_id) done = index;
      } else {
        if (at < received) [done, cut] = [Math.max(done, index), Math.min(entry.pcm.length, received - at)];
        at += entry.pcm.length;
      }
    });
    const { pcm } = log[done] ?? {}, half = pcm && cut < pcm.length ? [{ pcm: pcm.slice(cut) }] : [];
    this.#log.set([...half, ...log.slice(done + 1)]);
    this.#end = Math.max(received, 0) + this.#log.samples;
    return this.#log.worthSending;
  }

  /**
   * A new session begins, which knows nothing. Holds what it should hear: what was said and not transcribed, and what the
   * old session may not have received, with the commits in their places. Returns the ids of the user's items whose audio
   * will be sent again.
   * @param {{ id?: string, extensions?: string[] }} session
   */
  begin(session) {
    const items = this.#had ? this.#unheard.items : [], held = [...this.#toHear(), ...this.#held.entries];
    const possible = (session.extensions ?? []).includes("resume"), first = !this.#had;
    this.#reset(this.#unheard.fresh(), this.#had || possible);
    if (first) this.#unheard.configured(session);
    if (possible) this.id = session.id ?? null;
    this.#held.set(held);
    return items;
  }

  /** Hold speech from now on: there is no session for it. */
  hold() {
    this.holding = true;
  }

  /** The session knows what was before: returns the speech that was held for it, which is sent now. */
  release() {
    const { entries, worthSending } = this.#held;
    this.#held.set([]);
    this.holding = false;
    if (this.possible) for (const entry of entries) this.#sent(entry);
    return worthSending;
  }

  /** The server has ended the session; what it has not heard is kept for the next one. */
  ended() {
    this.id = null;
  }

  /** The session is over: nothing of it is needed any more. */
  forget() {
    this.#reset(new Unheard(this.rate), false);
  }

  /** @param {Unheard} unheard @param {boolean} had */
  #reset(unheard, had) {
    this.id = null;
    this.lastSeq = this.#end = 0;
    this.holding = true;
    this.#had = had;
    this.#log.set([]);
    this.#held = new Kept(this.rate, had ? KEEP_S : FIRST_S);
    this.#unheard = unheard;
  }

  /** Of the user's turn: its end, and the question that follows. @param {ProtocolEvent} event */
  #isSpeech({ type }) {
    if (type === ASK) return this.#held.entries.some((entry) => !entry.pcm && entry.type === COMMIT);
    return (type === COMMIT || type === CLEAR) && this.#held.samples > 0;
  }

  /** @param {ProtocolEvent} event @returns {ProtocolEvent} */
  #named(event) {
    return event.event_id === undefined ? { ...event, event_id: `sdk_${++this.#names}` } : event;
  }

  /** @param {ProtocolEvent} event @returns {Entry} */
  #entry(event, again = true) {
    return { type: event.type, id: event.event_id, text: again ? jsonOf(event) : null };
  }

  /** @param {Entry} entry */
  #sent(entry) {
    if (entry.pcm) this.#end += entry.pcm.length;
    else this.#unheard.sent(entry.type, entry.id, this.#end);
    this.#log.add(entry);
  }

  /** What of the log a new session should hear. */
  #toHear() {
    const { from } = this.#unheard;
    let at = this.#end - this.#log.samples, any = false, committed = false;
    return this.#log.entries.filter((entry) => {
      if (entry.pcm) {
        at += entry.pcm.length;
        if (at <= from) return false;
        return (any = true);
      }
      if (entry.type === CLEAR) return any;
      if (entry.type === ASK) return committed;
      const again = entry.type === COMMIT && any && this.#unheard.isPending(entry.id);
      committed ||= again;
      return again;
    });
  }

  /** The server tells whole milliseconds; it has received whole messages. @param {number} begin @param {number} ms */
  #received(begin, ms) {
    const each = this.rate / 1000, from = ms * each;
    let at = begin, whole = at >= from && at < from + each ? at : null;
    for (const { pcm } of this.#log.entries) {
      if (!pcm) continue;
      at += pcm.length;
      if (at >= from && at < from + each) whole = at;
    }
    return whole ?? Math.floor(from);
  }
}
