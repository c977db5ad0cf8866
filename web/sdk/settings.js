// @ts-check
// What the page has set of the session: kept, merged by the wire's rules, sent to every new session, and taken back if the
// server refuses it. Knows `session.update` and its answers; knows no socket.

/** @import { ProtocolEvent } from "./types.js" */
/** @typedef {Record<string, any>} Fields */
/** @typedef {{ fields: Fields, id: string, sent: boolean }} Entry */

const PREFIX = "settings_";  // of our event ids: an error names the update that it refuses
const FIRST = `${PREFIX}0`;  // what a new session gets at once

/** `fields` over `kept`: session, audio, audio.input and audio.output merge key by key, all deeper is replaced. @param {Fields} kept @param {Fields} fields @returns {Fields} */
export function merge(kept, fields) {
  if (!kept.audio || !fields.audio) return { ...kept, ...fields };
  const audio = { ...kept.audio, ...fields.audio };
  for (const side of ["input", "output"]) {
    if (kept.audio[side] && fields.audio[side]) audio[side] = { ...kept.audio[side], ...fields.audio[side] };
  }
  const before = kept.audio.input?.noise_reduction, after = fields.audio.input?.noise_reduction;
  if (before && after) audio.input.noise_reduction = { ...before, ...after };  // the one exception of the rules
  return { ...kept, ...fields, audio };
}

export class Settings {
  /**
   * `send`: event -> whether it was sent. `session`: () -> the last session object of the server. `tools`: () -> definitions.
   * @param {{ fields?: Fields | null, send: (event: ProtocolEvent) => boolean, session: () => Fields | null,
   *   tools?: () => Fields[] }} parts
   */
  constructor({ fields, send, session, tools = () => [] }) {
    this.send = send;
    this.session = session;
    this.tools = tools;
    this.#kept = fields ?? {};
  }

  /** @type {Entry[]} What no server has answered. */
  #waiting = [];
  /** @type {Fields} */
  #kept;
  #next = 1;
  #awaited = false; #toolsDiffer = false;  // whether an answer to FIRST is due; whether the server knows other tools

  /** All that was set, whether it was answered or not. */
  get fields() {
    return this.#waiting.reduce((all, { fields }) => merge(all, fields), this.#kept);
  }

  /** @param {Fields} fields */
  update(fields, id = `${PREFIX}${this.#next++}`) {
    const { type: _type, ...changed } = fields;  // always "realtime"
    const entry = { fields: changed, id, sent: false };
    this.#waiting.push(entry);
    this.#post(entry);
  }

  /** The functions of the page have changed: tell the session, or the next one. */
  toolsChanged() {
    const entry = { fields: { tools: this.fields.tools ?? [] }, id: `${PREFIX}${this.#next++}`, sent: false };
    this.#post(entry);
    if (entry.sent) this.#waiting.push(entry);
    this.#toolsDiffer = !entry.sent;
  }

  /** Send all of it to a new session. `more`: fields of this session only. @param {Fields} more */
  configure(more = {}) {
    const all = merge(this.#kept, more);
    if (this.tools().length || all.tools) all.tools = this.#offered(all);
    this.#toolsDiffer = false;
    this.#awaited = Object.keys(all).length > 0;
    if (this.#awaited) this.send({ type: "session.update", event_id: FIRST, session: { type: "realtime", ...all } });
    for (const entry of this.#waiting) this.#post(entry);  // each alone: one that is refused takes no other with it
  }

  /** Follow the server's answers. After `session.resumed` the session gets what was set while the line was down. @param {ProtocolEvent} event */
  handle({ type, error }) {
    if (type === "session.resumed") this.#resumed();
    if (type === "session.updated") this.#confirmed();
    if (type !== "error" || !error?.event_id) return;
    if (error.event_id === FIRST) this.#awaited = false;
    this.#waiting = this.#waiting.filter(({ id }) => id !== error.event_id);
  }

  /** The value at a path: what was set and is not answered yet, else what the server has confirmed, else what was set. @param {string[]} path */
  get(...path) {
    return this.#read(path) ?? null;
  }

  /** Like `get`, but undefined where nobody has said anything. @param {string[]} path */
  #read(path) {
    const at = (/** @type {any} */ from) => path.reduce((value, key) => (value === null ? null : value?.[key]), from);
    const [latest] = this.#waiting.map(({ fields }) => at(fields)).filter((value) => value !== undefined).slice(-1);
    const known = this.session() ? at(this.session()) : undefined, kept = at(this.#kept);
    const settled = this.#awaited ? [kept, known] : [known, kept];
    return [latest, ...settled].find((value) => value !== undefined);
  }

  /**
   * Change keys of an object of `audio.input` that the wire replaces as a whole. Turn detection that is off stays off: it
   * has no keys. @param {string} name @param {Fields} keys
   */
  change(name, keys) {
    if (name === "turn_detection" && this.#read(["audio", "input", name]) === null) return;
    this.update({ audio: { input: { [name]: { ...this.get("audio", "input", name), ...keys } } } });
  }

  /** @param {Entry} entry */
  #post(entry) {
    const { fields, id } = entry;
    const tools = fields.tools ? { tools: this.#offered(merge(this.#kept, fields)) } : {};
    entry.sent = this.send({ type: "session.update", event_id: id, session: { type: "realtime", ...fields, ...tools } });
  }

  #resumed() {
    for (const entry of this.#waiting) if (!entry.sent) this.#post(entry);
    if (this.#toolsDiffer) this.toolsChanged();
  }

  /** The server answers in order. */
  #confirmed() {
    if (this.#awaited) this.#awaited = false;
    else if (this.#waiting[0]?.sent) this.#kept = merge(this.#kept, /** @type {Entry} */ (this.#waiting.shift()).fields);
  }

  /** The session's own tools and the functions of the page; of two with the same name the page's. @param {Fields} fields */
  #offered({ tools = /** @type {Fields[]} */ ([]) }) {
    const own = this.tools(), names = new Set(own.map((tool) => tool.name));
    return [...tools.filter((/** @type {Fields} */ tool) => !names.has(tool.name)), ...own];
  }
}
