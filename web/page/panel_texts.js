// Texts of the drawer and of the settings that have values in them. Like texts.js: no state, no document.

import { shortened } from "../sdk/beginning.js";
import { language, textOf } from "./language.js";

const ORIGINS = { speech_ended: "turns.spoken", response_create: "turns.typed", page_sent: "turns.typed" };

export const statusName = (status) => textOf(`turns.${status}`) ?? status;

export function turnTitle({ origin, status }, number) {
  const state = status === "completed" || status === "in_progress" ? "" : ` · ${statusName(status)}`;
  return `${number} ${textOf(ORIGINS[origin]) ?? ""}${state}`.trim();
}

const count = (number) => (number ?? 0).toLocaleString(language.locale);
const ms = (value) => (value === null || value === undefined ? null : `${Math.round(value)} ms`);

/** [[name, value, explanation]] of what is known; what no server tells is left out. */
export function numbersOf({ p50, p95, underruns, bufferedMs, jitterMs, requests, speculation, events, resumed, turns }) {
  const roundTrip = turns.filter((turn) => turn.roundTripMs !== null).at(-1)?.roundTripMs;
  const bytes = events.bytes.sent + events.bytes.received;
  const { inputTokens, cachedTokens, outputTokens } = requests;
  return [
    row("p50", ms(p50) ?? "–"),
    row("p95", ms(p95) ?? "–"),
    row("buffer", ms(bufferedMs) ?? "–"),
    row("underruns", count(underruns)),
    jitterMs === null ? null : row("jitter", ms(jitterMs)),
    roundTrip === undefined ? null : row("round_trip", ms(roundTrip)),
    row("answers", count(requests.responses)),
    inputTokens ? row("read", count(inputTokens), { cached: count(cachedTokens) }) : null,
    outputTokens ? row("written", count(outputTokens)) : null,
    row("early", count(speculation.hits)),
    speculation.waste === null ? null : row("vain", count(speculation.waste)),
    resumed ? row("resumed", count(resumed)) : null,
    [textOf("number.events"), `${count(events.sent)}\u00a0↑ ${count(events.received)}\u00a0↓`,
      bytes ? textOf("number.events_size", { size: sizeText(bytes) }) : textOf("number.events_help")],
  ].filter(Boolean);
}

const row = (key, value, values) => [textOf(`number.${key}`), value, textOf(`number.${key}_help`, values)];

export function sizeText(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1_000_000 ? `${(bytes / 1000).toFixed(1)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}

// Of transcription, where the server does not tell its languages.
const LANGUAGES = ["ar", "de", "en", "es", "fr", "hi", "id", "it", "ja", "ko", "nl", "pl", "pt", "ru", "th", "tr", "uk", "vi", "zh"];

/** [[code, name]] in the order of the names. */
export const languageNames = (codes = LANGUAGES) => codes.map((code) => [code, languageName(code)])
  .sort(([, a], [, b]) => a.localeCompare(b, language.tag));

export function languageName(code) {
  try {
    return new Intl.DisplayNames([language.tag], { type: "language" }).of(code);
  } catch {
    return code;  // not a code
  }
}

const MAX_QUOTED = 240;

/** What a shared link does to the assistant. */
export function foreignText({ name, text }) {
  return textOf(`notice.link.${name}`, { quoted: shortened(text, MAX_QUOTED) });
}

export const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
