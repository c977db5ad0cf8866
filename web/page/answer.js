// Shows one answer: the tree of sdk/markdown.js as elements, its words lit as they are heard, and copied as the model wrote
// it. Every text on the screen is set as text, never as HTML. Redraws only the blocks that have changed.

import { clip, copyOf, leaves, parse } from "../sdk/markdown.js";
import { copyButton } from "./copying.js";

const TAGS = {
  paragraph: "p", list: "ul", item: "li", quote: "blockquote", table: "table", row: "tr", rule: "hr",
  strong: "strong", emphasis: "em", struck: "s", code: "code", escape: "span", marker: "span", label: "span",
};

export class Answer {
  constructor(element) {
    this.element = element;
    this.source = "";
    this.pieces = [];   // {node, start, end, span, word}, in order; `node` shows source.slice(start, end)
    this.words = [];    // {start, end, start_ms, end_ms}
  }

  #root = null; #blocks = [];  // [{key, element, pieces}]

  /**
   * `text` is what counts now. After an interruption `whole` is what the model had written: its marks are read as before.
   * `words` are those of the voice; joined, they are the beginning of the text.
   */
  update(text, { whole = text, words = [] } = {}) {
    const cut = whole !== text && whole.startsWith(text);
    const tree = parse(cut ? whole : text);
    this.#root = cut ? clip(tree, text.length) : tree;
    this.source = text;
    this.words = placed(words, text);
    const blocks = this.#root.children.map((node) => this.#reused(node) ?? this.#drawn(node));
    blocks.forEach(({ element }, at) => {
      if (this.element.children[at] !== element) this.element.insertBefore(element, this.element.children[at] ?? null);
    });
    while (this.element.childElementCount > blocks.length) this.element.lastElementChild.remove();
    this.#blocks = blocks;
    this.pieces = blocks.flatMap((block) => block.pieces);
  }

  /** Light the words up to `heardMs`. Returns whether all have been heard. */
  highlight(heardMs) {
    for (const { span, word } of this.pieces) {
      const time = this.words[word];
      const name = !time ? "" : heardMs >= time.end_ms ? "said" : heardMs > time.start_ms ? "saying" : "";
      if (span.className !== name) span.className = name;
    }
    return this.words.length > 0 && heardMs >= this.words.at(-1).end_ms;
  }

  /** The model's text for what a Range of the document selects; "" if it selects nothing of this answer. */
  selected(range) {
    let from = Infinity, to = -1;
    for (const { node, start } of this.pieces) {
      if (!range.intersectsNode(node)) continue;
      const first = node === range.startContainer ? range.startOffset : 0;
      const last = node === range.endContainer ? range.endOffset : node.data.length;
      if (first >= last) continue;
      from = Math.min(from, start + first);
      to = Math.max(to, start + last);
    }
    return to < 0 ? "" : copyOf(this.source, this.#root, from, to);
  }

  #key(node) {
    const edges = this.words.filter(({ start, end }) => end > node.start && start < node.end).map(({ start }) => start);
    const first = this.words.findIndex(({ end }) => end > node.start);
    return JSON.stringify([node.kind, node.start, node.end, first, edges, this.source.slice(node.start, node.end), last(node)]);
  }

  #reused(node) {
    const key = this.#key(node);
    return this.#blocks.find((block) => block.key === key);
  }

  #drawn(node) {
    const pieces = [];
    const element = this.#element(node, pieces);
    return { key: this.#key(node), element, pieces };
  }

  #element(node, pieces) {
    if (node.kind === "text") return this.#text(node, pieces);
    if (node.kind === "code" && node.language !== undefined) return this.#codeBlock(node, pieces);
    const element = document.createElement(tagOf(node));
    if (node.kind === "marker") element.className = "marker";
    if (node.kind === "cell" && node.align !== "left") element.className = `align-${node.align}`;
    if (node.kind === "link") Object.assign(element, { href: node.href, target: "_blank", rel: "noopener noreferrer", title: node.href });
    element.append(...this.#children(node, pieces));
    if (node.kind !== "table") return element;
    const frame = document.createElement("div");  // a wide table scrolls, and not the page
    frame.className = "wide";
    frame.append(element);
    return frame;
  }

  #children(node, pieces) {
    return node.children.flatMap((child) => {
      const made = this.#element(child, pieces);
      return made instanceof Array ? made : [made];
    });
  }

  #codeBlock(node, pieces) {
    const frame = document.createElement("div"), head = document.createElement("div");
    const pre = document.createElement("pre"), code = document.createElement("code");
    frame.className = "code";
    head.className = "code-head";
    const name = document.createElement("span");
    name.textContent = node.language;
    const text = [...leaves(node)].map(({ start, end }) => this.source.slice(start, end)).join("");
    head.append(name, copyButton("copy.code", () => text));
    code.append(...this.#children(node, pieces));
    pre.tabIndex = 0;  // can be scrolled with keys
    pre.append(code);
    frame.append(head, pre);
    return frame;
  }

  /** A leaf as spans, cut where a word begins or ends. */
  #text({ start, end }, pieces) {
    const spans = [];
    let word = firstAfter(this.words, start);
    for (let at = start; at < end;) {
      while (word < this.words.length && this.words[word].end <= at) word += 1;
      const within = word < this.words.length && this.words[word].start <= at;
      const stop = Math.min(end, word >= this.words.length ? end : within ? this.words[word].end : this.words[word].start);
      const span = document.createElement("span"), node = document.createTextNode(this.source.slice(at, stop));
      span.append(node);
      spans.push(span);
      pieces.push({ node, start: at, end: stop, span, word: within ? word : -1 });
      at = stop;
    }
    return spans;
  }
}

function tagOf({ kind, level, ordered, header }) {
  if (kind === "heading") return `h${Math.min(6, level + 2)}`;  // the page has its own h1
  if (kind === "list") return ordered ? "ol" : "ul";
  if (kind === "cell") return header ? "th" : "td";
  if (kind === "link") return "a";
  return TAGS[kind];
}

/** The words with their places in the text: as far as they are its beginning. */
function placed(words, text) {
  let at = 0;
  const found = [];
  for (const { text: own, start_ms, end_ms } of words) {
    if (!text.startsWith(own, at)) {
      if (!text.startsWith(own.trimEnd(), at) || at + own.trimEnd().length !== text.length) break;
    }
    if (own) found.push({ start: at, end: Math.min(text.length, at + own.length), start_ms, end_ms });
    at += own.length;
  }
  return found;
}

function firstAfter(words, start) {
  let low = 0, high = words.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (words[middle].end <= start) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A block without its last mark may have the same text and another shape: the ends of its leaves tell. */
function last(node) {
  let count = 0, end = 0;
  for (const leaf of leaves(node)) [count, end] = [count + 1, leaf.end];
  return [count, end, node.open ?? null];
}
