// @ts-check
// One answer as elements: the tree of markdown.js, whose words light up as they are heard. A delta draws the end of a paragraph
// that has grown, or else the last block: all other elements stay the same, and what somebody has selected stays selected. Every
// text is set as text, never as HTML. Knows no style: its owner makes the elements and names the classes. What it makes of a
// paragraph ends with the last of its children.

import { clip, leaves, parse, parseOn } from "./markdown.js";
import { patch, patchEnd } from "./patching.js";

/** @import { MarkdownNode, Word } from "./types.js" */
/** A word of the voice, and its place in the text. @typedef {{ start: number, end: number, start_ms: number, end_ms: number }} Placed */
/** `node` shows source.slice(start, end), a part of this word; -1: of none. @typedef {{ node: Text, start: number, end: number, span: HTMLElement, word: number }} Piece */
/**
 * `lit`: how many pieces have been heard. `shape`: of what it shows. `frame`: of frameOf. `late`: it shows something older, as something is selected there.
 * @typedef {{ node: MarkdownNode, shape: string, frame: string, element: Element, pieces: Piece[], lit: number, late: boolean }} Block
 */
/** Makes the element of a node. @typedef {(node: MarkdownNode, children: Node[], source: string) => Element} Make */
/** The class of a word that has not been heard, sounds now, or was heard. @typedef {{ waiting: string, saying: string, said: string }} Classes */

const TRY_AGAIN_MS = 250;  // while a selection keeps a block from being redrawn

export class SpokenText {
  /** @param {Element} element @param {{ make: Make, classes: Classes }} look */
  constructor(element, { make, classes }) {
    this.element = element;
    this.make = make;
    this.classes = classes;
    this.source = "";
    /** @type {MarkdownNode} */
    this.root = parse("");
    this.words = /** @type {Placed[]} */ ([]);
    this.heardMs = 0;  // it never goes back; Infinity: to the end, or nothing more will sound
  }

  /** @type {Block[]} */ #blocks = [];
  /** @type {Word[]} */ #given = [];
  /** @type {MarkdownNode} */ #tree = parse("");  // of all that was read
  #read = "";
  #grownFrom = 0;  // what ends before this place is as it was: the text has only grown, and its words are the same
  #open = 0;  // the first block that has not been heard
  /** @type {ReturnType<typeof setTimeout> | null} */ #later = null;

  /** In order, what stands where. */
  get pieces() {
    return this.#blocks.flatMap(({ pieces }) => pieces);
  }

  /** Whether all words that are known have been heard. */
  get heard() {
    const last = this.words.at(-1);
    return this.heardMs === Infinity || (last !== undefined && this.heardMs >= last.end_ms);
  }

  /**
   * `text` is what counts now. After an interruption `whole` is what the model had written: its marks are read as before.
   * `words` are those of the voice; joined, they are the beginning of the text.
   * @param {string} text @param {{ whole?: string, words?: Word[] }} options
   */
  update(text, { whole = text, words = [] } = {}) {
    const cut = whole !== text && whole.startsWith(text), tree = this.#parsed(cut ? whole : text);
    this.root = (cut ? clip(tree, text.length) : null) ?? tree;
    const changed = this.#place(words, text);
    this.source = text;
    this.#draw(changed);
  }

  /** Light the words up to here; null: nothing is known. Returns whether all have been heard. @param {number | null} heardMs */
  light(heardMs) {
    this.heardMs = Math.max(this.heardMs, heardMs ?? 0);
    for (; this.#open < this.#blocks.length; this.#open += 1) {
      if (!this.#lit(this.#blocks[this.#open])) break;
    }
    return this.heard;
  }

  /** Light one block. Returns whether all of it has been heard. @param {Block} block */
  #lit(block) {
    for (let at = block.lit; at < block.pieces.length; at += 1) {
      const { span, word } = block.pieces[at], state = this.#stateOf(word), name = state ? this.classes[state] : "";
      if (span.className !== name) span.className = name;
      if (state === "waiting") return false;  // and so do all after it
      if (at === block.lit && state !== "saying") block.lit += 1;
    }
    return block.lit === block.pieces.length;
  }

  /** Null where no word of the voice is known. @param {number} word @returns {keyof Classes | null} */
  #stateOf(word) {
    const time = this.words[word];
    if (!time) return null;
    return this.heardMs >= time.end_ms ? "said" : this.heardMs > time.start_ms ? "saying" : "waiting";
  }

  /** @param {string} text */
  #parsed(text) {
    this.#tree = text.startsWith(this.#read) ? parseOn(text, this.#tree) : parse(text);
    this.#read = text;
    return this.#tree;
  }

  /** Find the words in the text, as far as they are its beginning. Returns from where on they are others than before. @param {Word[]} given @param {string} text */
  #place(given, text) {
    const before = this.words, grown = text.startsWith(this.source);
    let count = 0;
    while (grown && count < before.length && given[count] === this.#given[count]) count += 1;
    if (given.length !== this.#given.length || text !== this.source) count = Math.max(0, count - 1);  // the last one may have been cut
    this.words = [...before.slice(0, count), ...placed(given.slice(count), text, before[count - 1])];
    this.#given = given;
    const changed = Math.min(before[count]?.start ?? Infinity, this.words[count]?.start ?? Infinity);
    this.#grownFrom = grown ? changed : 0;
    return changed;
  }

  /** @param {number} changed where the first word stands that is another */
  #draw(changed) {
    const nodes = this.root.children ?? [], same = (/** @type {number} */ at) => this.#blocks[at]?.node === nodes[at] && nodes[at].end <= changed;
    let at = 0;
    while (at < nodes.length && same(at)) at += 1;
    for (; at < nodes.length; at += 1) this.#drawBlock(at, nodes[at]);
    for (const { element } of this.#blocks.splice(nodes.length)) element.remove();
    this.light(null);
  }

  /** @param {number} at @param {MarkdownNode} node */
  #drawBlock(at, node) {
    const block = this.#blocks[at], shape = this.#shape(node), frame = frameOf(node);
    if (block) block.node = node;
    if (block?.shape === shape) return;
    if (block && !block.late && frame && block.frame === frame && this.#grow(block, node)) {
      block.shape = shape;
      this.#open = Math.min(this.#open, at);
      return;
    }
    const pieces = /** @type {Piece[]} */ ([]), element = /** @type {Element} */ (this.#made(node, pieces)[0]);
    const kept = block ? patch(block.element, element) : null;
    if (block && !kept) return this.#drawLater(block);
    stay(pieces, kept);
    this.#blocks[at] = { node, shape, frame, pieces, lit: 0, late: false, element: /** @type {Element} */ (kept?.get(element) ?? element) };
    if (!block) this.element.append(element);
    this.#open = Math.min(this.#open, at);
  }

  /** Draw only the end of a paragraph whose last leaf has grown. Returns whether it could. @param {Block} block @param {MarkdownNode} node */
  #grow(block, node) {
    const { pieces, element } = block, leaf = /** @type {MarkdownNode} */ (node.children?.at(-1));
    let stays = pieces.length - 1;  // the last piece may grow
    if (stays < 0 || leaf.end < pieces[stays].end) return false;  // what stood there has become another block
    while (stays > 0 && pieces[stays - 1].end >= this.#grownFrom) stays -= 1;
    const changed = pieces.slice(stays), start = changed[0].start;
    if (start < leaf.start || element.lastChild !== changed.at(-1)?.span) return false;
    const fresh = /** @type {Piece[]} */ ([]), spans = this.#spans({ ...leaf, start }, fresh);
    const kept = patchEnd(element, changed.map(({ span }) => span), spans);
    if (!kept) return false;
    stay(fresh, kept);
    pieces.splice(stays, Infinity, ...fresh);
    block.lit = Math.min(block.lit, stays);
    return true;
  }

  /** Something is selected there. @param {Block} block */
  #drawLater(block) {
    block.late = true;
    this.#later ??= setTimeout(() => {
      this.#later = null;
      this.#draw(0);
    }, TRY_AGAIN_MS);
  }

  /** What is seen of a block: its text, and where its leaves and its words end. @param {MarkdownNode} node */
  #shape(node) {
    const first = firstAfter(this.words, node.start), edges = [];
    for (let at = first; at < this.words.length && this.words[at].start < node.end; at += 1) edges.push(this.words[at].start);
    return JSON.stringify([node.start, first, edges, this.words[first + edges.length - 1]?.end, this.source.slice(node.start, node.end), outline(node)]);
  }

  /** @param {MarkdownNode} node @param {Piece[]} pieces @returns {Element[]} */
  #made(node, pieces) {
    if (node.kind === "text") return this.#spans(node, pieces);
    const children = (node.children ?? []).flatMap((child) => this.#made(child, pieces));
    return [this.make(node, children, this.source)];
  }

  /** A leaf as spans, cut where a word begins or ends. @param {MarkdownNode} leaf @param {Piece[]} pieces */
  #spans({ start, end }, pieces) {
    const spans = [];
    let word = firstAfter(this.words, start);
    for (let at = start; at < end;) {
      while (word < this.words.length && this.words[word].end <= at) word += 1;
      const next = this.words[word], within = next !== undefined && next.start <= at;
      const stop = Math.min(end, next === undefined ? end : within ? next.end : next.start);
      const span = document.createElement("span"), node = document.createTextNode(this.source.slice(at, stop));
      const state = this.#stateOf(within ? word : -1);
      if (state) span.className = this.classes[state];
      span.append(node);
      spans.push(span);
      pieces.push({ node, start: at, end: stop, span, word: within ? word : -1 });
      at = stop;
    }
    return spans;
  }
}

/** Let pieces have the nodes that stayed. @param {Piece[]} pieces @param {Map<Node, Node> | null} kept */
function stay(pieces, kept) {
  for (const piece of pieces) {
    piece.node = /** @type {Text} */ (kept?.get(piece.node) ?? piece.node);
    piece.span = /** @type {HTMLElement} */ (kept?.get(piece.span) ?? piece.span);
  }
}

/** Of a paragraph that ends with text: all of its shape but where that ends; else "". @param {MarkdownNode} node */
function frameOf(node) {
  const children = node.children ?? [], last = children.at(-1);
  if (node.kind !== "paragraph" || last?.kind !== "text") return "";
  return JSON.stringify([node.start, last.start, children.slice(0, -1).map(outline)]);
}

/** The words with their places, from the end of `before` on. Their times never go back. @param {Word[]} words @param {string} text @param {Placed | undefined} before */
function placed(words, text, before) {
  const found = /** @type {Placed[]} */ ([]);
  let last = before ?? { start: 0, end: 0, start_ms: 0, end_ms: 0 };
  for (const { text: own, start_ms, end_ms } of words) {
    const at = last.end;
    if (!text.startsWith(own, at) && (!text.startsWith(own.trimEnd(), at) || at + own.trimEnd().length !== text.length)) break;
    last = {
      start: at, end: Math.min(text.length, at + own.length),
      start_ms: Math.max(last.start_ms, start_ms), end_ms: Math.max(last.end_ms, end_ms),
    };
    found.push(last);
  }
  return found;
}

/** The first word that ends after this place. @param {Placed[]} words @param {number} start */
function firstAfter(words, start) {
  let low = 0, high = words.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (words[middle].end <= start) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The kinds of a tree, and where its leaves end: the same text may have another shape. @param {MarkdownNode} node @returns {unknown} */
function outline(node) {
  if (node.kind === "text") return node.end;
  const { kind, open, href } = node;
  return [kind, open, href, ...(node.children ?? []).map(outline)];
}
