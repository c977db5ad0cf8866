// Why there is no conversation though the server answers: it is full, it restarts, it does not take this page's address.
// A browser tells a page nothing of a refused WebSocket, so the page asks the server in other ways. Shows nothing itself.

import { within } from "../sdk/http.js";

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
    if (reason !== "unreachable" || this.server.retryAt !== null) return this.#set(null);
    const cause = await this.#cause();
    if (asking === this.#asking) this.#set(cause);
  }

  async #cause() {
    if (!(await this.server.answers)) return null;
    if (this.server.status?.ready === false) return "server_draining";
    return await originIsRefused() ? "origin" : withoutSocket();
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
    const answer = await within(ANSWER_MS, (signal) => fetch("v1/realtime/client_secrets", { method: "POST", body: "[]", signal }));
    return answer.status === 403;
  } catch {
    return false;
  }
}

/** The address of the WebSocket, asked without one: the server says whether it has room. Null: by now nothing answers. */
async function withoutSocket() {
  try {
    return await within(ANSWER_MS, async (signal) => {
      const answer = await fetch("v1/realtime", { cache: "no-store", signal });
      if (answer.status === 426) return "blocked";
      const code = await answer.json().then(({ error }) => error.code).catch(() => null);  // something else answers
      return TOLD.has(code) ? code : "no_room";
    });
  } catch {
    return null;  // it answered earlier, and has gone since: that the connection is lost is said elsewhere
  }
}
