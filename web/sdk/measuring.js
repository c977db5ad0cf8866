// @ts-check
// Tells `stats.js` what happens in a conversation: events, frames and playback, with the time of each.
// Knows the objects that say so; counts nothing itself.

import { Stats } from "./stats.js";

/** @import { Measurements } from "./types.js" */
/** @import { Connection } from "./connection.js" */
/** @import { Player } from "./player.js" */

export class Measuring {
  /** @param {{ voice: EventTarget, connection: Connection, player: Player }} parts */
  constructor({ voice, connection, player }) {
    this.connection = connection;
    this.stats = new Stats();
    const on = (/** @type {EventTarget} */ target, /** @type {string} */ type, /** @type {(detail: any, at: number) => void} */ tell) =>
      target.addEventListener(type, (event) => tell(/** @type {CustomEvent} */ (event).detail, performance.now()));
    on(voice, "event", (event, at) => this.stats.received(event, { at }));
    on(voice, "sent", (event, at) => this.stats.sent(event, { at }));
    on(connection, "frame", ({ stream }, at) => this.stats.frame({ stream, at }));
    on(player, "progress", (_, at) => this.stats.playback({ at, ...playbackOf(player) }));
  }

  /** Another conversation begins. */
  reset() {
    this.stats.reset();
    this.connection.traffic = { sent: 0, received: 0 };
  }

  /** @returns {Measurements} */
  read() {
    return this.stats.read(this.connection.traffic);
  }
}

function playbackOf(/** @type {Player} */ { parts, underruns, bufferedMs, jitterMs }) {
  const heard = new Map([...parts].map(([key, { heardMs }]) => [key.slice(key.indexOf(":") + 1), heardMs]));
  return { heard, underruns, bufferedMs: Math.round(bufferedMs), jitterMs: Math.round(jitterMs) };
}
