// @ts-check
// Keeps an AudioContext running. A phone call, another app or the operating system may stop it at any time: iOS calls that
// state "interrupted", others "suspended". It runs again by itself, or when the page is shown, or at the next gesture.

const GESTURES = ["pointerdown", "pointerup", "touchend", "keydown", "click"];  // which of them count differs by browser
const RETRY_MS = 1000;

/** Whether this page can have sound at all: browsers give worklets only to https pages and to localhost. */
export const soundIsPossible = () => Boolean(globalThis.isSecureContext && globalThis.AudioWorkletNode);

/**
 * Resume `context` whenever it has stopped, until it is closed. `onState` is called with "running" or "interrupted" each
 * time that changes after it first ran; a context that does not begin to run within a second, as before the first gesture,
 * is interrupted, too. Returns a function that ends this.
 * @param {AudioContext} context
 * @param {(state: "running" | "interrupted") => void} onState
 */
export function keepRunning(context, onState = () => {}) {
  let ran = context.state === "running", reported = ran ? "running" : null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  const resume = () => {
    if (context.state === "closed") return end();
    if (context.state !== "running") Promise.resolve(context.resume()).catch(() => {});
  };
  const check = () => {
    clearTimeout(timer);
    if (context.state === "closed") return end();
    const now = context.state === "running" ? "running" : "interrupted";
    ran ||= now === "running";
    if (ran && now !== reported) onState((reported = now));
    if (now === "running") return;
    resume();
    timer = setTimeout(again, RETRY_MS);  // the end of a call is not always told
  };
  const again = () => { ran = true; check(); };
  const shown = () => { if (document.visibilityState === "visible") resume(); };
  const end = () => {
    clearTimeout(timer);
    context.removeEventListener("statechange", check);
    document.removeEventListener("visibilitychange", shown);
    removeEventListener("pageshow", shown);
    for (const name of GESTURES) removeEventListener(name, resume, { capture: true });
  };

  context.addEventListener("statechange", check);
  document.addEventListener("visibilitychange", shown);
  addEventListener("pageshow", shown);
  for (const name of GESTURES) addEventListener(name, resume, { capture: true, passive: true });
  check();
  return end;
}

/** A context of its own for each player and each microphone. */
export const ownContexts = {
  open: (/** @type {AudioContextOptions} */ options) => new AudioContext(options),
  close: async (/** @type {AudioContext} */ context) => { if (context.state !== "closed") await context.close(); },
};

/** One context for many players and microphones: opened for the first of them, closed when the last one has closed it. */
export function sharedContexts() {
  /** @type {AudioContext | null} */
  let shared = null;
  let users = 0;
  return {
    open(/** @type {AudioContextOptions} */ _options) {  // it runs at the rate of the device: the microphone wants that
      if (!shared || shared.state === "closed") {
        shared = new AudioContext({ latencyHint: "interactive" });
        users = 0;
      }
      users += 1;
      return shared;
    },
    async close(/** @type {AudioContext} */ context) {
      if (context !== shared || --users > 0) return;
      shared = null;
      await ownContexts.close(context);
    },
  };
}
