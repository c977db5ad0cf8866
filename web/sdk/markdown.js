// @ts-check
// An answer's Markdown as a tree over the model's own characters. Pure: knows no document.
//
//   parse(text)  -> {kind: "root", start, end, children}
//   parseOn(text, tree)  -> the same, where `tree` is of a beginning of the text: reads only its end again
//
// Blocks: paragraph · heading {level} · list {ordered} · item · quote · code {language, open} · table · row · cell {header,
// align} · rule. Inside of them: strong · emphasis · struck · code (inline: has no `language`) · link {href} · label (of
// a link to a place that this page does not have) · escape · marker (the number of a list item). Leaves: {kind: "text", start, end}, and what they show is text.slice(start, end).
// So every visible character is one of the text, in order; only marks are hidden. `copyOf` gives them back.

import { parseInline } from "./inline.js";

/** @import { MarkdownNode } from "./types.js" */
/** `stop`: after its newline. @typedef {{ start: number, end: number, stop: number }} Line */
/** A block, and the index of the line after it. @typedef {[MarkdownNode, number]} Block */

const FENCE = /^( {0,3})(`{3,}(?=[^`]*$)|~{3,})[ \t]*(.*)$/;
const HEADING = /^ {0,3}(#{1,6})[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*$/;
const RULE = /^ {0,3}([-*_])(?:[ \t]*\1){2,}[ \t]*$/;
const QUOTE = /^ {0,3}> ?/;
const ITEM = /^( *)([-*+]|\d{1,9}[.)])(?:( {1,4})(?=\S)|[ \t]+(?=\S)|[ \t]*$)/;
const DIVIDER = /^ {0,3}\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$/;
const ARITHMETIC = /^[-+*>]\s*(?:[\d=.]|$)/;  // "- 5", "> 3": alone on its line, this is no mark
const MAX_DEPTH = 12;

/** @param {string} text @returns {MarkdownNode} */
export function parse(text) {
  return { kind: "root", start: 0, end: text.length, children: blocks(text, linesFrom(text, 0), 0) };
}

/**
 * The tree of a text that has grown. What comes can change the last block and the one before it: where that one ends depends on
 * the line after it, and on the line after that. All others stay the same objects.
 * @param {string} text @param {MarkdownNode} tree of its beginning
 * @returns {MarkdownNode}
 */
export function parseOn(text, { children = [] }) {
  const again = children.at(-2);
  if (!again) return parse(text);
  const lines = linesFrom(text, text.lastIndexOf("\n", again.start - 1) + 1);
  return { kind: "root", start: 0, end: text.length, children: [...children.slice(0, -2), ...blocks(text, lines, 0)] };
}

/** @param {string} text @param {number} from where a line begins */
function linesFrom(text, from) {
  const lines = /** @type {Line[]} */ ([]);
  for (let start = from; start <= text.length;) {
    const newline = text.indexOf("\n", start);
    const stop = newline < 0 ? text.length : newline + 1;  // with the newline
    let end = newline < 0 ? stop : newline;
    if (end > start && text[end - 1] === "\r") end -= 1;
    lines.push({ start, end, stop });
    if (newline < 0) break;
    start = stop;
  }
  return lines;
}

/** How much of the beginning of a text can only be seen: the code and tables before the first word that is said. @param {string} text */
export function seenLength(text) {
  let end = 0;
  for (const node of parse(text).children ?? []) {
    if (node.kind === "code" || node.kind === "table") end = node.end;
    else if ([...leaves(node)].some((leaf) => /[\p{L}\p{N}]/u.test(text.slice(leaf.start, leaf.end)))) break;
  }
  return end;
}

/** The leaves of a tree, in order. @param {MarkdownNode} node @returns {Generator<MarkdownNode>} */
export function* leaves(node) {
  if (node.kind === "text") yield node;
  else for (const child of node.children ?? []) yield* leaves(child);
}

/**
 * The tree without what stands at or after `limit`: what was not heard.
 * @param {MarkdownNode} node @param {number} limit @returns {MarkdownNode | null}
 */
export function clip(node, limit) {
  if (node.kind === "text") return node.start < limit ? { ...node, end: Math.min(node.end, limit) } : null;
  if (node.start >= limit && node.kind !== "root") return null;
  const children = (node.children ?? []).map((child) => clip(child, limit)).filter((child) => child !== null);
  if (!children.length && node.kind !== "root" && node.kind !== "rule" && node.kind !== "cell") return null;
  return { ...node, end: Math.min(node.end, limit), children };
}

/**
 * What to copy for a selection from the visible character at `from` up to `to`: the marks of everything that is selected
 * as a whole belong to it. A selection inside of one piece of code is the code alone, as it is shown.
 * @param {string} text
 * @param {MarkdownNode} root
 * @param {number} from
 * @param {number} to
 */
export function copyOf(text, root, from, to) {
  let [start, end] = [from, to], code = /** @type {MarkdownNode[] | null} */ (null);
  const visit = (/** @type {MarkdownNode} */ node) => {
    const own = [...leaves(node)];
    if (node.kind === "text" || !own.length) return;
    const [first, last] = [own[0].start, own[own.length - 1].end];
    if (last <= from || first >= to) return;
    if (node.kind === "code" && first <= from && to <= last) code = own;
    if (first >= from && last <= to) [start, end] = [Math.min(start, node.start), Math.max(end, node.end)];
    node.children?.forEach(visit);
  };
  visit(root);
  if (!code) return text.slice(start, end);
  return code.map((leaf) => text.slice(Math.max(from, leaf.start), Math.min(to, leaf.end))).join("");
}

const lineText = (/** @type {string} */ text, /** @type {Line} */ line) => text.slice(line.start, line.end);
const isBlank = (/** @type {string} */ text, /** @type {Line} */ line) => !lineText(text, line).trim();
const indentOf = (/** @type {string} */ text, /** @type {Line} */ line) => lineText(text, line).search(/[^ ]|$/);

/** For a line that is known to match. @param {RegExp} pattern @param {string} own */
const matched = (pattern, own) => /** @type {RegExpExecArray} */ (pattern.exec(own));

/** @param {string} text @param {Line[]} lines @param {number} depth @returns {MarkdownNode[]} */
function blocks(text, lines, depth) {
  const nodes = /** @type {MarkdownNode[]} */ ([]);
  for (let i = 0; i < lines.length;) {
    if (isBlank(text, lines[i])) { i += 1; continue; }
    const [node, next] = blockAt(text, lines, i, depth);
    nodes.push(node);
    i = next;
  }
  return nodes;
}

/** @param {string} text @param {Line[]} lines @param {number} i @param {number} depth @returns {Block} */
function blockAt(text, lines, i, depth) {
  const own = lineText(text, lines[i]);
  const nested = depth < MAX_DEPTH;
  return (FENCE.test(own) && codeBlock(text, lines, i))
    || (HEADING.test(own) && heading(text, lines, i))
    || (RULE.test(own) && [{ kind: "rule", start: lines[i].start, end: lines[i].end, children: [] }, i + 1])
    || (nested && QUOTE.test(own) && quote(text, lines, i, depth))
    || (nested && ITEM.test(own) && list(text, lines, i, depth))
    || table(text, lines, i)
    || paragraph(text, lines, i, depth);
}

/**
 * Whether a block begins here that ends a paragraph. Only a list that begins with 1 does ("It was in\n2024. Then").
 * @param {string} text @param {Line[]} lines @param {number} i @param {number} depth
 * @returns {boolean}
 */
function interrupts(text, lines, i, depth) {
  const own = lineText(text, lines[i]);
  if (FENCE.test(own) || HEADING.test(own) || RULE.test(own)) return true;
  if (depth < MAX_DEPTH && QUOTE.test(own)) return Boolean(quote(text, lines, i, MAX_DEPTH));
  const item = depth < MAX_DEPTH && ITEM.exec(own);
  if (item && own.trim() !== item[2]) {
    if (/\d/.test(item[2])) return parseInt(item[2], 10) === 1;
    return !ARITHMETIC.test(own.trim()) || (i + 1 < lines.length && ITEM.test(lineText(text, lines[i + 1])));
  }
  return isTable(text, lines, i);
}

/** @param {string} text @param {Line[]} lines @param {number} i @returns {Block} */
function codeBlock(text, lines, i) {
  const [, indent, fence, info] = matched(FENCE, lineText(text, lines[i]));
  const closes = (/** @type {Line} */ line) => {
    const own = lineText(text, line).trim();
    return own.length >= fence.length && own === fence[0].repeat(own.length);
  };
  let last = i + 1;
  while (last < lines.length && !closes(lines[last])) last += 1;
  const inner = lines.slice(i + 1, last);
  const children = merged(inner.map((line, at) => ({
    kind: "text",
    start: line.start + Math.min(indent.length, indentOf(text, line)),
    end: at === inner.length - 1 ? line.end : line.stop,
  })));
  const open = last >= lines.length;
  const end = lines[Math.min(last, lines.length - 1)].end;
  return [{ kind: "code", language: info.trim(), open, start: lines[i].start, end, children }, last + 1];
}

/** @param {string} text @param {Line[]} lines @param {number} i @returns {Block} */
function heading(text, lines, i) {
  const line = lines[i], [, marks, content] = matched(HEADING, lineText(text, line));
  const start = line.start + lineText(text, line).indexOf(content, lineText(text, line).indexOf(marks) + marks.length);
  const children = parseInline(text, start, start + content.length);
  return [{ kind: "heading", level: marks.length, start: line.start, end: line.end, children }, i + 1];
}

/** Null for a single `> 5`. @param {string} text @param {Line[]} lines @param {number} i @param {number} depth @returns {Block | null} */
function quote(text, lines, i, depth) {
  let last = i;
  const inner = /** @type {Line[]} */ ([]);
  for (; last < lines.length; last++) {
    const [mark] = QUOTE.exec(lineText(text, lines[last])) ?? [];
    if (!mark) break;
    inner.push({ ...lines[last], start: lines[last].start + mark.length });
  }
  if (last === i + 1 && ARITHMETIC.test(lineText(text, lines[i]).trim())) return null;
  const children = blocks(text, inner, depth + 1);
  return [{ kind: "quote", start: lines[i].start, end: lines[last - 1].end, children }, last];
}

/** @param {string} text @param {Line[]} lines @param {number} i @param {number} depth @returns {Block | null} */
function list(text, lines, i, depth) {
  const first = matched(ITEM, lineText(text, lines[i]));
  const sort = first[2].slice(-1);  // - * + . )
  const items = /** @type {MarkdownNode[]} */ ([]);
  let next = i;
  while (next < lines.length) {
    const found = ITEM.exec(lineText(text, lines[next]));
    if (!found || found[2].slice(-1) !== sort || RULE.test(lineText(text, lines[next]))) break;
    if (items.length && Math.abs(found[1].length - first[1].length) > 1) break;
    const [item, after] = listItem(text, lines, next, found, depth);
    items.push(item);
    next = after;
    while (after < lines.length && next < lines.length && isBlank(text, lines[next])) next += 1;
    const following = next < lines.length && ITEM.exec(lineText(text, lines[next]));
    if (!following || following[2].slice(-1) !== sort) { next = after; break; }
  }
  const ordered = /\d/.test(first[2]);
  if (!items.length || (items.length === 1 && isArithmetic(text, items[0], ordered))) return null;
  return [{ kind: "list", ordered, start: items[0].start, end: items[items.length - 1].end, children: items }, next];
}

/**
 * A single `- 5` or `+ 5` is a number, and a single `3.` nothing but that.
 * @param {string} text @param {MarkdownNode} item @param {boolean} ordered
 */
function isArithmetic(text, item, ordered) {
  return ordered ? !item.children?.some(({ kind }) => kind !== "marker") : ARITHMETIC.test(text.slice(item.start, item.end).trim());
}

/** @param {string} text @param {Line[]} lines @param {number} at @param {RegExpExecArray} found @param {number} depth @returns {Block} */
function listItem(text, lines, at, found, depth) {
  const [whole, indent, mark] = found;
  const width = whole.length;
  const inner = [{ ...lines[at], start: lines[at].start + Math.min(width, lines[at].end - lines[at].start) }];
  let next = at + 1, last = at;
  for (; next < lines.length; next++) {
    const line = lines[next];
    if (isBlank(text, line)) { inner.push(line); continue; }
    const deeper = indentOf(text, line) >= indent.length + 2;
    const lazy = last === next - 1 && !ITEM.test(lineText(text, line)) && !interrupts(text, lines, next, depth)
      && !FENCE.test(lineText(text, lines[last]));
    if (!deeper && !lazy) break;
    inner.push({ ...line, start: line.start + Math.min(width, indentOf(text, line)) });
    last = next;
  }
  while (inner.length > 1 && isBlank(text, inner[inner.length - 1])) inner.pop();
  const start = lines[at].start + indent.length;
  const number = /\d/.test(mark)
    ? [{ kind: "marker", start, end: start + mark.length, children: [{ kind: "text", start, end: start + mark.length }] }] : [];
  const children = [...number, ...blocks(text, inner, depth + 1)];
  return [{ kind: "item", start, end: lines[last].end, children }, last + 1];
}

/** @type {(text: string, lines: Line[], i: number) => boolean} */
const isTable = (text, lines, i) =>
  i + 1 < lines.length && lineText(text, lines[i]).includes("|") && DIVIDER.test(lineText(text, lines[i + 1]))
  && lineText(text, lines[i + 1]).includes("|")
  && cells(text, lines[i]).length === cells(text, lines[i + 1]).length;

/** @param {string} text @param {Line[]} lines @param {number} i @returns {Block | null} */
function table(text, lines, i) {
  if (!isTable(text, lines, i)) return null;
  const aligns = /** @type {MarkdownNode["align"][]} */ (cells(text, lines[i + 1]).map(([start, end]) => {
    const own = text.slice(start, end);
    return own.endsWith(":") ? (own.startsWith(":") ? "center" : "right") : "left";
  }));
  let next = i + 2;
  while (next < lines.length && lineText(text, lines[next]).includes("|")) next += 1;
  const rows = [lines[i], ...lines.slice(i + 2, next)].map((line, at) => ({
    kind: "row", start: line.start, end: line.end,
    children: cells(text, line).map(([start, end], column) => ({
      kind: "cell", header: at === 0, align: aligns[column] ?? "left", start, end, children: parseInline(text, start, end),
    })),
  }));
  return [{ kind: "table", start: lines[i].start, end: lines[next - 1].end, children: rows }, next];
}

/** [[start, end], ...] of the cells of a row, without blanks around them. @param {string} text @param {Line} line */
function cells(text, line) {
  const bars = /** @type {number[]} */ ([]);
  for (let at = line.start; at < line.end; at++) {
    if (text[at] === "\\") at += 1;
    else if (text[at] === "|") bars.push(at);
  }
  const edges = [line.start - 1, ...bars, line.end];
  const found = edges.slice(1).map((end, at) => {
    const own = text.slice(edges[at] + 1, end);
    const start = edges[at] + 1 + (own.length - own.trimStart().length);
    return /** @type {[number, number]} */ ([start, Math.max(start, start + own.trim().length)]);
  });
  const empty = (/** @type {[number, number]} */ [start, end]) => start >= end;
  if (found.length > 1 && empty(found[0])) found.shift();
  if (found.length > 1 && empty(found[found.length - 1])) found.pop();
  return found;
}

/** @param {string} text @param {Line[]} lines @param {number} i @param {number} depth @returns {Block} */
function paragraph(text, lines, i, depth) {
  let next = i + 1;
  while (next < lines.length && !isBlank(text, lines[next]) && !interrupts(text, lines, next, depth)) next += 1;
  const own = lines.slice(i, next);
  const [start, end] = [own[0].start, own[own.length - 1].end];
  const children = inlineOf(text, own);
  return [{ kind: "paragraph", start, end, children }, next];
}

/**
 * Lines that follow each other are parsed as they stand; those of a quote or an item without what stands before them.
 * @param {string} text @param {Line[]} lines
 */
function inlineOf(text, lines) {
  if (lines.every((line, at) => !at || lines[at - 1].stop === line.start)) {
    return parseInline(text, lines[0].start, lines[lines.length - 1].end);
  }
  const pieces = lines.map(({ start, end, stop }, at) => ({ start, end: at === lines.length - 1 ? end : stop }));
  const joined = pieces.map(({ start, end }) => text.slice(start, end)).join("");
  return parseInline(joined, 0, joined.length).flatMap((node) => moved(node, pieces));
}

/**
 * A node of the joined pieces, with its places in the text; a leaf over several pieces becomes several.
 * @param {MarkdownNode} node @param {{ start: number, end: number }[]} pieces
 * @returns {MarkdownNode[]}
 */
function moved(node, pieces) {
  const place = (/** @type {number} */ at) => {
    let before = 0;
    for (const { start, end } of pieces) {
      if (at < before + end - start) return start + at - before;
      before += end - start;
    }
    return pieces[pieces.length - 1].end;
  };
  if (node.kind !== "text") {
    const children = (node.children ?? []).flatMap((child) => moved(child, pieces));
    return [{ ...node, start: place(node.start), end: place(node.end - 1) + 1, children }];
  }
  const found = /** @type {MarkdownNode[]} */ ([]);
  let before = 0;
  for (const { start, end } of pieces) {
    const from = Math.max(node.start, before), to = Math.min(node.end, before + end - start);
    if (from < to) found.push({ kind: "text", start: start + from - before, end: start + to - before });
    before += end - start;
  }
  return found;
}

/** @param {MarkdownNode[]} pieces */
function merged(pieces) {
  return pieces.reduce((all, piece) => {
    const last = all.at(-1);
    if (last?.end === piece.start) last.end = piece.end;
    else if (piece.start < piece.end) all.push(piece);
    return all;
  }, /** @type {MarkdownNode[]} */ ([]));
}
