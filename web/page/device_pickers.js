// Microphone and speaker in the settings, each with a level and a test.

import { listenTo, playOn } from "./device_tests.js";
import { button, element } from "./elements.js";
import { setText } from "./language.js";

export class DevicePickers {
  constructor({ choices, voice }) {
    Object.assign(this, { choices, voice });
    this.microphone = picker("microphone", () => this.#testMicrophone());
    this.speaker = picker("speaker", () => this.#testSpeaker());
    this.speaker.field.hidden = true;  // until there are some to choose from
    this.told = element("p", { className: "quiet", role: "status" });
    this.element = element("section", { className: "part" }, element("h3", { "data-text": "device.title" }),
      this.microphone.field, this.speaker.field, this.told);
    this.#bind("microphone");
    this.#bind("speaker");
    navigator.mediaDevices?.addEventListener?.("devicechange", () => this.list());
    voice.addEventListener("level", ({ detail: { source, level } }) => {
      if (isShown(this.element)) (source === "input" ? this.microphone : this.speaker).show(level);
    });
  }

  #ends = {}; #tests = { microphone: 0, speaker: 0 };  // `tests`: how often each was begun or ended

  async list() {
    const { microphone, player } = this.voice;
    const [microphones, speakers] = await Promise.all([microphone.devices(), player.devices()]);
    this.microphone.offer(microphones);
    this.speaker.offer(speakers);
    this.speaker.field.hidden = !speakers.length;
    setText(this.told, microphones.length && !microphones.some(({ name }) => name) ? "device.unnamed" : null);
    this.show();
  }

  show() {
    for (const name of ["microphone", "speaker"]) {
      const { select } = this[name], chosen = this.choices.get(name) ?? "";
      select.value = chosen;
      if (select.selectedIndex < 0) select.value = "";  // it is not plugged in now
    }
  }

  /** Also a test that is still opened. */
  stop() {
    for (const name of ["microphone", "speaker"]) this.#end(name);
  }

  #bind(name) {
    this[name].select.addEventListener("change", () => {
      this.stop();
      this.choices.set(name, this[name].select.value || null);
    });
  }

  async #testMicrophone() {
    if (this.#ends.microphone) return this.#end("microphone");
    const test = ++this.#tests.microphone;
    try {
      const end = await listenTo(this.choices.get("microphone"), (level) => this.microphone.show(level));
      if (test !== this.#tests.microphone) return end();
      this.#ends.microphone = end;
      setText(this.microphone.test, "device.stop");
      await this.list();  // now the browser tells names
      if (test === this.#tests.microphone) setText(this.told, "device.listening");
    } catch (error) {
      if (test !== this.#tests.microphone) return;
      const state = { NotAllowedError: "denied", NotFoundError: "missing", OverconstrainedError: "missing", NotReadableError: "busy" }[error.name];
      setText(this.told, `microphone.${navigator.mediaDevices ? state ?? "failed" : "insecure"}`);
    }
  }

  async #testSpeaker() {
    this.#end("speaker");
    const test = this.#tests.speaker;
    const sounding = await playOn(this.choices.get("speaker"), (level) => this.speaker.show(level)).catch(() => null);
    if (test !== this.#tests.speaker) return sounding?.stop();
    if (!sounding) setText(this.told, "device.silent");
    else this.#ends.speaker = sounding.stop;
  }

  #end(name) {
    this.#tests[name] += 1;
    this.#ends[name]?.();
    delete this.#ends[name];
    setText(this[name].test, "device.test");
    setText(this.told, null);
  }
}

const isShown = (node) => node.closest("dialog")?.open ?? false;

function picker(name, run) {
  const select = element("select", { id: `choose-${name}` });
  const level = element("meter", { min: 0, max: 1, value: 0, "data-label": `device.${name}_level` });
  const test = button("device.test", run, { "data-label": `device.${name}_test` });
  return {
    select, test,
    field: element("div", { className: "field" }, element("label", { for: select.id, "data-text": `device.${name}` }),
      element("div", { className: "device" }, select, test), level),
    show(value) { level.value = Math.min(1, Math.sqrt(value) * 1.8); },
    offer(devices) {
      const own = devices.filter(({ id }) => id !== "default").map((device, at) => element("option", {
        value: device.id, ...(device.name ? { textContent: device.name }
          : { "data-text": `device.${name}_number`, "data-values": JSON.stringify({ number: at + 1 }) }),
      }));
      select.replaceChildren(element("option", { value: "", "data-text": "settings.browser" }), ...own);
    },
  };
}
