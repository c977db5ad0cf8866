// Draws the event log in the drawer: filter, time, direction, size, the JSON of an event, and copying. Only what is new is
// drawn. Knows nothing of the protocol.

import { copyButton } from "./copying.js";
import { button, element } from "./elements.js";
import { filtered, sizeOf } from "./event_log.js";
import { sizeText } from "./panel_texts.js";

const MAX_ROWS = 300;
const MAX_JSON = 100_000;  // characters of one event that are shown

export class EventsView {
  constructor(log) {
    this.log = log;
    this.text = element("input", { type: "search", placeholder: "Filter", "aria-label": "Filter events", spellcheck: false });
    this.from = element("select", { "aria-label": "Direction" },
      ...[["", "both ways"], ["client", "sent ↑"], ["server", "received ↓"]].map(([value, name]) => element("option", { value, textContent: name })));
    this.quiet = element("input", { type: "checkbox", checked: true });
    this.count = element("span", { className: "quiet", role: "status" });
    this.list = element("ol", { className: "events", tabIndex: 0, "aria-label": "Events" });
    for (const control of [this.text, this.from, this.quiet]) control.addEventListener("input", () => this.#again());
    this.element = element("div", { className: "log" },
      element("div", { className: "log-controls" }, this.text, this.from,
        element("label", {}, this.quiet, "hide deltas"),
        copyButton("Copy the shown events as JSON", () => this.#json(), "Copy as JSON"),
        button("Clear", () => this.#clear(), { className: "copy" })),
      this.count, this.list);
  }

  #next = 0; #first = 0;

  draw() {
    const fresh = this.#fitting().filter(({ number }) => number >= this.#next).slice(-MAX_ROWS);
    this.#next = this.log.count;
    if (!fresh.length) return;
    const atEnd = this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < 40;
    this.list.append(...fresh.map(row));
    while (this.list.childElementCount > MAX_ROWS) this.list.firstElementChild.remove();
    this.count.textContent = `${this.list.childElementCount} shown of ${this.log.entries.length} kept`;
    if (atEnd) this.list.scrollTop = this.list.scrollHeight;
  }

  #again() {
    this.#next = this.#first;
    this.list.replaceChildren();
    this.count.textContent = "Nothing fits.";
    this.draw();
  }

  #clear() {
    this.#first = this.log.count;
    this.#again();
    this.count.textContent = "";
  }

  #fitting() {
    const entries = this.log.entries.filter(({ number }) => number >= this.#first);
    return filtered(entries, { text: this.text.value, from: this.from.value, quiet: this.quiet.checked });
  }

  #json() {
    return JSON.stringify(this.#fitting().map((entry) =>
      ({ at_ms: Math.round(entry.at), from: entry.from, bytes: sizeOf(entry), event: entry.event })), null, 2);
  }
}

function row(entry) {
  const { at, from, event } = entry;
  const details = element("details", { className: `event ${from}` },
    element("summary", {},
      element("span", { className: "when", textContent: (at / 1000).toFixed(3) }),
      element("span", { className: "way", textContent: from === "client" ? "↑" : "↓", "aria-label": from === "client" ? "sent" : "received" , role: "img" }),
      element("span", { className: "type", textContent: String(event.type) }),
      element("span", { className: "size", textContent: sizeText(sizeOf(entry)) })));
  details.addEventListener("toggle", () => {
    if (!details.open || details.querySelector("pre")) return;
    details.append(element("pre", { tabIndex: 0, textContent: JSON.stringify(event, null, 2).slice(0, MAX_JSON) }));
  });
  return element("li", {}, details);
}
