// The settings sheet: a dialog at the side of the page. Loaded when it is first opened. Each change counts at once; the
// parts for voices and for devices are in files of their own.

import { copy } from "./copying.js";
import { DevicePickers } from "./device_pickers.js";
import { button, element } from "./elements.js";
import { EAGERNESS, LANGUAGES, languageName } from "./panel_texts.js";
import { VoicePicker } from "./voice_picker.js";

export class SettingsSheet {
  /** `conversation`: an element with what belongs to the conversation, or null. */
  constructor(dialog, { choices, offers, voice, conversation }) {
    Object.assign(this, { dialog, choices, offers });
    this.controls = [];  // functions that show the choice again
    this.voices = new VoicePicker({ choices, offers });
    this.devices = new DevicePickers({ choices, voice });
    dialog.append(
      element("header", {}, element("h2", { id: "settings-title", textContent: "Settings" }),
        button("×", () => dialog.close(), { className: "close", "aria-label": "Close settings" })),
      this.#talkPart(), this.voices.element, this.#answerPart(), this.devices.element,
      ...(conversation ? [conversation.element] : []), this.#foot());
    choices.addEventListener("change", () => this.#show());
    dialog.addEventListener("close", () => { this.devices.stop(); this.voices.stop(); });
    this.conversation = conversation;
  }

  async open() {
    this.#show();
    this.dialog.showModal();
    this.devices.list();
    const found = await this.offers.read();
    this.#offerLanguages(found.languages);
    this.voices.offer(found);
    this.conversation?.offer(found);
    this.#show();
  }

  #talkPart() {
    const eagerness = select(EAGERNESS);
    this.interruption = element("input", { type: "checkbox" });
    this.language = select([["", "Any"], ...LANGUAGES]);
    this.#bind(this.language, "language");
    this.#bind(eagerness, "eagerness");
    this.interruption.addEventListener("change", () => this.choices.set("interruption", this.interruption.checked));
    this.controls.push(() => { this.interruption.checked = this.choices.get("interruption") !== false; });
    return part("You",
      field("You speak", this.language),
      field("It answers", eagerness, "How long it waits when you pause"),
      element("label", { className: "check" }, this.interruption, "Stop speaking when I interrupt"));
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
    const instructions = element("textarea", { rows: 3, maxLength: 4000, placeholder: "As the server has them" });
    const greeting = element("input", { type: "text", maxLength: 500, placeholder: "None of yours" });
    this.#bind(instructions, "instructions");
    this.#bind(greeting, "greeting");
    return part("Answers", field("Speed", element("span", { className: "range" }, speed, shown)),
      field("Instructions", instructions, "Who it is and how it answers"),
      field("Greeting", greeting, "What it says first in a new conversation"));
  }

  #foot() {
    const said = element("span", { className: "quiet", role: "status" });
    const tell = (text) => { said.textContent = text; setTimeout(() => { said.textContent = ""; }, 4000); };
    return element("footer", { className: "actions" }, said,
      button("Copy link", async () => tell(await copy(this.choices.link(location.href)) ? "A link with these settings is copied." : "The browser did not allow to copy.")),
      button("Reset all", () => { this.choices.reset(); tell("All settings are as the server has them."); }));
  }

  #bind(control, name) {
    control.addEventListener("change", () => this.choices.set(name, control.value || null));
    this.controls.push(() => { control.value = this.choices.get(name) ?? ""; });
  }

  #offerLanguages(codes) {
    if (!Array.isArray(codes) || !codes.length) return;
    const known = codes.filter((code) => typeof code === "string").map((code) => [code, languageName(code)]);
    known.sort(([, a], [, b]) => a.localeCompare(b));
    this.language.replaceChildren(...select([["", "Any"], ...known]).children);
  }

  #show() {
    for (const show of this.controls) show();
    this.voices.show();
    this.devices.show();
  }
}

export const select = (options) =>
  element("select", {}, ...options.map(([value, textContent]) => element("option", { value, textContent })));

export function part(title, ...children) {
  return element("section", { className: "part" }, element("h3", { textContent: title }), ...children);
}

let fields = 0;

/** A label, its control, and a line that explains it. */
export function field(name, control, help = null) {
  const input = control.matches("input, select, textarea") ? control : control.querySelector("input, select, textarea");
  input.id ||= `field-${++fields}`;
  if (help) input.setAttribute("aria-describedby", `${input.id}-help`);
  return element("div", { className: "field" }, element("label", { for: input.id, textContent: name }), control,
    help && element("p", { className: "quiet", id: `${input.id}-help`, textContent: help }));
}
