// Draws the waterfall of every turn in the drawer: the marks of server and page on one line, all turns on the same scale.
// Knows the names of the marks; the numbers come from `voice.stats()`.

import { waterfall } from "../sdk/latency.js";
import { copyButton } from "./copying.js";
import { element } from "./elements.js";
import { language, textOf } from "./language.js";
import { statusName, turnTitle } from "./panel_texts.js";

const SHOWN = 30;

// What the page has measured takes the place of the server's estimate.
const PAGE_STEPS = [
  { name: "network", from: "first_audio_sent", to: "page_audio" },
  { name: "sound", from: "page_audio", to: "page_sound" },
];
const LEGEND = ["turn", "transcript", "chat", "phrase", "voice", "network", "sound"];

export class TurnsView {
  constructor() {
    this.list = element("ol", { className: "turns", "data-label": "turns.label" });
    this.legend = element("p", { className: "legend" }, ...LEGEND.map((name) =>
      element("span", {}, element("i", { className: `key ${name}`, "aria-hidden": "true" }), element("span", { "data-text": `step.${name}` }))));
    this.empty = element("p", { className: "quiet", "data-text": "turns.none" });
    this.element = element("div", {}, this.empty, this.list, this.legend);
  }

  #drawn = "";

  draw({ turns, p50, p95 }) {
    const shown = turns.slice(-SHOWN).reverse();
    const signature = JSON.stringify([shown, language.tag]);
    if (signature === this.#drawn) return;
    this.#drawn = signature;
    const scaleMs = Math.max(100, ...shown.map(lastMs));
    const open = new Set([...this.list.querySelectorAll("details[open]")].map(({ dataset }) => dataset.id));
    this.empty.hidden = shown.length > 0;
    this.legend.hidden = !shown.length;
    this.list.replaceChildren(...shown.map((turn, at) =>
      this.#turn(turn, { number: turns.length - at, scaleMs, ticks: { p50, p95 }, open: open.has(turn.response_id) })));
  }

  #turn(turn, { number, scaleMs, ticks, open }) {
    const details = element("details", { open });
    details.dataset.id = turn.response_id;
    const summary = element("summary", {},
      element("span", { className: "turn-name", textContent: turnTitle(turn, number) }),
      element("span", { className: "turn-ms", textContent: turn.firstSoundMs === null ? textOf("turns.silent") : `${turn.firstSoundMs} ms` }),
      strip(turn, scaleMs, ticks));
    details.append(summary, marksOf(turn));
    return element("li", {}, details);
  }
}

/** The latest mark that has to be seen. The end of the answer would make everything else small. */
function lastMs({ marks }) {
  return Math.max(0, ...Object.entries(marks).filter(([name]) => name !== "page_done").map(([, ms]) => ms));
}

function stepsOf({ marks }) {
  const server = waterfall({ marks }).steps.filter(({ name }) => name !== "playback" || marks.page_sound === undefined);
  const page = PAGE_STEPS.filter(({ from, to }) => marks[from] !== undefined && marks[to] !== undefined);
  return [...server, ...page.map(({ name, from, to }) => ({ name, startMs: marks[from], endMs: marks[to] }))];
}

function strip(turn, scaleMs, ticks) {
  const line = element("span", { className: "track", "aria-hidden": "true" });
  const percent = (ms) => `${(Math.max(0, Math.min(ms, scaleMs)) / scaleMs) * 100}%`;
  for (const { name, startMs, endMs } of stepsOf(turn)) {
    const bar = element("span", { className: `bar ${name}`, title: textOf("turns.step", { step: textOf(`step.${name}`), ms: Math.round(endMs - startMs) }) });
    bar.style.left = percent(startMs);
    bar.style.width = `max(2px, calc(${percent(endMs)} - ${percent(startMs)}))`;
    line.append(bar);
  }
  for (const [name, ms] of Object.entries(ticks)) if (ms !== null) line.append(tick(name, percent(ms)));
  return line;
}

function tick(name, left) {
  const made = element("span", { className: `tick ${name}`, title: name });
  made.style.left = left;
  return made;
}

function marksOf(turn) {
  const rows = Object.entries(turn.marks).sort(([, a], [, b]) => a - b);
  const list = element("dl", { className: "marks" }, ...rows.flatMap(([name, ms]) =>
    [element("dt", { textContent: textOf(`mark.${name}`) ?? name }), element("dd", { textContent: `${ms} ms` })]));
  const facts = [turn.response_id, statusName(turn.status), turn.early ? textOf("turns.early") : null,
    turn.roundTripMs === null ? null : textOf("turns.round_trip", { ms: turn.roundTripMs })].filter(Boolean).join(" · ");
  const copy = copyButton("turns.copy", () => JSON.stringify(turn, null, 2), "copy.json");
  return element("div", { className: "turn-details" }, list, element("p", { className: "quiet", textContent: facts }), copy);
}
