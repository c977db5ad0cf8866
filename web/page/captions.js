// Draws the conversation: one block per item, redrawn only if the item changed. `answer.js` shows the text of an answer.

import { shortened } from "../sdk/beginning.js";
import { Answer } from "./answer.js";
import { copyButton } from "./copying.js";
import { button, element as make } from "./elements.js";
import { language, textOf } from "./language.js";
import { unreadText } from "./texts.js";

const MAX_UNHEARD = 280;  // characters

export class Captions {
  /** `retry` is called when the user asks for an answer again. `tools`: a ToolCalls, to show the calls among the items. */
  constructor(list, log, { retry = () => {}, tools = null } = {}) {
    this.list = list;
    this.log = log;  // for screen readers: only finished items
    this.retry = retry;
    this.tools = tools;
    this.blocks = new Map();  // item id -> {element, answer, item, trouble, logged}
    this.following = true;    // keep the newest line visible until the user scrolls up
    list.addEventListener("scroll", () => { this.following = this.#atBottom(); });
    document.addEventListener("copy", (event) => this.#copy(event));
    new ResizeObserver(() => this.#follow()).observe(list);
  }

  #heardMs = () => null;

  /** `troubleOf`: item -> the sentence under its text with a button to try again, or null. */
  draw(items, troubleOf = () => null) {
    const shown = items.filter((item) => this.#isShown(item));
    const alive = new Set(shown.map((item) => item.id));
    for (const [id, block] of this.blocks) {
      if (alive.has(id)) continue;
      block.element.remove();
      this.blocks.delete(id);
    }
    let next = this.list.firstElementChild;
    for (const item of shown) {
      const block = this.blocks.get(item.id) ?? this.#create(item);
      const trouble = block.call ? null : troubleOf(item);
      if (block.call) this.#fillCall(block, item);
      else if (block.item !== item || block.trouble !== trouble || block.tag !== language.tag) this.#fill(block, item, trouble);
      if (block.element === next) next = next.nextElementSibling;
      else this.list.insertBefore(block.element, next);
    }
    this.#follow();
  }

  /** `heardMs`: item id -> how much of it has been heard; null: nothing is known of it. */
  highlight(heardMs) {
    this.#heardMs = heardMs;  // also for what is drawn later
    for (const [id, block] of this.blocks) this.#light(block, heardMs(id));
  }

  /** No more audio comes: highlight all text. */
  finish() {
    for (const block of this.blocks.values()) this.#light(block, Infinity);
  }

  #light({ answer, element }, heardMs) {
    if (!answer) return;
    const all = answer.light(heardMs) && (answer.heardMs === Infinity || element.classList.contains("final"));
    if (all !== (element.dataset.highlighted === "all")) all ? (element.dataset.highlighted = "all") : delete element.dataset.highlighted;
  }

  #isShown(item) {
    if (item.role === "function_call") return Boolean(this.tools?.look(item.id));
    return !item.hidden && (item.role === "user" || item.role === "assistant");
  }

  #createCall(item) {
    const block = { element: make("div", { className: "caption call" }), call: true, look: null, item, answer: null };
    this.blocks.set(item.id, block);
    return block;
  }

  #fillCall(block, item) {
    const look = this.tools.look(item.id);
    if (look === block.look) return;
    block.look = look;
    block.element.replaceChildren(this.tools.draw(item.id, block.element.querySelector("details")?.open));
  }

  #create(item) {
    if (item.role === "function_call") return this.#createCall(item);
    const who = make("span", { className: "visually-hidden", "data-text": `who.${item.role}` });
    const text = make(item.role === "assistant" ? "div" : "p", { className: "text", dir: "auto", lang: "" });  // in any language
    const element = make("div", {}, who, text);
    const block = { element, text, item: null, trouble: null, tag: null, answer: null, logged: false };
    if (item.role === "assistant") {
      block.answer = new Answer(text);
      const tools = document.createElement("div");
      tools.className = "tools";
      tools.append(copyButton("copy.answer", () => block.answer.source));
      element.append(tools);
    }
    this.blocks.set(item.id, block);
    if (item.typed) this.following = true;  // whoever has just sent a message wants to see it, and its answer
    return block;
  }

  #fill(block, item, trouble) {
    const { element } = block;
    Object.assign(block, { item, trouble, tag: language.tag });
    element.dataset.cut = textOf("item.cut");
    setClasses(element, item);
    this.#write(block, item);
    this.#showUnheard(block, item);
    this.#offerRetry(element, trouble);
    if (item.final && (item.text || item.unread) && !block.logged) {
      block.logged = true;
      const said = make("span", { lang: block.text.lang, textContent: block.answer ? spoken(block.text) : shownOf(item) });
      this.log.append(make("p", {}, make("span", { "data-text": `who.${item.role}` }), said));
      while (this.log.childElementCount > 20) this.log.firstElementChild.remove();
    }
  }

  #write(block, item) {
    if (!block.answer) {
      const text = shownOf(item);
      block.text.lang = item.unread && !item.text ? language.tag : "";  // in the place of what was said stand words of the page
      if (block.text.textContent !== text) block.text.textContent = text;
      return;
    }
    const words = item.truncated ? [] : item.words;
    block.answer.update(item.text, { whole: item.whole ?? item.text, words });
    this.#light(block, this.#heardMs(item.id));
  }

  /** After an interruption: what the model had written and nobody heard. */
  #showUnheard({ element, text }, { truncated, whole, text: heard }) {
    element.querySelector(":scope > .unheard")?.remove();
    const rest = truncated && whole?.startsWith(heard) ? whole.slice(heard.length).trim() : "";
    if (!rest || !heard) return;
    text.after(make("p", { className: "unheard" },
      make("span", { className: "visually-hidden", "data-text": "item.not_heard" }),
      make("s", { dir: "auto", lang: "", textContent: shortened(rest, MAX_UNHEARD) })));
  }

  #offerRetry(element, trouble) {
    element.querySelector(":scope > .trouble")?.remove();
    if (!trouble) return;
    element.append(make("p", { className: "trouble" }, `${trouble} `, button("item.retry", () => this.retry())));
  }

  /** A copied selection is what the model wrote, not what it looks like. */
  #copy(event) {
    const selection = document.getSelection();
    if (!selection.rangeCount || selection.isCollapsed) return;
    const range = selection.getRangeAt(0);
    if (!this.list.contains(range.commonAncestorContainer)) return;
    const parts = [];
    for (const child of this.list.children) {
      if (!range.intersectsNode(child)) continue;
      const block = [...this.blocks.values()].find(({ element }) => element === child);
      parts.push(block?.answer ? block.answer.selected(range) : block?.text ? selectedText(block.text, range) : String(selection));
    }
    const text = parts.filter(Boolean).join("\n\n");
    if (!text) return;
    event.preventDefault();
    event.clipboardData.setData("text/plain", text);
  }

  #follow() {
    if (this.following) this.list.scrollTop = this.list.scrollHeight;
  }

  #atBottom() {
    return this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < 60;
  }
}

/** Only if they are others: the browser would look at the style of every word again. */
function setClasses(element, { role, final, truncated, text, unread, words }) {
  const states = {
    final, truncated, pending: !text && !unread, unread: role === "user" && !text && unread !== null,
    timed: role === "assistant" && !truncated && words.length > 0,
  };
  const name = ["caption", role, ...Object.keys(states).filter((state) => states[state])].join(" ");
  if (element.className !== name) element.className = name;
}

/** What a screen reader should say of an answer: its visible text, without the buttons of its code. */
function spoken(element) {
  const texts = [...element.children].map((block) => (block.querySelector("pre") ?? block).textContent);
  return texts.join(" ");
}

/** What is shown of the user's turn: its words, or why there are none. */
const shownOf = ({ text, unread }) => text || (unread ? unreadText(unread) : "");

function selectedText(element, range) {
  const node = element.firstChild;
  if (!node || !range.intersectsNode(node)) return "";
  const from = node === range.startContainer ? range.startOffset : 0;
  return node.data.slice(from, node === range.endContainer ? range.endOffset : undefined);
}
