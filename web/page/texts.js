// The texts of the page about its state. Pure functions of that state. For visitors: what the operator has to do (install
// something, set a variable) stands in the server's log, not here. The words themselves are in texts/.

import { listed, textOf } from "./language.js";

// Why speech was not understood, for the one who spoke; the first that fits the code or the message.
const UNREAD = [
  [/transcription_unavailable|no transcriber/i, "deaf"],
  [/timed? ?out|timeout|did not answer|too long to answer|took too long/i, "late"],
  [/rate.?limit|too many|\bbusy\b|\b429\b/i, "busy"],
  [/quota|credit|balance/i, "quota"],
  [/unavailable|cannot be reached|unreachable|connection|network/i, "away"],
];

// What only an operator understands: addresses, commands, names of settings, classes and files.
const TECHNICAL = /https?:|wss?:|\bpip3? |\brealtime (?:setup|serve|doctor)\b|[A-Z]+_[A-Z_]{3,}|\b\w+(?:Error|Exception)\b|Traceback|(?:^|\s)\/\w+\/|\d+\.\d+\.\d+\.\d+|minimax-realtime/;
const SAYS_MORE = new Set(["rate_limit_exceeded", "insufficient_quota"]);  // codes whose message adds to our text
const SAYS_ALL = new Set([  // codes whose message says it better than our text: in its own language, English
  "upstream_unavailable", "upstream_rejected", "overloaded", "server_draining", "internal_error", "empty_answer", "content_filter",
  "context_length_exceeded", "max_output_tokens", "invalid_voice", "invalid_api_key",
]);

const PHASES = new Set(["user-speaking", "thinking", "speaking"]);
const named = (status) => [status, textOf(`status.${status}`)];

/** Whether the conversation goes on: also without a line, while the session is kept and an answer still sounds. */
export const isLive = ({ state, resuming }, phase) => state === "open" || Boolean(resuming && phase === "speaking");

/** [status, text] for the line under the button. `hears`, `sounds`: whether the server hears, and the page has sound. */
export function statusText({
  connection, microphone, muted, phase, secondsToRetry, everOpen, loaded, silent, paused, cause = null, hears = true, sounds = true,
}) {
  const said = (status, key) => [status, textOf(key)];
  if (isLive(connection, phase) && connection.state !== "open") return named(phase);
  if (silent) return said("trouble", "status.silent");
  if (!loaded) return said("connecting", "status.loading");
  if (connection.state === "waiting") return ["trouble", waitingText({ cause, everOpen, secondsToRetry })];
  if (connection.state === "refused") return ["trouble", textOf(`refused.${connection.reason}`) ?? textOf("status.closed")];
  if (microphone === "asking") return said("connecting", "status.asking");
  if (connection.state === "connecting") return named("connecting");
  if (connection.state === "open" && paused && phase === "speaking") return said("trouble", "status.paused");
  if (connection.state === "open" && PHASES.has(phase)) return named(phase);
  if (!sounds) return said("idle", "status.typing");
  if (!hears) return said("idle", "status.deaf");
  if (microphone === "on") return named(muted ? "muted" : "listening");
  const trouble = microphoneNotice(microphone);
  return trouble ? ["idle", firstSentence(trouble)] : named("idle");
}

/** Why the page waits, and for how long. */
function waitingText({ cause, everOpen, secondsToRetry: seconds }) {
  const what = textOf(`waiting.${cause}`) ?? textOf(everOpen ? "waiting.lost" : "waiting.away");
  return textOf(seconds > 0 ? "waiting.in" : "waiting.now", { what, seconds });
}

const firstSentence = (text) => text.split(/\. |。/)[0];

/** What to do about it where the page waits, though the server answers; null if there is nothing to say. */
export const causeText = (cause) => textOf(`cause.${cause}`);

export const microphoneNotice = (state) => textOf(`microphone.${state}`);

/** The server's own words, if they are for everybody; "" if not. */
const plain = (message) => (message && !TECHNICAL.test(message) ? message.trim().replace(/ \(code \d+\)/, "") : "");

/** The text for an `error` event or a failed response: our own text for known codes, or the server's message. */
export function problemText({ code, message }) {
  const known = textOf(`error.${code}`), said = plain(message);
  if (!known) return said ? textOf("problem.said", { said }) : textOf("problem.other");
  if (!said) return known;
  return SAYS_ALL.has(code) ? textOf("problem.instead", { known, said }) : SAYS_MORE.has(code) ? textOf("problem.both", { known, said }) : known;
}

/** What stands in the place of the words of speech that was not understood. */
export function unreadText({ code, message }) {
  const reason = UNREAD.find(([sign]) => sign.test(code ?? "") || sign.test(message ?? ""))?.[1];
  const said = !reason && (message ?? "").length <= 200 ? plain(message) : "";
  return said ? textOf("unread.said", { said }) : textOf(`unread.${reason ?? "other"}`);
}

/** The sentence under a message without an answer, or under an answer that broke off; null if all is well. */
export function itemTrouble(item, { last, waiting, offline }) {
  if (item.failed) return textOf(item.role === "user" ? "item.no_answer" : "item.broke_off");
  if (item !== last || item.role !== "user" || !item.final || !item.text) return null;
  if (item.typed && !item.placed) return offline ? textOf("item.not_sent") : null;
  return waiting ? null : textOf("item.no_answer");
}

/** Permanent notices about the server, from the answer of /readyz: [{id, text}]. */
export function serverNotices(server, { sounds = true } = {}) {
  const notices = [];
  const add = (id, key) => notices.push({ id, text: textOf(key) });
  const emulated = emulatedText(server);
  if (emulated) notices.push({ id: "sandbox", text: emulated });
  if (!sounds) {
    add("insecure", "notice.insecure");
    return notices;
  }
  const missing = new Set((server.missing ?? []).map(({ part }) => part));
  if (!canHear(server)) {
    add("deaf", server.transcriber === undefined  // the details are for the operator
      ? "notice.deaf"
      : missing.has("voice detection") || server.transcriber !== "none" ? "notice.deaf_detection" : "notice.deaf_transcriber");
  }
  if (missing.has("voice")) add("voice", "notice.voice");
  return notices;
}

/** What of this server is emulated; null if nothing is. A server without the field `emulated` tells of all or nothing. */
function emulatedText({ sandbox, emulated = sandbox ? ["chat", "speech"] : [] }) {
  const names = ["chat", "speech", "transcriber"].filter((role) => emulated.includes(role)).map((role) => textOf(`notice.part.${role}`));
  return names.length ? textOf("notice.emulated", { count: names.length, parts: listed(names) }) : null;
}

/** Whether the server understands speech. Without an answer of /readyz (a proxy may hide it): yes. */
export function canHear(server) {
  if (!server) return true;
  const missing = (server.missing ?? []).some(({ part }) => part === "voice detection" || part === "transcription");
  return server.hears ?? (server.transcriber !== "none" && !missing);
}
