// Draws the notices above the conversation. Knows which of them the user has dismissed.

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
    const notice = document.createElement("p");
    notice.className = `notice ${kind}`;
    notice.dataset.id = id;
    notice.setAttribute("role", kind === "bad" ? "alert" : "note");
    const close = document.createElement("button");
    close.type = "button";
    close.setAttribute("aria-label", "Dismiss");
    close.textContent = "×";
    close.addEventListener("click", () => {
      if (this.dismiss(id)) return;
      this.dismissed.add(id);
      this.draw(this.shown);
    });
    notice.append(text, close);
    return notice;
  }
}
