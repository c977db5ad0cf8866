// The texts of the page about its state. Pure functions of that state. For visitors: what the operator has to do (install
// something, set a variable) stands in the server's log, not here.

const MICROPHONE = {
  denied: "No microphone permission. Allow it next to the address, then press the button, or type below.",
  missing: "No microphone found. Plug one in and press the button, or type below.",
  busy: "The microphone is in use by another program. Close that, then press the button, or type below.",
  insecure: "Browsers give the microphone only to https pages and to localhost. You can still type below.",
  interrupted: "The microphone is paused, perhaps by a call. Press the button to go on, or type below.",
  lost: "The microphone was unplugged. Plug one in and press the button, or type below.",
  unloaded: "The microphone's code could not be loaded from the server. You can still type below.",
  failed: "The microphone could not be started. You can still type below.",
};

const REFUSED = {
  key_needed: "This server asks for a key.",
  invalid_api_key: "The server did not accept this key.",
  session_taken_over: "This conversation continues in another window.",
  no_websocket: "This browser has no WebSockets, and nothing works without them. Use another one.",
};

// Why the page waits, though the server answers.
const WAITING = {
  server_overloaded: "The server is full. Trying again",
  account_exhausted: "The account behind this server is busy. Trying again",
  rate_limit_exceeded: "All conversations of this key are in use. Trying again",
  server_draining: "The server restarts. Trying again",
  session_expired: "The longest time of a session is over. Going on",
  no_room: "The server takes no conversation now. Trying again",
  blocked: "The connection is blocked on its way. Trying again",
  origin: "The server does not accept this page's address. Trying again",
};

/** What to do about it, for a notice. */
export const CAUSE = {
  account_exhausted: "The account behind this server has too few requests a minute for one more conversation. Your conversation is kept; the page goes on trying.",
  no_room: "The server answers, but takes no conversation. It may be full, or something on the way blocks WebSockets. Your conversation is kept; the page goes on trying.",
  blocked: "The server has room, but no WebSocket reaches it: a proxy, a firewall or an extension of this browser may block them. Your conversation is kept; the page goes on trying.",
  origin: "The server refuses pages from this address. Open it at its own address, or ask its operator to allow this one.",
  rate_limit_exceeded: "Close another window that talks with this key, or wait. Your conversation is kept.",
};

const PROBLEM = {
  rate_limit_exceeded: "The service is busy.",
  insufficient_quota: "The account behind this server has no credit left.",
  upstream_timeout: "The service took too long to answer. Please try again.",
  upstream_unavailable: "The service cannot be reached at the moment. Please try again.",
  transcription_unavailable: "This server cannot understand speech. Please type.",
  transcription_failed: "That was not understood. Please say it again, or type.",
};

// Why speech was not understood, for the one who spoke; the first that fits the code or the message.
const UNREAD = [
  [/transcription_unavailable|no transcriber/i, "this server cannot understand speech. Please type."],
  [/timed? ?out|timeout|did not answer|too long to answer|took too long/i, "it took too long. Please say it again, or type."],
  [/rate.?limit|too many|\bbusy\b|\b429\b/i, "the service is busy. Please say it again in a moment, or type."],
  [/quota|credit|balance/i, "the account behind this server has no credit left."],
  [/unavailable|cannot be reached|unreachable|connection|network/i, "the service cannot be reached at the moment. Please try again, or type."],
];

export const TOOLS = { running: "running", done: "done", failed: "failed", arguments: "Arguments", result: "Result" };
export const NOT_HEARD = "Not heard: ";

// What only an operator understands: addresses, commands, names of settings, classes and files.
const TECHNICAL = /https?:|wss?:|\bpip3? |\brealtime (?:setup|serve|doctor)\b|[A-Z]+_[A-Z_]{3,}|\b\w+(?:Error|Exception)\b|Traceback|(?:^|\s)\/\w+\/|\d+\.\d+\.\d+\.\d+|minimax-realtime/;

const LISTENING = {
  "user-speaking": ["user-speaking", "You are speaking"],
  thinking: ["thinking", "Thinking"],
  speaking: ["speaking", "Speaking"],
};

/** Whether the conversation goes on: also without a line, while the session is kept and an answer still sounds. */
export const isLive = ({ state, resuming }, phase) => state === "open" || Boolean(resuming && phase === "speaking");

/** [status, text] for the line under the button. `hears`, `sounds`: whether the server hears, and the page has sound. */
export function statusText({
  connection, microphone, muted, phase, secondsToRetry, everOpen, loaded, silent, paused, cause = null, hears = true, sounds = true,
}) {
  if (isLive(connection, phase) && connection.state !== "open") return LISTENING[phase];
  if (silent) return ["trouble", "The server does not answer"];
  if (!loaded) return ["connecting", "Loading…"];
  if (connection.state === "waiting") {
    const what = WAITING[cause] ?? (everOpen ? "Connection lost. Reconnecting" : "Server unreachable. Trying again");
    return ["trouble", secondsToRetry > 0 ? `${what} in ${secondsToRetry} s` : `${what}…`];
  }
  if (connection.state === "refused") {
    return ["trouble", REFUSED[connection.reason] ?? "The server closed the conversation. Press the button to start again."];
  }
  if (microphone === "asking") return ["connecting", "Please allow the microphone"];
  if (connection.state === "connecting") return ["connecting", "Connecting"];
  if (connection.state === "open" && paused && phase === "speaking") return ["trouble", "The sound is paused. Tap anywhere to go on"];
  if (connection.state === "open" && LISTENING[phase]) return LISTENING[phase];
  if (!sounds) return ["idle", "Type, and read the answer"];
  if (!hears) return ["idle", "This server cannot hear: type, and it answers"];
  if (microphone === "on") return muted ? ["muted", "Muted"] : ["listening", "Listening"];
  if (MICROPHONE[microphone]) return ["idle", MICROPHONE[microphone].split(". ")[0].replace(/\.$/, "")];
  return ["idle", "Press to talk"];
}

/** Why the server did not take the key; `said` are its own words. */
export function keyErrorText(said) {
  return /expired/i.test(said ?? "") ? "That key has expired. Ask for a new one." : "The server did not accept that key.";
}

export function microphoneNotice(state) {
  return MICROPHONE[state] ?? null;
}

/** The text for an `error` event or a failed response: our own text for known codes, or the server's message. */
export function problemText({ code, message }) {
  const known = PROBLEM[code], said = message && !TECHNICAL.test(message) ? message.replace(/ \(code \d+\)/, "") : null;
  if (known && code !== "upstream_unavailable") return said && !known.includes("again") && !known.includes("type") ? `${known} ${said}` : known;
  return said ?? known ?? "That did not work. Please try again.";
}

/** What stands in the place of the words of speech that was not understood. */
export function unreadText({ code, message }) {
  const reason = UNREAD.find(([sign]) => sign.test(code ?? "") || sign.test(message ?? ""))?.[1];
  const said = message && message.length <= 200 && !TECHNICAL.test(message) ? message.trim().replace(/ \(code \d+\)/, "") : "";
  return `Not understood: ${reason ?? (said || "something went wrong. Please say it again, or type.")}`;
}

/** The sentence under a message without an answer, or under an answer that broke off; null if all is well. */
export function itemTrouble(item, { last, waiting, offline }) {
  if (item.failed) return item.role === "user" ? "No answer." : "The answer broke off.";
  if (item !== last || item.role !== "user" || !item.final || !item.text) return null;
  if (item.typed && !item.placed) return offline ? "Not sent." : null;
  return waiting ? null : "No answer.";
}

/** Permanent notices about the server, from the answer of /readyz: [{id, text}]. */
export function serverNotices(server, { sounds = true } = {}) {
  const notices = [];
  const add = (id, text) => notices.push({ id, text });
  const emulated = emulatedText(server);
  if (emulated) add("sandbox", emulated);
  if (!sounds) {
    add("insecure", "Over http, browsers give a page neither the microphone nor this kind of sound: type here and read the answers, or open the page over https.");
    return notices;
  }
  const missing = new Set((server.missing ?? []).map(({ part }) => part));
  if (!canHear(server)) {
    add("deaf", server.transcriber === undefined  // the details are for the operator
      ? "This server cannot hear. Type below, and it answers aloud."
      : missing.has("voice detection") || server.transcriber !== "none"
      ? "This server cannot hear: it has no voice detection. Type below, and it answers aloud."
      : "This server cannot hear: it has no transcriber. Type below, and it answers aloud.");
  }
  if (missing.has("voice")) add("voice", "The sandbox has no voice here: the answers stay silent.");
  return notices;
}

const EMULATED = { chat: "the chat", speech: "the voice", transcriber: "the transcription" };

/** What of this server is emulated; null if nothing is. A server without the field `emulated` tells of all or nothing. */
function emulatedText({ sandbox, emulated = sandbox ? ["chat", "speech"] : [] }) {
  const parts = Object.keys(EMULATED).filter((role) => emulated.includes(role)).map((role) => EMULATED[role]);
  if (!parts.length) return null;
  const named = [parts.slice(0, -1).join(", "), parts.at(-1)].filter(Boolean).join(" and ");
  const come = parts.length > 1 ? "come from simple emulators" : "comes from a simple emulator";
  return `Sandbox: ${named} ${come} on this machine. Set MINIMAX_API_KEY to talk with MiniMax.`;
}

/** Whether the server understands speech. Without an answer of /readyz (a proxy may hide it): yes. */
export function canHear(server) {
  if (!server) return true;
  const missing = (server.missing ?? []).some(({ part }) => part === "voice detection" || part === "transcription");
  return server.hears ?? (server.transcriber !== "none" && !missing);
}
