// The words of the drawer and of the settings. Like texts.js: no state, no document.

export const MARKS = {
  steps: {
    turn: "end of turn", transcript: "transcript", chat: "first word", phrase: "first phrase", voice: "voice",
    playback: "acknowledged", network: "network", sound: "to the speaker",
  },
  names: {
    speech_ended: "you stopped speaking", turn_confirmed: "turn confirmed", transcript_final: "transcript final",
    chat_request: "asked the chat model", chat_first_delta: "its first word", first_chunk: "first phrase to the voice",
    speech_first_audio: "first audio from the voice", first_audio_sent: "first audio sent", playback_started: "playback confirmed",
    page_sent: "page: asked", page_created: "page: answer announced", page_audio: "page: first audio arrived",
    page_sound: "page: first sound at the speaker", page_done: "page: answer complete",
  },
};

const ORIGINS = { speech_ended: "spoken", response_create: "typed", page_sent: "typed" };

export function turnTitle({ origin, status }, number) {
  const state = status === "completed" || status === "in_progress" ? "" : ` · ${status}`;
  return `${number} ${ORIGINS[origin] ?? ""}${state}`.trim();
}

const count = (number) => (number ?? 0).toLocaleString("en");
const ms = (value) => (value === null || value === undefined ? null : `${Math.round(value)} ms`);

/** [[name, value, explanation]] of what is known; what no server tells is left out. */
export function numbersOf({ p50, p95, underruns, bufferedMs, jitterMs, requests, speculation, events, resumed, turns }) {
  const roundTrip = turns.findLast((turn) => turn.roundTripMs !== null)?.roundTripMs;
  const bytes = events.bytes.sent + events.bytes.received;
  const { inputTokens, cachedTokens, outputTokens } = requests;
  return [
    ["Sound, p50", ms(p50) ?? "–", "Half of the turns began to sound within this time after the person ended"],
    ["Sound, p95", ms(p95) ?? "–", "Nearly all turns did"],
    ["Buffer", ms(bufferedMs) ?? "–", "Audio that waits in the player"],
    ["Underruns", count(underruns), "The player had to wait for audio"],
    jitterMs === null ? null : ["Jitter", ms(jitterMs), "How unevenly audio arrives"],
    roundTrip === undefined ? null : ["Round trip", ms(roundTrip), "Of the last turn that could tell"],
    ["Answers", count(requests.responses), "Responses asked for in this conversation"],
    inputTokens ? ["Tokens read", count(inputTokens), `${count(cachedTokens)} of them from the cache`] : null,
    outputTokens ? ["Tokens written", count(outputTokens), "By the chat model"] : null,
    ["Early answers", count(speculation.hits), "Begun before the turn was certain, and used"],
    speculation.waste === null ? null : ["In vain", count(speculation.waste), "Begun early and not used"],
    resumed ? ["Resumed", count(resumed), "Times the session went on with a new connection"] : null,
    ["Events", `${count(events.sent)} ↑ ${count(events.received)} ↓`, bytes ? `${sizeText(bytes)} in all` : "Sent and received"],
  ].filter(Boolean);
}

export function sizeText(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1_000_000 ? `${(bytes / 1000).toFixed(1)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}

// Of transcription, where the server does not tell its languages.
export const LANGUAGES = ["ar", "de", "en", "es", "fr", "hi", "id", "it", "ja", "ko", "nl", "pl", "pt", "ru", "th", "tr", "uk", "vi", "zh"]
  .map((code) => [code, languageName(code)]).sort(([, a], [, b]) => a.localeCompare(b));

export function languageName(code) {
  try {
    return new Intl.DisplayNames(["en"], { type: "language" }).of(code);
  } catch {
    return code;  // not a code
  }
}

export const EAGERNESS = [["", "When I seem to be done"], ["high", "At once"], ["medium", "After a short pause"], ["low", "When I am surely done"]];

export const DEVICES = {
  unnamed: "The browser tells the names of the devices once the microphone is allowed. Press Test.",
  listening: "Say something: the bar should move.",
  silent: "This speaker cannot be used.",
};

const FOREIGN = { instructions: "tells the assistant how to behave", greeting: "sets what the assistant says first" };
const MAX_QUOTED = 240;

/** What a shared link does to the assistant. */
export function foreignText({ name, text }) {
  const quoted = text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text;
  return `The link you opened ${FOREIGN[name]}: “${quoted}” You can change it in the settings.`;
}

export const RECORDING = {
  explained: "A recording stays in this page and is gone with it. Left is you, right are the answers. At most 20 minutes.",
  full: "The recording is full: save it as sound, then delete it to record again.",
  failed: "This page cannot record now: there is no sound. Press the button to talk first.",
};

export const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
