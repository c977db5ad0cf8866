// Why there is no conversation though the server answers: it is full, it restarts, it does not take this page's address.
// A browser tells a page nothing of a refused WebSocket, so the page asks the server in other ways. Shows nothing itself.

const ANSWER_MS = 5000;
const TOLD = new Set([
  "server_overloaded", "account_exhausted", "rate_limit_exceeded", "server_draining", "session_expired", "slow_reader",
]);

/** Event: `change`. `cause`: null, one of TOLD, "origin", "blocked" (it has room, and no socket reaches it) or "no_room" (not known). */
export class Diagnosis extends EventTarget {
  /** `server`: what the page knows of it, see `server.js`. */
  constructor(connection, server) {
    super();
    Object.assign(this, { connection, server });
    this.cause = null;
    connection.addEventListener("state", () => this.#look());
  }

  #asking = 0;

  async #look() {
    const { state, reason } = this.connection;
    if (state === "connecting" || state === "refused") return;
    const asking = ++this.#asking;
    if (state !== "waiting") return this.#set(null);
    if (TOLD.has(reason)) return this.#set(reason);
    if (reason !== "unreachable" || this.server.retryAt !== null || !this.server.answers) return this.#set(null);
    if (this.server.status?.ready === false) return this.#set("server_draining");
    const cause = await originIsRefused() ? "origin" : await withoutSocket();
    if (asking === this.#asking) this.#set(cause);
  }

  #set(cause) {
    if (cause === this.cause) return;
    this.cause = cause;
    this.dispatchEvent(new CustomEvent("change"));
  }
}

/** A request without a meaning: only the check of its origin counts. Browsers name the origin in POST, not in GET. */
async function originIsRefused() {
  try {
    const answer = await fetch("v1/realtime/client_secrets", { method: "POST", body: "[]", signal: AbortSignal.timeout(ANSWER_MS) });
    return answer.status === 403;
  } catch {
    return false;
  }
}

/** The address of the WebSocket, asked without one: the server says whether it has room. Null: by now nothing answers. */
async function withoutSocket() {
  let answer;
  try {
    answer = await fetch("v1/realtime", { cache: "no-store", signal: AbortSignal.timeout(ANSWER_MS) });
  } catch {
    return null;  // it answered earlier, and has gone since: that the connection is lost is said elsewhere
  }
  if (answer.status === 426) return "blocked";
  const code = await answer.json().then(({ error }) => error.code).catch(() => null);  // something else answers
  return TOLD.has(code) ? code : "no_room";
}
