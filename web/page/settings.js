// The settings sheet: a dialog at the side of the page. Loaded when it is first opened. Each change counts at once; the
// parts for voices and for devices are in files of their own.

import { copy } from "./copying.js";
import { DevicePickers } from "./device_pickers.js";
import { button, element } from "./elements.js";
import { OFFERED, language, setText } from "./language.js";
import { languageNames } from "./panel_texts.js";
import { VoicePicker } from "./voice_picker.js";

export class SettingsSheet {
  /** `conversation`: an element with what belongs to the conversation, or null. */
  constructor(dialog, { choices, offers, voice, conversation }) {
    Object.assign(this, { dialog, choices, offers });
    this.controls = [];  // functions that show the choice again
    this.voices = new VoicePicker({ choices, offers });
    this.devices = new DevicePickers({ choices, voice });
    dialog.append(
      element("header", {}, element("h2", { id: "settings-title", "data-text": "settings.title" }),
        button(null, () => dialog.close(), { className: "close", textContent: "×", "data-label": "settings.close" })),
      this.#talkPart(), this.voices.element, this.#answerPart(), this.devices.element,
      ...(conversation ? [conversation.element] : []), this.#pagePart(), this.#foot());
    choices.addEventListener("change", () => this.#show());
    language.addEventListener("change", () => this.#offer());
    dialog.addEventListener("close", () => { this.devices.stop(); this.voices.stop(); });
    this.conversation = conversation;
  }

  #found = {};

  async open() {
    this.#show();
    this.dialog.showModal();
    this.devices.list();
    this.#found = await this.offers.read();
    this.#offer();
  }

  /** What the server offers, in the language of the page. */
  #offer() {
    this.#offerLanguages();
    this.voices.offer(this.#found);
    this.conversation?.offer(this.#found);
    this.#show();
  }

  #talkPart() {
    const eagerness = select([["", "auto"], ["high", "high"], ["medium", "medium"], ["low", "low"]].map(([value, name]) => [value, `settings.eagerness.${name}`]));
    this.interruption = element("input", { type: "checkbox" });
    this.language = select([["", "settings.any"]]);
    this.#offerLanguages();
    this.#bind(this.language, "language");
    this.#bind(eagerness, "eagerness");
    this.interruption.addEventListener("change", () => this.choices.set("interruption", this.interruption.checked));
    this.controls.push(() => { this.interruption.checked = this.choices.get("interruption") !== false; });
    return part("settings.you",
      field("settings.language", this.language),
      field("settings.eagerness", eagerness, { help: true }),
      element("label", { className: "check" }, this.interruption, element("span", { "data-text": "settings.interruption" })));
  }

  #answerPart() {
    const speed = element("input", { type: "range", min: "0.5", max: "1.5", step: "0.05" });
    const shown = element("output");
    speed.addEventListener("input", () => { shown.value = `${Number(speed.value).toFixed(2)}×`; });
    speed.addEventListener("change", () => this.choices.set("speed", Number(speed.value) === 1 ? null : speed.value));
    this.controls.push(() => {
      speed.value = this.choices.get("speed") ?? 1;
      shown.value = `${Number(speed.value).toFixed(2)}×`;
    });
    const instructions = element("textarea", { rows: 3, maxLength: 4000, "data-hint": "settings.instructions_hint" });
    const greeting = element("input", { type: "text", maxLength: 500, "data-hint": "settings.greeting_hint" });
    this.#bind(instructions, "instructions");
    this.#bind(greeting, "greeting");
    return part("settings.answers", field("settings.speed", element("span", { className: "range" }, speed, shown)),
      field("settings.instructions", instructions, { help: true }),
      field("settings.greeting", greeting, { help: true }));
  }

  #pagePart() {
    const chosen = select([["", "settings.browser"]]);
    chosen.append(...OFFERED.map(([value, name]) => element("option", { value, lang: value, textContent: name })));
    this.#bind(chosen, "lang");
    return part("settings.page", field("settings.lang", chosen));
  }

  #foot() {
    const said = element("span", { className: "quiet", role: "status" });
    const tell = (key) => { setText(said, key); setTimeout(() => setText(said, null), 4000); };
    return element("footer", { className: "actions" }, said,
      button("settings.link", async () => tell(await copy(this.choices.link(location.href)) ? "settings.linked" : "settings.not_linked")),
      button("settings.reset", () => { this.choices.reset(); tell("settings.was_reset"); }));
  }

  #bind(control, name) {
    control.addEventListener("change", () => this.choices.set(name, control.value || null));
    this.controls.push(() => {
      if (control === document.activeElement && !control.matches("select")) return;  // somebody types
      control.value = this.choices.get(name) ?? "";
    });
  }

  #offerLanguages() {
    const { languages } = this.#found, told = Array.isArray(languages) ? languages.filter((code) => typeof code === "string") : [];
    const named = languageNames(told.length ? told : undefined);
    this.language.replaceChildren(this.language.firstElementChild,
      ...named.map(([value, textContent]) => element("option", { value, textContent })));
  }

  #show() {
    for (const show of this.controls) show();
    this.voices.show();
    this.devices.show();
  }
}

/** `options`: [[value, key of its text]]. */
const select = (options) => element("select", {}, ...options.map(([value, key]) => element("option", { value, "data-text": key })));

function part(key, ...children) {
  return element("section", { className: "part" }, element("h3", { "data-text": key }), ...children);
}

let fields = 0;

/** A label, its control, and a line that explains it. */
function field(key, control, { help = false } = {}) {
  const input = control.matches("input, select, textarea") ? control : control.querySelector("input, select, textarea");
  input.id ||= `field-${++fields}`;
  if (help) input.setAttribute("aria-describedby", `${input.id}-help`);
  return element("div", { className: "field" }, element("label", { for: input.id, "data-text": key }), control,
    help ? element("p", { className: "quiet", id: `${input.id}-help`, "data-text": `${key}_help` }) : null);
}
