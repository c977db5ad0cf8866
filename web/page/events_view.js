// Draws the event log in the drawer: filter, time, direction, size, the JSON of an event, and copying. Only what is new is
// drawn. Knows nothing of the protocol.

import { beginning } from "../sdk/beginning.js";
import { copyButton } from "./copying.js";
import { button, element } from "./elements.js";
import { filtered, sizeOf } from "./event_log.js";
import { setText } from "./language.js";
import { sizeText } from "./panel_texts.js";

const MAX_ROWS = 300;
const MAX_JSON = 100_000;  // characters of one event that are shown

export class EventsView {
  constructor(log) {
    this.log = log;
    this.text = element("input", { type: "search", "data-hint": "events.filter", "data-label": "events.filter_label", spellcheck: false });
    this.from = element("select", { "data-label": "events.direction" },
      ...[["", "both"], ["client", "sent"], ["server", "received"]].map(([value, key]) => element("option", { value, "data-text": `events.${key}` })));
    this.quiet = element("input", { type: "checkbox", checked: true });
    this.count = element("span", { className: "quiet", role: "status" });
    this.list = element("ol", { className: "events", tabIndex: 0, "data-label": "drawer.events" });
    for (const control of [this.text, this.from, this.quiet]) control.addEventListener("input", () => this.#again());
    this.element = element("div", { className: "log" },
      element("div", { className: "log-controls" }, this.text, this.from,
        element("label", {}, this.quiet, element("span", { "data-text": "events.quiet" })),
        copyButton("events.copy", () => this.#json(), "copy.json"),
        button("events.clear", () => this.#clear(), { className: "copy" })),
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
    setText(this.count, "events.count", { shown: this.list.childElementCount, kept: this.log.entries.length });
    if (atEnd) this.list.scrollTop = this.list.scrollHeight;
  }

  #again() {
    this.#next = this.#first;
    this.list.replaceChildren();
    setText(this.count, "events.none");
    this.draw();
  }

  #clear() {
    this.#first = this.log.count;
    this.#again();
    setText(this.count, null);
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
      element("span", { className: "way", textContent: from === "client" ? "↑" : "↓", "data-label": `events.way.${from}`, role: "img" }),
      element("span", { className: "type", textContent: String(event.type) }),
      element("span", { className: "size", textContent: sizeText(sizeOf(entry)) })));
  details.addEventListener("toggle", () => {
    if (!details.open || details.querySelector("pre")) return;
    details.append(element("pre", { tabIndex: 0, textContent: beginning(JSON.stringify(event, null, 2), MAX_JSON) }));
  });
  return element("li", {}, details);
}
