// What the person has chosen: kept in this browser, read from the address of the page, written into a shared address, and
// turned into fields of the session. No document. Null means: as the server has it.

import { beginning } from "../sdk/beginning.js";
import { languageIn } from "../widget/languages.js";
import { lasting } from "./storing.js";

const KEPT = "realtime.choices";
const MAX_CHARACTERS = 4000;  // of instructions in an address
const text = (most) => (value) => (typeof value === "string" && value.trim() ? beginning(value, most) : null);
const oneOf = (...values) => (value) => (values.includes(value) ? value : null);
const speed = (value) => {
  const number = Number(value);
  return value !== null && value !== "" && number >= 0.5 && number <= 1.5 ? number : null;
};
const flag = (value) => (value === false || value === "off" ? false : null);  // true is the default

// How each choice is read, whatever a storage or an address holds. `shared`: it may stand in an address.
const CHOICES = {
  voice: { read: text(256), shared: true },
  language: { read: (value) => (/^[a-z]{2,3}$/.test(value ?? "") ? value : null), shared: true },
  speed: { read: speed, shared: true },
  interruption: { read: flag, shared: true },
  eagerness: { read: oneOf("low", "medium", "high"), shared: true },
  instructions: { read: text(MAX_CHARACTERS), shared: true, speaks: true },
  greeting: { read: text(500), shared: true, speaks: true },
  lang: { read: languageIn, shared: true },  // of the page, not of the session
  microphone: { read: text(256) },
  speaker: { read: text(256) },
};

export class Choices extends EventTarget {
  /** `address`: of the page. Event: `change` with the name of the choice, or null for all. */
  constructor(address) {
    super();
    this.fromAddress = readAll(Object.fromEntries(new URL(address).searchParams), ({ shared }) => shared);
    this.#kept = readAll(parsed(lasting.get(KEPT)));
    this.#values = { ...this.#kept, ...this.fromAddress };
  }

  #kept; #values;

  get(name) {
    return this.#values[name] ?? null;
  }

  /** Only what the person changes is kept: what an address has set counts for this visit. */
  set(name, value) {
    const read = CHOICES[name].read(value);
    if (read === this.get(name)) return;
    for (const values of [this.#kept, this.#values]) {
      if (read === null) delete values[name];
      else values[name] = read;
    }
    delete this.fromAddress[name];
    lasting.set(KEPT, JSON.stringify(this.#kept));
    this.dispatchEvent(new CustomEvent("change", { detail: name }));
  }

  reset() {
    this.#kept = {};
    this.#values = {};
    this.fromAddress = {};
    lasting.remove(KEPT);
    this.dispatchEvent(new CustomEvent("change", { detail: null }));
  }

  /** What the address makes the assistant say or do: the person has to see it. */
  get foreignWords() {
    return Object.keys(CHOICES).filter((name) => CHOICES[name].speaks && this.fromAddress[name])
      .map((name) => ({ name, text: this.fromAddress[name] }));
  }

  /** The page's address without what no longer counts: else a reload would bring back what the person has changed. */
  address(current) {
    const url = new URL(current);
    const over = Object.keys(CHOICES).filter((name) => url.searchParams.has(name) && !(name in this.fromAddress));
    for (const name of over) url.searchParams.delete(name);
    return over.length ? url.href : current;
  }

  /** The page's address with what may be shared: no devices. */
  link(address) {
    const url = new URL(address);
    url.hash = "";
    for (const [name, { shared }] of Object.entries(CHOICES)) {
      const value = this.get(name);
      if (shared && value !== null) url.searchParams.set(name, value === false ? "off" : String(value));
      else url.searchParams.delete(name);
    }
    return url.href;
  }

  /** The fields of a `session.update`. `all`: also those that go back to the server's default. */
  session({ all = false } = {}) {
    const [voice, speed, language, eagerness] = ["voice", "speed", "language", "eagerness"].map((name) => this.get(name));
    const given = (fields) => Object.fromEntries(Object.entries(fields).filter(([, value]) => all || value !== null));
    const output = given({ voice, speed });
    const input = {
      turn_detection: { type: "semantic_vad", ...(eagerness && { eagerness }), ...(this.get("interruption") === false && { interrupt_response: false }) },
      ...((language || all) && { transcription: language ? { language } : {} }),
    };
    return { ...given({ instructions: this.get("instructions") }), audio: { input, ...(Object.keys(output).length && { output }) } };
  }
}

function readAll(values, wanted = () => true) {
  const read = Object.entries(CHOICES).filter(([, choice]) => wanted(choice))
    .map(([name, choice]) => [name, choice.read(values?.[name] ?? null)]);
  return Object.fromEntries(read.filter(([, value]) => value !== null));
}

function parsed(json) {
  try { return JSON.parse(json); } catch { return null; }
}
