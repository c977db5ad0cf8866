// The voices of the server in the settings: filtered by language and name, each with a sample to hear. Hidden where the
// server tells of no voices.

import { playOn } from "./device_tests.js";
import { button, element } from "./elements.js";
import { groupVoices } from "./offers.js";
import { languageName } from "./panel_texts.js";

const MAX_SHOWN = 400;

export class VoicePicker {
  constructor({ choices, offers }) {
    Object.assign(this, { choices, offers });
    this.text = element("input", { type: "search", placeholder: "Find a voice", "aria-label": "Find a voice" });
    this.language = element("select", { "aria-label": "Language of the voices" });
    this.list = element("div", { className: "voices", role: "radiogroup", "aria-label": "Voice" });
    this.told = element("p", { className: "quiet", role: "status" });
    for (const control of [this.text, this.language]) control.addEventListener("input", () => this.#draw());
    this.element = element("section", { className: "part", hidden: true }, element("h3", { textContent: "Voice" }),
      element("div", { className: "two" }, this.text, this.language), this.list, this.told);
  }

  #offered = {}; #sounding = null; #played = 0;

  offer(found) {
    this.#offered = found;
    const voices = Array.isArray(found.voices) ? found.voices : [];
    this.element.hidden = voices.length === 0;
    const before = this.language.value;
    const codes = [...new Set(voices.flatMap((voice) => (Array.isArray(voice?.languages) ? voice.languages : [])))].sort();
    const options = [["", "All languages"], ...codes.map((code) => [code, languageName(code)])];
    this.language.replaceChildren(...options.map(([value, textContent]) => element("option", { value, textContent })));
    const own = this.choices.get("language") ?? "";
    this.language.value = codes.includes(before || own) ? before || own : "";
    this.#draw();
  }

  show() {
    const chosen = this.choices.get("voice") ?? "";
    for (const radio of this.list.querySelectorAll("input")) radio.checked = radio.value === chosen;
  }

  /** Also a sample that is still loaded: it will not sound. */
  stop() {
    this.#played += 1;
    this.#sounding?.stop();
    this.#sounding = null;
  }

  #draw() {
    const groups = groupVoices(this.#offered.voices, { language: this.language.value, text: this.text.value });
    const name = groups.flatMap(([, voices]) => voices).find(({ id }) => id === this.#offered.default_voice)?.name ?? this.#offered.default_voice;
    const rows = [this.#row({ id: "", name: name ? `As the server has it: ${name}` : "As the server has it" })];
    let left = MAX_SHOWN;
    for (const [group, voices] of groups) {
      if (group && left > 0) rows.push(element("h4", { textContent: group.length > 3 ? group : languageName(group) }));
      rows.push(...voices.slice(0, left).map((voice) => this.#row(voice)));
      left = Math.max(0, left - voices.length);
    }
    this.list.replaceChildren(...rows);
    this.told.textContent = groups.length ? "" : "No voice fits.";
    this.show();
  }

  #row({ id, name, gender }) {
    const radio = element("input", { type: "radio", name: "voice", value: id });
    radio.addEventListener("change", () => this.choices.set("voice", id || null));
    const label = element("label", {}, radio, element("span", { textContent: name || id }),
      gender ? element("span", { className: "quiet", textContent: gender }) : null);
    const row = element("div", { className: "voice" }, label);
    if (id && this.#offered.voice_samples) {
      row.append(button("▶", (event) => this.#play(id, event.currentTarget), { className: "play", "aria-label": `Hear ${name || id}` }));
    }
    return row;
  }

  async #play(id, pressed) {
    this.stop();
    const played = this.#played;
    pressed.setAttribute("aria-busy", "true");
    const wav = await this.offers.sample(id, this.language.value);
    pressed.removeAttribute("aria-busy");
    if (played !== this.#played) return;
    if (!wav) {
      pressed.hidden = true;
      this.told.textContent = "There is no sample of this voice.";
      return;
    }
    try {
      const sounding = await playOn(this.choices.get("speaker"), () => {}, wav);
      if (played !== this.#played) return sounding.stop();
      this.#sounding = sounding;
      await sounding.ended;
    } catch {
      this.told.textContent = "The sample cannot be played.";
    }
  }
}
