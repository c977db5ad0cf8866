// What the page knows of its server: the answer of /readyz, asked again until there is one. A proxy may hide that address.

import { repeatedly } from "../sdk/http.js";

const ANSWER_MS = 10_000;
const SILENT_MS = 3000;
const FIRST_RETRY_MS = 1000;
const MAX_RETRY_MS = 15_000;

/** Event: `change`. */
export class Server extends EventTarget {
  constructor() {
    super();
    this.status = null;   // the last answer; {} if the address is hidden
    this.retryAt = null;  // it cannot be reached: the time of the next question, as of performance.now
    this.silent = false;  // it takes longer than 3 s to answer
    this.answers = Promise.resolve(false);  // whether the last question is answered; never rejects
  }

  #timer = null; #delay = FIRST_RETRY_MS; #doubted = false;

  /** What a connection has to know of the server. Only what is not known or not believed is waited for: a lost line comes
   * back sooner for a new socket than for a request. It is asked in any case: the server may have other settings now. */
  async known() {
    const asked = this.read();
    asked.catch(() => {});
    if (this.status === null || this.#doubted) await asked;
    this.#doubted = false;
    return this.status;
  }

  /** The server refused the key, or that there was none: it may want something else by now. */
  doubt() {
    this.#doubted = true;
  }

  /** Ask. Throws if the server cannot be reached. */
  async read() {
    const asked = this.#read();
    this.answers = asked.then(() => true, () => false);
    return asked;
  }

  async #read() {
    const late = setTimeout(() => this.#set({ silent: true }), SILENT_MS);
    try {
      const status = await repeatedly(ANSWER_MS, ask);
      this.#set({ status, retryAt: null });
      return status;
    } finally {
      clearTimeout(late);
      this.#set({ silent: false });
    }
  }

  /** Ask until there is an answer. */
  async poll() {
    clearTimeout(this.#timer);
    try {
      await this.read();
      this.#delay = FIRST_RETRY_MS;
    } catch {
      const delay = this.#delay;
      this.#delay = Math.min(delay * 2, MAX_RETRY_MS);
      this.#set({ retryAt: performance.now() + delay });
      this.#timer = setTimeout(() => this.poll(), delay);
    }
  }

  /** Ask now instead of at `retryAt`. */
  retryNow() {
    if (this.retryAt === null) return;
    this.retryAt = performance.now();
    this.poll();
  }

  #set(values) {
    Object.assign(this, values);
    this.dispatchEvent(new CustomEvent("change"));
  }
}

/** @returns its details; {} where a proxy hides them. */
async function ask(signal) {
  const answer = await fetch("readyz", { cache: "no-store", signal });
  const readable = answer.headers.get("Content-Type")?.includes("json");  // 503 with the same body if not ready
  if (!readable && answer.status >= 500) throw new Error(`The server answers ${answer.status}.`);  // a proxy without it
  return readable ? answer.json() : {};
}
