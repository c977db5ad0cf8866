// Copies text: a button, and the clipboard of browsers that have no `navigator.clipboard` (pages without https).

/** A button that copies `text()`, and says for a moment that it has. `label` is for screen readers, `name` is shown. */
export function copyButton(label, text, name = "Copy") {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = name;
  button.setAttribute("aria-label", label);
  button.addEventListener("click", async () => {
    const copied = await copy(text());
    button.textContent = copied ? "Copied" : "Not copied";
    setTimeout(() => { button.textContent = name; }, 1500);
  });
  return button;
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
