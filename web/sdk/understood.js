// @ts-check
// For events of a server of another version, which may lack what is read of them. Knows no event.

/**
 * What `read` returns; `otherwise` if the event lacks something it needs. That is told to the console, not to the page.
 * @template T
 * @param {() => T} read
 * @param {T} otherwise
 * @returns {T}
 */
export function understood(read, otherwise) {
  try {
    return read();
  } catch (error) {
    console.warn("An event of the server was not understood:", error);
    return otherwise;
  }
}
