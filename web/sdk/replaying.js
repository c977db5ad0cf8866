// @ts-check
// Tells a session what it does not know: the conversation so far, and that an answer is due. Knows when a session is ready
// for that, and which items it has by itself, from a store. Knows no socket and no document.

import { recreate } from "./conversation.js";

const STORED_ITEMS_MS = 300;  // a stored conversation's items follow `conversation.created` at once
const NO_CONVERSATION_MS = 1000;  // servers that never send that event

/** @import { Conversation, ProtocolEvent } from "./types.js" */

export class Replaying {
  /**
   * `told`: called when the session knows all. `send` returns whether the event was sent. `asksLater`: whether speech that
   * is sent then asks for the answer.
   * @param {{ conversation: () => Conversation, isOpen: () => boolean, asksLater: () => boolean, send: (event: ProtocolEvent) => boolean, told: () => void }} parts
   */
  constructor({ conversation, isOpen, asksLater, send, told }) {
    this.conversation = conversation;
    this.isOpen = isOpen;
    this.asksLater = asksLater;
    this.send = send;
    this.told = told;
    this.ready = false;  // the session knows the conversation: what is new can be sent to it
  }

  #known = new Set(); #askAgain = false;

  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** The session is lost, or another one begins. */
  notReady() {
    this.ready = false;
    clearTimeout(this.#timer);
  }

  /** Follow the server. `before`: the id of the conversation before this event. @param {ProtocolEvent} event @param {string | null} before */
  handle(event, before) {
    switch (event.type) {
      case "session.created": return this.#begin();
      case "session.resumed": return this.ready ? undefined : this.#tell();  // it was lost before it was told
      case "conversation.created": return event.conversation?.id === before ? this.#tellIn(STORED_ITEMS_MS) : this.#tell();
      case "conversation.item.added": return void this.#known.add(event.item?.id);
      case "error": return void (this.#askAgain ||= event.error?.code === "conversation_already_has_active_response");
      case "response.done": return this.#afterAnother();
    }
  }

  #begin() {
    this.notReady();
    this.#known.clear();
    this.#askAgain = false;
    this.#tellIn(NO_CONVERSATION_MS);
  }

  /** @param {number} ms */
  #tellIn(ms) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#tell(), ms);
  }

  #tell() {
    clearTimeout(this.#timer);
    if (this.ready || !this.isOpen()) return;
    this.ready = true;
    for (const event of recreate(this.conversation())) if (!this.#known.has(event.item.id)) this.send(event);
    if (this.conversation().wanted && !this.asksLater()) this.send({ type: "response.create" });
    this.told();
  }

  /** The server was still answering, for example with its greeting: ask when that is over. */
  #afterAnother() {
    if (!this.#askAgain) return;
    this.#askAgain = false;
    this.send({ type: "response.create" });
  }
}
