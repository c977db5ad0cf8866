// The voices of the server in the settings: filtered by language and name, each with a sample to hear. Hidden where the
// server tells of no voices.

import { playOn } from "./device_tests.js";
import { button, element } from "./elements.js";
import { setText, textOf } from "./language.js";
import { groupVoices } from "./offers.js";
import { languageName } from "./panel_texts.js";

const MAX_SHOWN = 400;

export class VoicePicker {
  constructor({ choices, offers }) {
    Object.assign(this, { choices, offers });
    this.text = element("input", { type: "search", "data-hint": "voice.find", "data-label": "voice.find" });
    this.language = element("select", { "data-label": "voice.language" });
    this.list = element("div", { className: "voices", role: "radiogroup", "data-label": "voice.title" });
    this.told = element("p", { className: "quiet", role: "status" });
    for (const control of [this.text, this.language]) control.addEventListener("input", () => this.#draw());
    this.element = element("section", { className: "part", hidden: true }, element("h3", { "data-text": "voice.title" }),
      element("div", { className: "two" }, this.text, this.language), this.list, this.told);
  }

  #offered = {}; #sounding = null; #played = 0;

  offer(found) {
    this.#offered = found;
    const voices = Array.isArray(found.voices) ? found.voices : [];
    this.element.hidden = voices.length === 0;
    const before = this.language.value;
    const codes = [...new Set(voices.flatMap((voice) => (Array.isArray(voice?.languages) ? voice.languages : [])))].sort();
    const options = [["", textOf("voice.all")], ...codes.map((code) => [code, languageName(code)])];
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
    const rows = [this.#row({ id: "", name: name ? textOf("voice.default_name", { name }) : textOf("voice.default") })];
    let left = MAX_SHOWN;
    for (const [group, voices] of groups) {
      if (group && left > 0) rows.push(element("h4", { textContent: group.length > 3 ? textOf(`voice.kind.${group}`) ?? group : languageName(group) }));
      rows.push(...voices.slice(0, left).map((voice) => this.#row(voice)));
      left = Math.max(0, left - voices.length);
    }
    this.list.replaceChildren(...rows);
    setText(this.told, groups.length ? null : "voice.none");
    this.show();
  }

  #row({ id, name, gender }) {
    const radio = element("input", { type: "radio", name: "voice", value: id });
    radio.addEventListener("change", () => this.choices.set("voice", id || null));
    const label = element("label", {}, radio, element("span", { textContent: name || id }),
      gender ? element("span", { className: "quiet", textContent: textOf(`voice.gender.${gender}`) ?? gender }) : null);
    const row = element("div", { className: "voice" }, label);
    if (id && this.#offered.voice_samples) {
      row.append(button(null, (event) => this.#play(id, event.currentTarget),
        { className: "play", textContent: "▶", "data-label": "voice.hear", "data-values": JSON.stringify({ name: name || id }) }));
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
      setText(this.told, "voice.no_sample");
      return;
    }
    try {
      const sounding = await playOn(this.choices.get("speaker"), () => {}, wav);
      if (played !== this.#played) return sounding.stop();
      this.#sounding = sounding;
      await sounding.ended;
    } catch {
      setText(this.told, "voice.failed");
    }
  }
}
