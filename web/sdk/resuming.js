// What a client must remember to go on with its session on a new socket: the number of the last message that came, and
// all it has sent that the server may not have received. Pure: knows no socket and no clock (docs/wire.md 6.6).

const KEEP_S = 30;         // of microphone audio
const KEEP_EVENTS = 500;
const KEEP_BYTES = 4 << 20;  // of events
const FIRST_S = 5;         // of audio that a first session gets from before it
const ONSET_MS = 1000;     // speech that began so long before a sign of life may not have been noticed yet

/** An event that says nothing new when it comes late: it is never sent again. */
const stale = ({ type, state }) => type === "output_audio_buffer.played" && (state ?? "playing") === "playing";

export class Resuming {
  constructor({ rate = 24000 } = {}) {  // Hertz
    this.rate = rate;
    this.#reset();
  }

  #log; #end; #kept; #bytes; #events; #speech; #names = 0; #answered; #signAt; #had;

  #reset() {
    this.id = null;      // of the session that can be resumed
    this.#had = false;   // there was one
    this.lastSeq = 0;
    this.#log = [];      // {pcm} or {id, text, bytes}, in the order in which they were sent
    this.#end = 0;       // samples of the session up to the end of the log
    this.#kept = this.#bytes = this.#events = 0;  // samples, bytes and events in the log
    this.#speech = new Map();  // items of the user without text -> where they begin, in ms
    this.#answered = 0;  // where the user's last whole utterance ends, in ms
    this.#signAt = 0;    // samples sent when the server last gave a sign of life
  }

  get possible() {
    return this.id !== null;
  }

  /** A message came. False if it came before, on an older socket. */
  isNew(seq) {
    this.#signAt = this.#end;
    if (seq === undefined) return true;
    if (seq <= this.lastSeq) return false;
    this.lastSeq = seq;
    return true;
  }

  /** Parameters for the address of the new socket. `played`: {item_id, played_ms} of what is playing, or null. */
  query(played = null) {
    if (!this.possible) return {};
    const at = played ? { item_id: played.item_id, played_ms: Math.floor(played.played_ms) } : {};
    return { resume: this.id, last_seq: this.lastSeq, ...at };
  }

  /** Keep an event that is about to be sent; returns it with an id. `again`: false for one that is worth nothing later. */
  event(event, again = !stale(event)) {
    const named = event.event_id === undefined ? { ...event, event_id: `sdk_${++this.#names}` } : event;
    const text = JSON.stringify(named);
    this.#add({ id: named.event_id, text: again ? text : null, bytes: again ? text.length : 0 });
    return named;
  }

  /** Whether there is room for one more event that waits for a new socket. */
  get hasRoom() {
    return this.#events < KEEP_EVENTS && this.#bytes < KEEP_BYTES;
  }

  audio(pcm) {
    this.#end += pcm.length;
    this.#add({ pcm });
  }

  /** The server's events that say what it knows of the user's speech. */
  follow(event) {
    switch (event.type) {
      case "session.updated":
      case "session.resumed":
        if (this.possible && !(event.session.extensions ?? []).includes("resume")) this.id = null;
        break;
      case "input_audio_buffer.speech_started":
        this.#speech.set(event.item_id, event.audio_start_ms ?? 0);
        break;
      case "input_audio_buffer.speech_stopped":
        this.#answered = Math.max(this.#answered, event.audio_end_ms ?? 0);
        break;
      case "input_audio_buffer.cleared":
        this.#speech.clear();
        break;
      case "conversation.item.deleted":
      case "conversation.item.input_audio_transcription.completed":
      case "conversation.item.input_audio_transcription.failed":
        this.#speech.delete(event.item_id);
    }
  }

  /** The session goes on. Returns what it has not received: `Int16Array`s of audio and texts of events, in order. */
  resumed({ input_audio_ms, last_event_id }) {
    const begin = this.#end - this.#kept, received = this.#received(begin, input_audio_ms);
    let at = begin, done = -1, cut = 0;
    this.#log.forEach(({ pcm, id }, index) => {
      if (!pcm) {
        if (last_event_id != null && id === last_event_id) done = index;
      } else {
        if (at < received) [done, cut] = [Math.max(done, index), Math.min(pcm.length, received - at)];
        at += pcm.length;
      }
    });
    const half = this.#log[done]?.pcm && cut < this.#log[done].pcm.length ? [{ pcm: this.#log[done].pcm.slice(cut) }] : [];
    this.#keep([...half, ...this.#log.slice(done + 1)]);
    this.#end = Math.max(received, 0) + this.#kept;
    return this.#toSend();
  }

  /**
   * A new session begins, which knows nothing. Keeps the audio that it should hear: what was said and not transcribed,
   * and what the old session may not have received. Returns the ids of the user's items whose audio will be sent again.
   */
  begin(session) {
    const items = [...this.#speech.keys()], begin = this.#end - this.#kept;
    const began = !this.#had ? this.#end - FIRST_S * this.rate : this.#unheardFrom();
    let at = begin;
    const audio = this.#log.filter(({ pcm }) => {
      if (!pcm) return false;
      at += pcm.length;
      return at > began;
    });
    const repeated = this.#had ? items : [];
    this.#reset();
    this.#keep(audio);
    this.#end = this.#kept;
    if ((session.extensions ?? []).includes("resume")) [this.id, this.#had] = [session.id, true];
    return repeated;
  }

  /** The audio that was kept for a new session, which is ready for it now. It comes after the events that were sent. */
  heldBack() {
    const audio = this.#log.filter(({ pcm }) => pcm);
    this.#keep([...this.#log.filter(({ pcm }) => !pcm), ...audio]);
    return audio.map(({ pcm }) => pcm);
  }

  /** The server has ended the session; what it has not heard is kept for the next one. */
  ended() {
    this.id = null;
  }

  /** The session is over: nothing of it is needed any more. */
  forget() {
    this.#reset();
  }

  #unheardFrom() {
    const ms = (samples) => (samples * 1000) / this.rate;
    const from = this.#speech.size ? Math.min(...this.#speech.values())
      : Math.max(this.#answered, ms(this.#signAt) - ONSET_MS);
    return (from * this.rate) / 1000;
  }

  /** The server tells whole milliseconds; it has received whole messages. */
  #received(begin, ms) {
    const each = this.rate / 1000, from = ms * each;
    let at = begin, whole = at >= from && at < from + each ? at : null;
    for (const { pcm } of this.#log) {
      if (!pcm) continue;
      at += pcm.length;
      if (at >= from && at < from + each) whole = at;
    }
    return whole ?? Math.floor(from);
  }

  #toSend() {
    return this.#log.map(({ pcm, text }) => pcm ?? text).filter((each) => each !== null);
  }

  #keep(entries) {
    this.#log = [];
    this.#kept = this.#bytes = this.#events = 0;
    for (const entry of entries) this.#add(entry);
  }

  #add(entry) {
    this.#log.push(entry);
    this.#count(entry, 1);
    while (this.#kept > KEEP_S * this.rate || this.#events > KEEP_EVENTS || this.#bytes > KEEP_BYTES) this.#dropOldest();
  }

  /** Of the kind of which there is too much: a long silence of the user keeps all events, and many events all audio. */
  #dropOldest() {
    const audio = this.#kept > KEEP_S * this.rate;
    const at = this.#log.findIndex(({ pcm }) => Boolean(pcm) === audio);
    this.#count(this.#log.splice(at, 1)[0], -1);
  }

  #count({ pcm, bytes }, sign) {
    if (pcm) this.#kept += sign * pcm.length;
    else [this.#events, this.#bytes] = [this.#events + sign, this.#bytes + sign * bytes];
  }
}
