// Opens and closes the side panels. Their code is loaded at the first opening. Remembers whether the drawer was open.

import { lasting } from "./storing.js";

const OPEN = "realtime.drawer";

/** The drawer's button and its key F2. `make`: async () -> {start(), stop()}; it is called once. `failed`: it could not load. */
export function drawerSwitch({ root, toggle, make, failed }) {
  let drawer = null, open = false;

  async function set(next) {
    open = next;
    root.hidden = !next;
    document.body.toggleAttribute("data-drawer", next);
    toggle.setAttribute("aria-expanded", String(next));
    lasting[next ? "set" : "remove"](OPEN, "1");
    if (!next) return drawer?.stop();
    try {
      drawer ??= await make();
      if (open) drawer.start();
    } catch (error) {
      set(false);
      failed(error);
    }
  }

  toggle.addEventListener("click", () => set(!open));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "F2" || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    set(!open);
  });
  if (lasting.get(OPEN)) set(true);
  return { close: () => { set(false); toggle.focus(); } };
}

/** The button of a dialog. `make`: async () -> {open()}; it is called once. */
export function sheetSwitch({ dialog, toggle, make, failed }) {
  let sheet = null;
  toggle.addEventListener("click", async () => {
    try {
      sheet ??= await make();
      await sheet.open();
    } catch (error) {
      failed(error);
    }
  });
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });  // its backdrop
}
