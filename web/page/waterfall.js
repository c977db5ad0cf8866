// Draws the latency of the last turn: a strip of bars, and a list of the same bars with names and numbers.

import { waterfall } from "../sdk/latency.js";
import { setText } from "./language.js";

const element = (tag, className, text = "") =>
  Object.assign(document.createElement(tag), { className, textContent: text });

/** Null hides the line: it belongs to the turn on the screen. So does an answer that was written. */
export function drawWaterfall(latency) {
  document.getElementById("latency").hidden = !latency;
  if (!latency) return;
  const { firstSoundMs, startMs, endMs, steps } = waterfall(latency);
  const percent = (ms) => `${((ms - startMs) / (endMs - startMs)) * 100}%`;
  const bar = ({ name, startMs: from, endMs: to }) => {
    const span = element("span", `bar ${name}`);
    span.style.left = percent(from);
    span.style.width = `max(3px, calc(${percent(to)} - ${percent(from)}))`;
    return span;
  };
  const since = latency.origin === "speech_ended" ? "latency.speech_ended" : "latency.sent";
  setText(document.getElementById("latency-summary"), firstSoundMs === null ? "latency.none" : since, { ms: firstSoundMs });
  document.getElementById("latency-strip").replaceChildren(...steps.map(bar));
  document.getElementById("latency-rows").replaceChildren(...steps.map((step) => {
    const row = element("div", "row");
    const track = element("dd", "track");
    track.append(bar(step));
    const name = element("dt", "");
    setText(name, `latency.${step.name}`);
    row.append(name, track, element("dd", "ms", `${step.endMs - step.startMs} ms`));
    return row;
  }));
}
