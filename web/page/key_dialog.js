// Asks for the server's key: once for each refusal; closing the dialog counts as an answer. The key stays in this tab.

import { clientSecret } from "../sdk/http.js";
import { setText } from "./language.js";
import { storage } from "./storing.js";

const KEY = "realtime.key";
const byId = (id) => document.getElementById(id);

export class KeyDialog {
  /** `entered`: called with a new key in place. `closed`: called each time the dialog closes. */
  constructor({ entered, closed }) {
    this.dialog = byId("key-dialog");
    this.said = "";  // by the server, of the last refusal
    byId("key-cancel").addEventListener("click", () => this.dialog.close());
    this.dialog.addEventListener("close", closed);
    byId("key-form").addEventListener("submit", (event) => {
      event.preventDefault();
      storage.set(KEY, byId("key").value.trim());
      byId("key").value = "";
      this.dialog.close();
      entered();
    });
  }

  #asked = null;

  get open() {
    return this.dialog.open;
  }

  get key() {
    return storage.get(KEY);
  }

  /** Headers for an address of the server that wants the key. */
  get headers() {
    return this.key ? { Authorization: `Bearer ${this.key}` } : {};
  }

  /** A short-lived secret, or null if the server needs none. */
  async secret({ key_required }) {
    if (key_required === false || (key_required === undefined && !this.key)) return null;
    if (!this.key) throw Object.assign(new Error("no key"), { refused: "key_needed" });
    return clientSecret("v1/realtime/client_secrets", this.key);
  }

  /** Whether it has opened now. */
  askIfRefused({ state, reason }) {
    const needsKey = state === "refused" && (reason === "key_needed" || reason === "invalid_api_key");
    if (!needsKey) return Boolean(this.#asked = null);
    if (this.#asked === reason || this.open) return false;
    this.#asked = reason;
    const trouble = /expired/i.test(this.said ?? "") ? "key.expired" : "key.refused";
    setText(byId("key-error"), reason === "invalid_api_key" && this.key ? trouble : null);
    if (reason === "invalid_api_key") storage.remove(KEY);
    this.dialog.showModal();
    return true;
  }
}
