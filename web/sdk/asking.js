// @ts-check
// What the user asks in writing, and asks again. Messages are sent in the order in which they were written, however long
// their pictures take. Knows no socket and no sound.

import { inputOf } from "./conversation.js";
import { asAddresses } from "./images.js";

/** @import { Conversation, Message, ProtocolEvent } from "./types.js" */

export class Asking {
  /**
   * `apply`: changes the conversation. `cut`: stops the running answer. `wanted`: whether the user wants a conversation.
   * `ready`: whether the session knows the one before; if not, it is told of all that is new as soon as it does.
   * @param {{ conversation: () => Conversation, apply: (event: ProtocolEvent) => void, send: (event: ProtocolEvent) => boolean,
   *   cut: () => Promise<void>, wanted: () => boolean, ready: () => boolean }} parts
   */
  constructor({ conversation, apply, send, cut, wanted, ready }) {
    this.conversation = conversation;
    this.apply = apply;
    this.send = send;
    this.cut = cut;
    this.wanted = wanted;
    this.ready = ready;
  }

  #discarded = 0;  // conversations so far
  /** @type {Promise<unknown>} The message before, or the end of the conversation before. */
  #before = Promise.resolve();

  /** Send a message after those before it. @param {string | Message} message */
  say(message) {
    const { text = "", images = [] } = typeof message === "string" ? { text: message } : message;
    const said = this.#sayAfter(Promise.all([asAddresses(images), this.cut(), this.#before]), text);
    this.#before = said.catch(() => {});
    return said;
  }

  /** The conversation is discarded: nothing more is said in it, and what is said from now on waits for this. @param {Promise<void>} done */
  discard(done) {
    this.#discarded += 1;
    this.#before = done.catch(() => {});  // who discarded it is told
  }

  /** @param {Promise<[string[], ...unknown[]]>} ready with the addresses of the images @param {string} text */
  async #sayAfter(ready, text) {
    const discarded = this.#discarded, { newest } = this.conversation();
    const [images] = await ready;
    if (this.conversation().newest !== newest) await this.cut();  // the message before is answered already
    if (discarded !== this.#discarded) return;
    const id = `msg_${crypto.getRandomValues(new Uint32Array(4)).join("")}`;
    this.apply({ type: "local.message", item_id: id, text, images });
    if (!this.wanted()) this.apply({ type: "local.stopped" });
    if (!this.ready()) return;  // it is sent then, in its place
    this.send({ type: "conversation.item.create", item: { id, type: "message", role: "user", content: inputOf({ text, images }) } });
    this.send({ type: "response.create" });
  }

  /** Ask again for the last answer. What there was of it is removed. */
  async retry() {
    const discarded = this.#discarded;
    await this.cut();
    if (!this.wanted() || discarded !== this.#discarded) return;
    const { items } = this.conversation();
    const asked = items.map(({ role, hidden }) => role === "user" && !hidden).lastIndexOf(true);
    for (const { id, role, placed } of items.slice(asked + 1)) {
      if (role !== "assistant") continue;
      if (placed) this.send({ type: "conversation.item.delete", item_id: id });
      this.apply({ type: "conversation.item.deleted", item_id: id });
    }
    this.apply({ type: "local.retried" });
    if (this.ready()) this.send({ type: "response.create" });
  }
}
