// The part of the settings sheet about the conversation: export, recording, and earlier conversations where the server has
// a store.

import { button, download, element } from "./elements.js";
import { asJson, asText, fileName, lines } from "./exporting.js";
import { language, setText } from "./language.js";
import { clock } from "./panel_texts.js";

export class ConversationPart {
  /** `resume`: called with the id of an earlier conversation. */
  constructor({ voice, tools, stats, recorder, offers, resume }) {
    Object.assign(this, { voice, tools, stats, recorder, offers, resume });
    this.text = button("export.text", () => this.#save("txt"));
    this.json = button("export.json", () => this.#save("json"));
    this.record = button(null, () => this.#toggle());
    this.wav = button("export.sound", () => download(fileName(new Date(), "wav"), recorder.wav()));
    this.forget = button("recording.delete", () => recorder.forget());
    this.explained = element("p", { className: "quiet", "data-text": "recording.explained" });
    this.told = element("p", { className: "quiet", role: "status" });
    this.earlier = element("div", { className: "earlier", hidden: true });
    this.element = element("section", { className: "part" }, element("h3", { "data-text": "export.title" }),
      element("div", { className: "buttons" }, element("span", { className: "quiet", "data-text": "export.as" }), this.text, this.json, this.wav),
      element("div", { className: "buttons" }, this.record, this.forget),
      this.explained, this.told, this.earlier);
    this.#show();
    recorder.addEventListener("change", () => this.#show());
    voice.addEventListener("change", () => { if (this.element.closest("dialog")?.open) this.#show(); });
  }

  async offer({ conversations }) {
    this.#show();
    if (!conversations) return void (this.earlier.hidden = true);
    const found = await this.offers.conversations();
    const current = this.voice.conversation.id;
    const others = found.filter(({ id }) => id !== current).slice(0, 100);
    this.earlier.hidden = others.length === 0;
    this.earlier.replaceChildren(element("h4", { "data-text": "export.earlier" }),
      element("ul", {}, ...others.map((each) => element("li", {}, this.#entry(each)))));
  }

  #entry({ id, title, updated_at }) {
    const open = button(null, () => this.resume(id));
    const when = Number.isFinite(updated_at) ? new Date(updated_at * 1000).toLocaleString(language.locale, { dateStyle: "medium", timeStyle: "short" }) : "";
    open.append(element("span", { textContent: title || id }), element("span", { className: "quiet", textContent: when }));
    return open;
  }

  #show() {
    const { on, seconds, full } = this.recorder;
    const empty = !lines(this.voice.conversation.items, this.tools).length;
    this.text.disabled = this.json.disabled = empty;
    this.wav.hidden = this.forget.hidden = seconds === 0;
    this.record.hidden = this.explained.hidden = !this.voice.player.possible;
    this.record.disabled = full && !on;
    setText(this.record, on ? "recording.stop_at" : seconds ? "recording.again" : "recording.start", { time: clock(seconds) });
    if (full) setText(this.told, "recording.full");
  }

  async #toggle() {
    if (this.recorder.on) return this.recorder.stop();
    await this.recorder.start().catch(() => setText(this.told, "recording.failed"));
  }

  #save(ending) {
    const { id, items } = this.voice.conversation, all = lines(items, this.tools), now = new Date();
    const text = ending === "txt" ? asText(all) : asJson(all, { id, at: now.toISOString(), stats: this.stats() });
    download(fileName(now, ending), new Blob([text], { type: ending === "txt" ? "text/plain" : "application/json" }));
  }
}
