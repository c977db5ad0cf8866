// Draws the conversation as elements, never as HTML; the words of an answer light up as they are heard. Finished messages
// also go to a hidden log for screen readers, which would stumble over a text that grows.

import { clip, parse } from "../sdk/markdown.js";
import { h } from "./dom.js";

const TAGS = {
  paragraph: "p", heading: "p", item: "li", quote: "blockquote", table: "table", row: "tr", rule: "hr", link: "a",
  strong: "strong", emphasis: "em", struck: "s",
};
const LOGGED = 12;  // lines of the log that are kept
const NEAR_END_PX = 48;

export class Transcript {
  constructor() {
    this.list = h("div", { class: "list", part: "transcript", role: "group", tabindex: 0 });
    this.log = h("div", { class: "hidden", role: "log", "aria-live": "polite" });
    this.blocks = new Map();  // item id -> {element, item, words, logged}
    this.following = true;    // the newest line is kept visible until the reader scrolls up
    this.list.addEventListener("scroll", () => { this.following = this.#atEnd(); });
  }

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

  /** `heardMs`: item id -> how much of it has been heard. */
  highlight(heardMs) {
    for (const [id, block] of this.blocks) {
      if (!block.words.length || block.heard) continue;
      const ms = heardMs(id);
      for (const { span, time } of block.words) span.classList.toggle("unheard", ms <= time.start_ms);
      block.heard = block.item.final && ms >= block.words.at(-1).time.end_ms;
    }
  }

  /** No more sound comes: nothing is left to hear. */
  finish() {
    for (const block of this.blocks.values()) {
      for (const { span } of block.words) span.classList.remove("unheard");
      block.words = [];
    }
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
    const block = { element, who, text, item: null, texts: null, words: [], heard: false, logged: false };
    this.blocks.set(id, block);
    return block;
  }

  #fill(block, item, texts) {
    Object.assign(block, { item, texts });
    const name = item.role === "user" ? texts.you : texts.answer;
    block.who.textContent = name;
    block.words = [];
    block.text.lang = item.text || !item.unread ? "" : texts.tag;  // what people and models say is in any language
    if (item.role === "user") block.text.textContent = item.text || (item.unread ? texts.troubles.transcription_failed : "…");
    else this.#answer(block, item);
    block.element.classList.toggle("pending", !item.final && item.role === "user");
    block.element.querySelector(":scope > .cut")?.remove();
    if (item.truncated) block.element.append(h("span", { class: "cut" }, texts.cut));
    if (!item.final || block.logged || !(item.text || item.unread)) return;
    block.logged = true;
    this.#tell(name, block.text);
  }

  #answer(block, { text, whole, truncated, words }) {
    const cut = truncated && whole && whole !== text && whole.startsWith(text);
    const tree = cut ? clip(parse(whole), text.length) : parse(text);
    const times = truncated || block.heard ? [] : placed(words, text);
    block.text.replaceChildren(...tree.children.flatMap((node) => drawn(node, text, times, block.words)));
  }

  #atEnd() {
    return this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < NEAR_END_PX;
  }
}

/** The elements of a node of sdk/markdown.js. `words` gets the spans of words with times. */
function drawn(node, text, times, words) {
  if (node.kind === "text") return spans(node, text, times, words);
  const inside = (node.children ?? []).flatMap((child) => drawn(child, text, times, words));
  switch (node.kind) {
    case "code": return [node.language === undefined ? h("code", {}, ...inside) : h("pre", { tabindex: 0 }, h("code", {}, ...inside))];
    case "list": return [h(node.ordered ? "ol" : "ul", {}, ...inside)];
    case "marker": return [h("span", { class: "marker" }, ...inside)];
    case "cell": return [h(node.header ? "th" : "td", {}, ...inside)];
    case "heading": return [h("p", { class: "heading" }, ...inside)];
    case "link": return [h("a", { href: node.href, target: "_blank", rel: "noopener noreferrer" }, ...inside)];
    default: return [h(TAGS[node.kind] ?? "span", {}, ...inside)];
  }
}

/** A leaf as spans, cut where a word of the voice begins or ends. */
function spans({ start, end }, text, times, words) {
  const made = [];
  let at = start;
  for (const time of times) {
    if (time.end <= at || time.start >= end) continue;
    const stop = Math.min(end, time.end);
    const span = h("span", { class: "unheard" }, text.slice(at, stop));
    words.push({ span, time });
    made.push(span);
    at = stop;
  }
  if (at < end) made.push(h("span", {}, text.slice(at, end)));
  return made;
}

/** The words of the voice with their places in the text, as far as they are its beginning. */
function placed(words, text) {
  const found = [];
  let at = 0;
  for (const { text: own, start_ms, end_ms } of words) {
    if (!text.startsWith(own.trimEnd(), at)) break;
    found.push({ start: at, end: Math.min(text.length, at + own.length), start_ms, end_ms });
    at += own.length;
  }
  return found;
}
