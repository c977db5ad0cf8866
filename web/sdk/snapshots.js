// @ts-check
// One immutable value of the state, for frameworks that compare by identity (React's useSyncExternalStore).
// Knows only the functions it is given.

const sameValues = (/** @type {any} */ one, /** @type {any} */ other) => Object.keys(other).every((key) => Object.is(one[key], other[key]));

/**
 * A function that returns `read()`, and the object of the last call as long as nothing has changed. `read` returns plain
 * objects of values: {conversation, phase, answering, connection: {…}, microphone: {…}}; those named in `nested` are compared by value.
 * @template {Record<string, any>} T
 * @param {() => T} read
 * @param {string[]} nested
 * @returns {() => T}
 */
export function snapshots(read, nested) {
  /** @type {any} */
  let last = null;
  return () => {
    /** @type {any} */
    const now = read();
    for (const name of nested) if (last && sameValues(last[name], now[name])) now[name] = last[name];
    if (!last || !sameValues(last, now)) last = Object.freeze(now);
    return last;
  };
}
