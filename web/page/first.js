// Runs first, while the other modules are still loaded: the page in the person's language, before it is seen.

import { Choices } from "./choices.js";
import { language } from "./language.js";

export const choices = new Choices(location.href);

/** The chosen language, or the browser's. */
function follow() {
  language.use(choices.get("lang") ?? navigator.languages ?? [navigator.language]);
}

/** The address of the page says only what still counts. */
function shorten() {
  const address = choices.address(location.href);
  try {
    if (address !== location.href) history.replaceState(history.state, "", address);
  } catch {}  // a frame without an origin may not
}

choices.addEventListener("change", ({ detail: name }) => {
  if (name === null || name === "lang") follow();
  shorten();
});
addEventListener("languagechange", follow);
follow();
