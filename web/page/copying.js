// Copies text: a button, and the clipboard of browsers that have no `navigator.clipboard` (pages without https).

import { button } from "./elements.js";
import { setText } from "./language.js";

/** A button that copies `text()`, and says for a moment that it has. The keys: `label` for screen readers, `name` is shown. */
export function copyButton(label, text, name = "copy.name") {
  const made = button(name, async () => {
    const result = await copy(text()) ? "copy.done" : "copy.failed";
    show(result, result);
    setTimeout(() => show(name, label), 1500);
  }, { className: "copy", "data-label": label });
  const show = (shown, said) => {
    made.dataset.label = said;  // written with the text
    setText(made, shown);
  };
  return made;
}

/** Whether it worked. Call it inside a click. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyByEvent(text);  // no https, or a frame that may not write
  }
}

function copyByEvent(text) {
  const write = (event) => {
    event.preventDefault();
    event.stopImmediatePropagation();
    event.clipboardData.setData("text/plain", text);
  };
  document.addEventListener("copy", write, { capture: true, once: true });
  try {
    return document.execCommand("copy");
  } finally {
    document.removeEventListener("copy", write, { capture: true });
  }
}
