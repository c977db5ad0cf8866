// @ts-check
// Notices a server that does not answer: its first message is due without a question, later ones only after a probe, and
// only while somebody waits for the server. Knows no socket: it asks through `ask`.

const PROBE_AFTER_MS = 1000;  // without a message, while somebody waits for the server
const SILENT_MS = 2000;       // without an answer to the probe: the server is silent
const GIVE_UP_MS = 8000;      // ... and the connection counts as lost; one that can be resumed, sooner
const TICK_MS = 250;

/** What the connection is doing. `resumable`: a new socket costs little. @typedef {{ connecting: boolean, watched: boolean, resumable: boolean }} Look */

export class Silence {
  /**
   * `ask` sends a probe and returns whether it could. `changed` is called with each new value of `silent`, `lost` when the
   * socket is to be given up.
   * @param {{ look: () => Look, ask: () => boolean, changed: (silent: boolean) => void, lost: () => void }} parts
   */
  constructor({ look, ask, changed, lost }) {
    this.look = look;
    this.ask = ask;
    this.changed = changed;
    this.lost = lost;
    this.silent = false;
  }

  /** @type {ReturnType<typeof setInterval> | undefined} */
  #ticking;
  #tickedAt = 0; #since = 0; #probed = false;  // `since`: of the last message, or of the probe
  // Of a connection that can be resumed. A server that was slow and not gone gets more time: new sockets are work for it.
  #limitMs = SILENT_MS;

  /** Watch a new socket. */
  watch() {
    [this.#since, this.#probed] = [performance.now(), false];
    this.#set(false);
    this.#tickedAt = performance.now();
    clearInterval(this.#ticking);
    this.#ticking = setInterval(() => this.#tick(), TICK_MS);
  }

  /** A message came. */
  heard() {
    const now = performance.now();
    if (this.#probed && now - this.#since < SILENT_MS) this.#limitMs = SILENT_MS;
    [this.#since, this.#probed] = [now, false];
    this.#set(false);
  }

  /** There is no socket any more. */
  end() {
    clearInterval(this.#ticking);
    this.#set(false);
  }

  #tick() {
    const now = performance.now(), asleep = now - this.#tickedAt > 4 * TICK_MS + 1000;
    this.#tickedAt = now;
    if (asleep) [this.#since, this.#probed] = [now - PROBE_AFTER_MS, false];  // the page was frozen: ask again
    const waited = now - this.#since, { connecting, watched, resumable } = this.look();
    if (connecting) return this.#set(waited >= PROBE_AFTER_MS + SILENT_MS);
    if (!this.#probed) {
      if (watched && waited >= PROBE_AFTER_MS && this.ask()) [this.#since, this.#probed] = [now, true];
    } else if (waited >= (resumable ? this.#limitMs : GIVE_UP_MS)) {
      this.#limitMs = Math.min(2 * this.#limitMs, GIVE_UP_MS);
      this.lost();
    } else this.#set(waited >= SILENT_MS);
  }

  /** @param {boolean} silent */
  #set(silent) {
    if (silent === this.silent) return;
    this.silent = silent;
    this.changed(silent);
  }
}
