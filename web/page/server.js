// What the page knows of its server: the answer of /readyz, asked again until there is one. A proxy may hide that address.

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
    this.answers = false; // whether the last question was answered
  }

  #timer = null; #delay = FIRST_RETRY_MS;

  /** Ask once. Throws if the server cannot be reached. */
  async read() {
    const late = setTimeout(() => this.#set({ silent: true }), SILENT_MS);
    try {
      this.answers = false;
      const answer = await fetch("readyz", { cache: "no-store", signal: AbortSignal.timeout(ANSWER_MS) });
      const readable = answer.headers.get("Content-Type")?.includes("json");  // 503 with the same body if not ready
      if (!readable && answer.status >= 500) throw new Error(`The server answers ${answer.status}.`);  // a proxy without it
      this.#set({ status: readable ? await answer.json() : {}, retryAt: null, answers: true });
      return this.status;
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
