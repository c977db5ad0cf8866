// Draws the notices above the conversation. Knows which of them the user has dismissed.

import { button, element } from "./elements.js";

export class Notices {
  /** `dismiss` is called with the id of a notice whose button was pressed; it returns whether it took care of it. */
  constructor(element, { dismiss }) {
    this.element = element;
    this.dismiss = dismiss;
    this.dismissed = new Set();
    this.shown = [];
  }

  #signature = "";

  /** `notices`: [{id, text, kind: "info" | "bad"}]. */
  draw(notices) {
    this.shown = notices;
    const open = notices.filter(({ id }) => !this.dismissed.has(id));
    const signature = JSON.stringify(open);
    if (this.#signature === signature) return;
    this.#signature = signature;
    this.element.replaceChildren(...open.map((notice) => this.#notice(notice)));
  }

  #notice({ id, text, kind }) {
    const close = button(null, () => {
      if (this.dismiss(id)) return;
      this.dismissed.add(id);
      this.draw(this.shown);
    }, { textContent: "×", "data-label": "page.dismiss" });
    return element("p", { className: `notice ${kind}`, "data-id": id, role: kind === "bad" ? "alert" : "note" }, text, close);
  }
}
