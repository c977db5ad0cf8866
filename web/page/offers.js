// What the server offers beyond a session: GET /v1/capabilities, samples of its voices, earlier conversations. An older
// server, or one that keeps these from us, has none of it: then the parts of the page that need it stay hidden.

import { within } from "../sdk/http.js";

const ANSWER_MS = 8000;

export class Offers {
  /** `headers`: () -> those with the key. */
  constructor({ headers }) {
    this.headers = headers;
  }

  /** The object of docs/wire.md, {} if there is none. Never throws. */
  async read() {
    const found = await this.#json("v1/capabilities");
    return found && typeof found === "object" && !Array.isArray(found) ? found : {};
  }

  /** WAV bytes of a short sentence in this voice, or null. */
  async sample(voice, language) {
    const query = language ? `?language=${encodeURIComponent(language)}` : "";
    return this.#get(`v1/voice_samples/${encodeURIComponent(voice)}${query}`, (answer) => answer.arrayBuffer());
  }

  /** [{id, title, updated_at}], newest first; [] if there are none. */
  async conversations() {
    const data = (await this.#json("v1/conversations"))?.data;
    const sound = (each) => typeof each?.id === "string";
    return Array.isArray(data) ? data.filter(sound).sort((a, b) => (b.updated_at ?? 0) - (a.updated_at ?? 0)) : [];
  }

  /** Null also for what is not JSON: a proxy answers for the server. */
  #json(address) {
    return this.#get(address, (answer) => answer.json());
  }

  async #get(address, read) {
    try {
      return await within(ANSWER_MS, async (signal) => {
        const answer = await fetch(address, { headers: this.headers(), signal });
        return answer.ok ? await read(answer) : null;
      });
    } catch {
      return null;
    }
  }
}

/** The voices that fit, as [[group, voices]]. `text` is a part of the name or the id; a voice without languages fits all. */
export function groupVoices(voices, { language = "", text = "" } = {}) {
  const wanted = text.trim().toLowerCase(), groups = new Map();
  for (const voice of Array.isArray(voices) ? voices : []) {
    if (typeof voice?.id !== "string") continue;
    const languages = Array.isArray(voice.languages) ? voice.languages : [];
    if (language && languages.length && !languages.includes(language)) continue;
    if (wanted && !`${voice.name ?? ""} ${voice.id}`.toLowerCase().includes(wanted)) continue;
    const group = voice.kind && voice.kind !== "system" ? voice.kind : languages[0] ?? "";
    groups.set(group, [...(groups.get(group) ?? []), voice]);
  }
  const own = (name) => (["cloned", "designed"].includes(name) ? 0 : name ? 1 : 2);
  return [...groups].sort(([a], [b]) => own(a) - own(b) || a.localeCompare(b));
}
