// @ts-check
// Which of the user's speech is not text in the conversation yet: a new session has to hear it again. Follows what is sent
// and what the server says of it. With turn detection the server says where an utterance begins; without, the client's own
// `input_audio_buffer.commit` and `.clear` do. Pure: knows positions in the audio, and no audio.

const ONSET_MS = 1000;  // speech that began so long before a sign of life may not have been noticed yet

export const COMMIT = "input_audio_buffer.commit";
export const CLEAR = "input_audio_buffer.clear";

/** @import { ProtocolEvent } from "./types.js" */
/** @typedef {{ from: number, committed: boolean, commit: string | null }} Utterance  `commit`: the event that ended it. */

export class Unheard {
  /** @type {Map<string, Utterance>} */
  #utterances = new Map();  // items of the user without text
  /** @type {Map<string, number>} */
  #commits = new Map();  // without an answer: id of the event -> where its turn begins
  #answeredMs = 0;       // where the user's last whole utterance ends
  #signAt = 0;           // what was sent when the server last gave a sign of life
  #settingsAt = 0;       // what was sent when the client last changed settings
  #turnAt = 0;           // where the turn begins that the client has not ended
  #manual; #transcribed;

  /** Positions are samples of the session. @param {number} rate in Hertz @param {{ manual?: boolean, transcribed?: boolean }} settings */
  constructor(rate, { manual = false, transcribed = true } = {}) {
    this.rate = rate;
    this.#manual = manual;            // the client ends the turns
    this.#transcribed = transcribed;  // the server tells the texts
  }

  /** For a new session that gets the same settings. */
  fresh() {
    return new Unheard(this.rate, { manual: this.#manual, transcribed: this.#transcribed });
  }

  /** The ids of the user's items that have no text yet. */
  get items() {
    return [...this.#utterances.keys()];
  }

  /** The first sample that a new session has to hear. */
  get from() {
    const starts = [...this.#utterances.values()].map(({ from }) => from);
    if (this.#manual) return Math.min(...starts, ...this.#commits.values(), this.#turnAt);
    if (starts.length) return Math.min(...starts);
    return this.#afterAnswered(this.#signAt);
  }

  /** @param {number} at */
  #afterAnswered(at) {
    return Math.max(this.#samples(this.#answeredMs), at - this.#samples(ONSET_MS));
  }

  /** Whether a commit ended an utterance that has no text yet, or may have. @param {string} id */
  isPending(id) {
    return this.#commits.has(id) || [...this.#utterances.values()].some(({ commit }) => commit === id);
  }

  /** The server gave a sign of life when so much had been sent. @param {number} at */
  sign(at) {
    this.#signAt = at;
  }

  /** A client event was sent after so much audio. @param {string} type @param {string} id @param {number} at */
  sent(type, id, at) {
    if (type === COMMIT) this.#commits.set(id, this.#turnAt);
    if (type === COMMIT || type === CLEAR) this.#turnAt = at;
    if (type === "session.update") this.#settingsAt = at;
  }

  /** The server's events that say what it knows of the user's speech. @param {ProtocolEvent} event */
  follow(event) {
    switch (event.type) {
      case "session.updated":
      case "session.resumed":
        return this.configured(event.session ?? {});
      case "input_audio_buffer.speech_started":
        return this.#begins(event.item_id, this.#samples(event.audio_start_ms ?? 0));
      case "input_audio_buffer.speech_stopped":
        return void (this.#answeredMs = Math.max(this.#answeredMs, event.audio_end_ms ?? 0));
      case "input_audio_buffer.committed": return this.#committed(event.item_id);
      case "input_audio_buffer.cleared":
        return this.#utterances.forEach(({ committed }, id) => { if (!committed) this.#utterances.delete(id); });
      case "response.output_item.added":  // it answers them, and their text will never be told
        return this.#transcribed ? undefined : this.#utterances.clear();
      case "error": return this.#refused(event.error?.event_id);
      case "conversation.item.deleted":
      case "conversation.item.input_audio_transcription.completed":
      case "conversation.item.input_audio_transcription.failed":
        return void this.#utterances.delete(event.item_id);
    }
  }

  /** The session as the server tells it. @param {Record<string, any>} session */
  configured({ audio }) {
    const { turn_detection, transcription } = audio?.input ?? {}, manual = turn_detection === null;
    if (manual && !this.#manual) this.#turnAt = Math.max(this.#turnAt, this.#afterAnswered(this.#settingsAt));
    this.#manual = manual;
    this.#transcribed = transcription !== null;
  }

  /** @param {string} item @param {number} from @param {string | null} commit */
  #begins(item, from, commit = null) {
    this.#utterances.set(item, { from, committed: commit !== null, commit });
  }

  /** The server commits in the order of the client's commits. @param {string} item */
  #committed(item) {
    const [commit, from] = [...this.#commits][0] ?? [null, 0], known = this.#utterances.get(item);
    if (commit !== null) this.#commits.delete(commit);
    if (known) Object.assign(known, { committed: true, commit });
    else if (this.#manual && commit !== null) this.#begins(item, from, commit);
  }

  /** The audio of a commit that was refused belongs to the turn that goes on. @param {string} id */
  #refused(id) {
    const from = this.#commits.get(id);
    if (from === undefined) return;
    this.#commits.delete(id);
    if (!this.#commits.size) this.#turnAt = from;
  }

  /** @param {number} ms */
  #samples(ms) {
    return Math.floor((ms * this.rate) / 1000);
  }
}
