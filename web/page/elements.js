// Makes elements. Texts are set as text, never as HTML: nothing a server, a tool or a model says becomes markup. The page's own
// words are named by their keys in `data-text`, `data-label` …, see language.js.

import { translate } from "./language.js";

/** `element("p", { className: "x", textContent: "…" }, child, …)`. Names with a hyphen and `role`, `for` become attributes. */
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue;
    if (name.includes("-") || name === "role" || name === "for" || name === "list") made.setAttribute(name, value);
    else made[name] = value;
  }
  if (Object.keys(made.dataset).length) translate(made);
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** A button that calls `action`. `key`: of its text; null: what `properties` say. */
export function button(key, action, properties = {}) {
  const made = element("button", { type: "button", "data-text": key, ...properties });
  made.addEventListener("click", action);
  return made;
}

/** Offer a file to the person. */
export function download(name, blob) {
  const url = URL.createObjectURL(blob);
  element("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
