// The engineer's drawer: what every turn took, the sound, the event log. This file is loaded when the drawer is first
// opened; while it is closed, nothing of it runs.

import { copyButton } from "./copying.js";
import { button, element } from "./elements.js";
import { EventsView } from "./events_view.js";
import { setText } from "./language.js";
import { numbersOf } from "./panel_texts.js";
import { TurnsView } from "./turns_view.js";

const EVERY_MS = 250;
const SAMPLES = 120;  // of the buffer: half a minute
const SVG = "http://www.w3.org/2000/svg";

export class Drawer {
  /** `stats`: () -> data of voice.stats(). `close`: called by the button of the drawer. */
  constructor(root, { stats, log, close }) {
    Object.assign(this, { root, stats });
    this.turns = new TurnsView();
    this.events = new EventsView(log);
    this.numbers = element("dl", { className: "numbers" });
    this.levels = [];
    this.line = document.createElementNS(SVG, "polyline");
    root.append(
      element("header", {}, element("h2", { "data-text": "drawer.title" }),
        copyButton("drawer.copy", () => JSON.stringify(stats(), null, 2), "copy.json"),
        button(null, close, { className: "close", textContent: "×", "data-label": "drawer.close" })),
      this.numbers,
      section("drawer.turns", this.turns.element),
      section("drawer.buffer", this.#chart()),
      section("drawer.events", this.events.element));
  }

  #timer = null; #drawn = "";

  start() {
    this.draw();
    this.#timer ??= setInterval(() => this.draw(), EVERY_MS);
  }

  stop() {
    clearInterval(this.#timer);
    this.#timer = null;
    this.levels = [];
  }

  draw() {
    if (document.hidden) return;
    const data = this.stats();
    this.#drawNumbers(data);
    this.turns.draw(data);
    this.#drawLevel(data.bufferedMs);
    this.events.draw();
  }

  #drawNumbers(data) {
    const rows = numbersOf(data), signature = JSON.stringify(rows);
    if (signature === this.#drawn) return;
    this.#drawn = signature;
    this.numbers.replaceChildren(...rows.map(([name, value, title]) =>
      element("div", { title }, element("dt", { textContent: name }), element("dd", { textContent: value }))));
  }

  #chart() {
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("viewBox", `0 0 ${SAMPLES} 30`);
    svg.setAttribute("preserveAspectRatio", "none");
    svg.setAttribute("class", "chart");
    svg.setAttribute("aria-hidden", "true");
    svg.append(this.line);
    this.peak = element("span", { className: "quiet" });
    return element("div", { className: "chart-frame" }, svg, this.peak);
  }

  #drawLevel(bufferedMs) {
    this.levels.push(bufferedMs ?? 0);
    if (this.levels.length > SAMPLES) this.levels.shift();
    const top = Math.max(500, ...this.levels);
    const first = SAMPLES - this.levels.length;
    this.line.setAttribute("points", this.levels.map((ms, at) => `${first + at},${(29 - (ms / top) * 28).toFixed(1)}`).join(" "));
    setText(this.peak, "drawer.peak", { ms: Math.round(Math.max(...this.levels)) });
  }
}

function section(key, ...children) {
  return element("section", {}, element("h3", { "data-text": key }), ...children);
}
