// The storages of the browser. Frames may be forbidden to store anything. Knows nothing of what is stored.

/**
 * A storage of the browser. What it does not take, because it is full or forbidden, is kept until the page is left.
 * `open`: () -> Storage; it may throw.
 */
function guarded(open) {
  const untaken = new Map();
  const attempt = (action) => { try { return action(open()); } catch { return null; } };
  return {
    get: (name) => untaken.get(name) ?? attempt((own) => own.getItem(name)),
    set(name, value) {
      untaken.set(name, value);
      attempt((own) => { own.setItem(name, value); untaken.delete(name); });
    },
    remove(name) {
      untaken.delete(name);
      attempt((own) => own.removeItem(name));
    },
  };
}

/** Of this tab. */
export const storage = guarded(() => sessionStorage);
/** Of this browser: for choices, never for keys or what was said. */
export const lasting = guarded(() => localStorage);
