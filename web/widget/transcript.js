// Draws the conversation as elements, never as HTML; the words of an answer light up as they are heard. Finished messages
// also go to a hidden log for screen readers, which would stumble over a text that grows.

import { SpokenText } from "../sdk/spoken_text.js";
import { h } from "./dom.js";

const TAGS = {
  paragraph: "p", heading: "p", item: "li", quote: "blockquote", table: "table", row: "tr", rule: "hr", link: "a",
  strong: "strong", emphasis: "em", struck: "s",
};
const CLASSES = { waiting: "unheard", saying: "", said: "" };
const LOGGED = 12;  // lines of the log that are kept
const NEAR_END_PX = 48;

export class Transcript {
  constructor() {
    this.list = h("div", { class: "list", part: "transcript", role: "group", tabindex: 0 });
    this.log = h("div", { class: "hidden", role: "log", "aria-live": "polite" });
    this.blocks = new Map();  // item id -> {element, item, answer, logged}
    this.following = true;    // the newest line is kept visible until the reader scrolls up
    this.list.addEventListener("scroll", () => { this.following = this.#atEnd(); });
  }

  #heardMs = () => null;

  /** `items`: of the SDK's conversation; those that are shown. `texts`: the widget's own words. */
  draw(items, texts) {
    const alive = new Set(items.map(({ id }) => id));
    for (const [id, { element }] of this.blocks) if (!alive.has(id)) { element.remove(); this.blocks.delete(id); }
    items.forEach((item, at) => {
      const block = this.blocks.get(item.id) ?? this.#create(item);
      if (block.item !== item || block.texts !== texts) this.#fill(block, item, texts);
      if (this.list.children[at] !== block.element) this.list.insertBefore(block.element, this.list.children[at] ?? null);
    });
    this.follow();
  }

  /** `heardMs`: item id -> how much of it has been heard; null: nothing is known of it. */
  highlight(heardMs) {
    this.#heardMs = heardMs;  // also for what is drawn later
    for (const [id, { answer }] of this.blocks) answer?.light(heardMs(id));
  }

  /** No more sound comes: nothing is left to hear. */
  finish() {
    for (const { answer } of this.blocks.values()) answer?.light(Infinity);
  }

  follow() {
    if (this.following) this.list.scrollTop = this.list.scrollHeight;
  }

  /** Say to a screen reader once what somebody has said, or why there are no words. */
  #tell(name, { textContent, lang }) {
    this.log.append(h("p", {}, name, h("span", { lang }, textContent)));
    while (this.log.childElementCount > LOGGED) this.log.firstElementChild.remove();
  }

  #create({ id, role }) {
    const user = role === "user";
    const who = h("span", { class: "hidden" }), text = h("div", { class: "text", dir: "auto", lang: "" });
    const element = h("div", { class: `message ${user ? "user" : "assistant"}`, part: `message ${user ? "user" : "assistant"}` }, who, text);
    const answer = user ? null : new SpokenText(text, { make, classes: CLASSES });
    const block = { element, who, text, answer, item: null, texts: null, logged: false };
    this.blocks.set(id, block);
    return block;
  }

  #fill(block, item, texts) {
    Object.assign(block, { item, texts });
    const name = item.role === "user" ? texts.you : texts.answer;
    block.who.textContent = name;
    const lang = item.text || !item.unread ? "" : texts.tag;  // what people and models say is in any language
    if (block.text.lang !== lang) block.text.lang = lang;  // set again, it would cost the style of every word
    if (!block.answer) block.text.textContent = item.text || (item.unread ? texts.troubles.transcription_failed : "…");
    else this.#answer(block.answer, item);
    block.element.classList.toggle("pending", !item.final && item.role === "user");
    block.element.querySelector(":scope > .cut")?.remove();
    if (item.truncated) block.element.append(h("span", { class: "cut" }, texts.cut));
    if (!item.final || block.logged || !(item.text || item.unread)) return;
    block.logged = true;
    this.#tell(name, block.text);
  }

  #answer(answer, { id, text, whole, truncated, words }) {
    answer.update(text, { whole: whole ?? text, words: truncated ? [] : words });
    answer.light(this.#heardMs(id));
  }

  #atEnd() {
    return this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < NEAR_END_PX;
  }
}

/** The element of a node of sdk/markdown.js. */
function make(node, inside) {
  switch (node.kind) {
    case "code": return node.language === undefined ? h("code", {}, ...inside) : h("pre", { tabindex: 0 }, h("code", {}, ...inside));
    case "list": return h(node.ordered ? "ol" : "ul", {}, ...inside);
    case "marker": return h("span", { class: "marker" }, ...inside);
    case "cell": return h(node.header ? "th" : "td", {}, ...inside);
    case "heading": return h("p", { class: "heading" }, ...inside);
    case "link": return h("a", { href: node.href, target: "_blank", rel: "noopener noreferrer" }, ...inside);
    default: return h(TAGS[node.kind] ?? "span", {}, ...inside);
  }
}
