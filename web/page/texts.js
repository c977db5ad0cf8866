// The texts of the page about its state. Pure functions of that state.

const MICROPHONE = {
  denied: "No microphone permission. Allow it next to the address, then press the button, or type below.",
  missing: "No microphone found. Plug one in and press the button, or type below.",
  busy: "The microphone is in use by another program. Close that, then press the button, or type below.",
  insecure: "Browsers give the microphone only to https pages and to localhost. You can still type below.",
  lost: "The microphone was unplugged. Press the button to continue, or type below.",
  unloaded: "The microphone's code could not be loaded from the server. You can still type below.",
  failed: "The microphone could not be started. You can still type below.",
};

const REFUSED = {
  key_needed: "This server asks for a key.",
  invalid_api_key: "The server did not accept this key.",
  session_taken_over: "This conversation continues in another window.",
};

const PROBLEM = {
  rate_limit_exceeded: "The service is busy.",
  insufficient_quota: "The account behind this server has no credit left.",
  upstream_timeout: "The service took too long to answer. Please try again.",
};

const LISTENING = {
  "user-speaking": ["user-speaking", "You are speaking"],
  thinking: ["thinking", "Thinking"],
  speaking: ["speaking", "Speaking"],
};

/** [status, text] for the line under the button. */
export function statusText({ connection, microphone, muted, phase, secondsToRetry, everOpen, loaded }) {
  if (!loaded) return ["connecting", "Loading…"];
  if (connection.state === "waiting") {
    const what = everOpen ? "Connection lost. Reconnecting" : "Server unreachable. Trying again";
    return ["trouble", secondsToRetry > 0 ? `${what} in ${secondsToRetry} s` : `${what}…`];
  }
  if (connection.state === "refused") {
    return ["trouble", REFUSED[connection.reason] ?? "The server closed the conversation. Press the button to start again."];
  }
  if (microphone === "asking") return ["connecting", "Please allow the microphone"];
  if (connection.state === "connecting") return ["connecting", "Connecting"];
  if (connection.state === "open" && LISTENING[phase]) return LISTENING[phase];
  if (microphone === "on") return muted ? ["muted", "Muted"] : ["listening", "Listening"];
  if (MICROPHONE[microphone]) return ["idle", MICROPHONE[microphone].split(". ")[0].replace(/\.$/, "")];
  return ["idle", "Press to talk"];
}

export function microphoneNotice(state) {
  return MICROPHONE[state] ?? null;
}

/** The text for an `error` event or a failed response: our own text for known codes, and the server's message. */
export function problemText({ code, message }) {
  const known = PROBLEM[code];
  if (!known) return message;
  return message && !known.includes("again") ? `${known} ${message}` : known;
}

/** Permanent notices about the server, from the answer of /readyz: [{id, text}]. */
export function serverNotices(server) {
  const notices = [];
  if (server.sandbox) {
    notices.push({ id: "sandbox", text: "Sandbox voice: a simple emulator on this machine answers. Set MINIMAX_API_KEY to talk with MiniMax." });
  }
  const missing = server.missing ?? [];
  if (server.transcriber === "none" && !missing.some(({ part }) => part === "transcription")) {
    notices.push({ id: "transcriber", text: "This server has no transcriber: it cannot understand speech. Type below, and it answers aloud." });
  }
  for (const { part, message } of missing) notices.push({ id: part, text: message });
  return notices;
}
