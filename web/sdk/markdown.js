// An answer's Markdown as a tree over the model's own characters. Pure: knows no document.
//
//   parse(text)  -> {kind: "root", start, end, children}
//
// Blocks: paragraph · heading {level} · list {ordered} · item · quote · code {language, open} · table · row · cell {header,
// align} · rule. Inside of them: strong · emphasis · struck · code (inline: has no `language`) · link {href} · label (of
// a link to a place that this page does not have) · escape · marker (the number of a list item). Leaves: {kind: "text", start, end}, and what they show is text.slice(start, end).
// So every visible character is one of the text, in order; only marks are hidden. `copyOf` gives them back.

import { parseInline } from "./inline.js";

const FENCE = /^( {0,3})(`{3,}(?=[^`]*$)|~{3,})[ \t]*(.*)$/;
const HEADING = /^ {0,3}(#{1,6})[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*$/;
const RULE = /^ {0,3}([-*_])(?:[ \t]*\1){2,}[ \t]*$/;
const QUOTE = /^ {0,3}> ?/;
const ITEM = /^( *)([-*+]|\d{1,9}[.)])(?:( {1,4})(?=\S)|[ \t]+(?=\S)|[ \t]*$)/;
const DIVIDER = /^ {0,3}\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$/;
const ARITHMETIC = /^[-+*>]\s*(?:[\d=.]|$)/;  // "- 5", "> 3": alone on its line, this is no mark
const MAX_DEPTH = 12;

export function parse(text) {
  const lines = [];
  for (let start = 0; start <= text.length;) {
    const newline = text.indexOf("\n", start);
    const stop = newline < 0 ? text.length : newline + 1;  // with the newline
    let end = newline < 0 ? stop : newline;
    if (end > start && text[end - 1] === "\r") end -= 1;
    lines.push({ start, end, stop });
    if (newline < 0) break;
    start = stop;
  }
  return { kind: "root", start: 0, end: text.length, children: blocks(text, lines, 0) };
}

/** How much of the beginning of a text can only be seen: the code and tables before the first word that is said. */
export function seenLength(text) {
  let end = 0;
  for (const node of parse(text).children) {
    if (node.kind === "code" || node.kind === "table") end = node.end;
    else if ([...leaves(node)].some((leaf) => /[\p{L}\p{N}]/u.test(text.slice(leaf.start, leaf.end)))) break;
  }
  return end;
}

/** The leaves of a tree, in order. */
export function* leaves(node) {
  if (node.kind === "text") yield node;
  else for (const child of node.children) yield* leaves(child);
}

/** The tree without what stands at or after `limit`: what was not heard. */
export function clip(node, limit) {
  if (node.kind === "text") return node.start < limit ? { ...node, end: Math.min(node.end, limit) } : null;
  if (node.start >= limit && node.kind !== "root") return null;
  const children = node.children.map((child) => clip(child, limit)).filter(Boolean);
  if (!children.length && node.kind !== "root" && node.kind !== "rule" && node.kind !== "cell") return null;
  return { ...node, end: Math.min(node.end, limit), children };
}

/**
 * What to copy for a selection from the visible character at `from` up to `to`: the marks of everything that is selected
 * as a whole belong to it. A selection inside of one piece of code is the code alone, as it is shown.
 */
export function copyOf(text, root, from, to) {
  let [start, end] = [from, to], code = null;
  const visit = (node) => {
    const own = [...leaves(node)];
    if (node.kind === "text" || !own.length) return;
    const [first, last] = [own[0].start, own.at(-1).end];
    if (last <= from || first >= to) return;
    if (node.kind === "code" && first <= from && to <= last) code = own;
    if (first >= from && last <= to) [start, end] = [Math.min(start, node.start), Math.max(end, node.end)];
    node.children.forEach(visit);
  };
  visit(root);
  if (!code) return text.slice(start, end);
  return code.map((leaf) => text.slice(Math.max(from, leaf.start), Math.min(to, leaf.end))).join("");
}

const lineText = (text, line) => text.slice(line.start, line.end);
const isBlank = (text, line) => !lineText(text, line).trim();
const indentOf = (text, line) => /^ */.exec(lineText(text, line))[0].length;

function blocks(text, lines, depth) {
  const nodes = [];
  for (let i = 0; i < lines.length;) {
    if (isBlank(text, lines[i])) { i += 1; continue; }
    const [node, next] = blockAt(text, lines, i, depth);
    nodes.push(node);
    i = next;
  }
  return nodes;
}

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

/** Whether a block begins here that ends a paragraph. Only a list that begins with 1 does ("It was in\n2024. Then"). */
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

function codeBlock(text, lines, i) {
  const [, indent, fence, info] = FENCE.exec(lineText(text, lines[i]));
  const closes = (line) => {
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

function heading(text, lines, i) {
  const line = lines[i], [, marks, content] = HEADING.exec(lineText(text, line));
  const start = line.start + lineText(text, line).indexOf(content, lineText(text, line).indexOf(marks) + marks.length);
  const children = parseInline(text, start, start + content.length);
  return [{ kind: "heading", level: marks.length, start: line.start, end: line.end, children }, i + 1];
}

/** Null for a single `> 5`. */
function quote(text, lines, i, depth) {
  let last = i;
  const inner = [];
  for (; last < lines.length; last++) {
    const [mark] = QUOTE.exec(lineText(text, lines[last])) ?? [];
    if (!mark) break;
    inner.push({ ...lines[last], start: lines[last].start + mark.length });
  }
  if (last === i + 1 && ARITHMETIC.test(lineText(text, lines[i]).trim())) return null;
  const children = blocks(text, inner, depth + 1);
  return [{ kind: "quote", start: lines[i].start, end: lines[last - 1].end, children }, last];
}

function list(text, lines, i, depth) {
  const first = ITEM.exec(lineText(text, lines[i]));
  const sort = first[2].slice(-1);  // - * + . )
  const items = [];
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
  return [{ kind: "list", ordered, start: items[0].start, end: items.at(-1).end, children: items }, next];
}

/** A single `- 5` or `+ 5` is a number, and a single `3.` nothing but that. */
function isArithmetic(text, item, ordered) {
  return ordered ? !item.children.some(({ kind }) => kind !== "marker") : ARITHMETIC.test(text.slice(item.start, item.end).trim());
}

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
  while (inner.length > 1 && isBlank(text, inner.at(-1))) inner.pop();
  const start = lines[at].start + indent.length;
  const number = /\d/.test(mark)
    ? [{ kind: "marker", start, end: start + mark.length, children: [{ kind: "text", start, end: start + mark.length }] }] : [];
  const children = [...number, ...blocks(text, inner, depth + 1)];
  return [{ kind: "item", start, end: lines[last].end, children }, last + 1];
}

const isTable = (text, lines, i) =>
  i + 1 < lines.length && lineText(text, lines[i]).includes("|") && DIVIDER.test(lineText(text, lines[i + 1]))
  && lineText(text, lines[i + 1]).includes("|")
  && cells(text, lines[i]).length === cells(text, lines[i + 1]).length;

function table(text, lines, i) {
  if (!isTable(text, lines, i)) return null;
  const aligns = cells(text, lines[i + 1]).map(([start, end]) => {
    const own = text.slice(start, end);
    return own.endsWith(":") ? (own.startsWith(":") ? "center" : "right") : "left";
  });
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

/** [[start, end], ...] of the cells of a row, without blanks around them. */
function cells(text, line) {
  const bars = [];
  for (let at = line.start; at < line.end; at++) {
    if (text[at] === "\\") at += 1;
    else if (text[at] === "|") bars.push(at);
  }
  const edges = [line.start - 1, ...bars, line.end];
  const found = edges.slice(1).map((end, at) => {
    const own = text.slice(edges[at] + 1, end);
    const start = edges[at] + 1 + (own.length - own.trimStart().length);
    return [start, Math.max(start, start + own.trim().length)];
  });
  const empty = ([start, end]) => start >= end;
  if (found.length > 1 && empty(found[0])) found.shift();
  if (found.length > 1 && empty(found.at(-1))) found.pop();
  return found;
}

function paragraph(text, lines, i, depth) {
  let next = i + 1;
  while (next < lines.length && !isBlank(text, lines[next]) && !interrupts(text, lines, next, depth)) next += 1;
  const own = lines.slice(i, next);
  const [start, end] = [own[0].start, own.at(-1).end];
  const children = inlineOf(text, own);
  return [{ kind: "paragraph", start, end, children }, next];
}

/** Lines that follow each other are parsed as they stand; those of a quote or an item without what stands before them. */
function inlineOf(text, lines) {
  if (lines.every((line, at) => !at || lines[at - 1].stop === line.start)) {
    return parseInline(text, lines[0].start, lines.at(-1).end);
  }
  const pieces = lines.map(({ start, end, stop }, at) => ({ start, end: at === lines.length - 1 ? end : stop }));
  const joined = pieces.map(({ start, end }) => text.slice(start, end)).join("");
  return parseInline(joined, 0, joined.length).flatMap((node) => moved(node, pieces));
}

/** A node of the joined pieces, with its places in the text; a leaf over several pieces becomes several. */
function moved(node, pieces) {
  const place = (at) => {
    let before = 0;
    for (const { start, end } of pieces) {
      if (at < before + end - start) return start + at - before;
      before += end - start;
    }
    return pieces.at(-1).end;
  };
  if (node.kind !== "text") {
    const children = node.children.flatMap((child) => moved(child, pieces));
    return [{ ...node, start: place(node.start), end: place(node.end - 1) + 1, children }];
  }
  const found = [];
  let before = 0;
  for (const { start, end } of pieces) {
    const from = Math.max(node.start, before), to = Math.min(node.end, before + end - start);
    if (from < to) found.push({ kind: "text", start: start + from - before, end: start + to - before });
    before += end - start;
  }
  return found;
}

function merged(pieces) {
  return pieces.reduce((all, piece) => {
    if (all.length && all.at(-1).end === piece.start) all.at(-1).end = piece.end;
    else if (piece.start < piece.end) all.push(piece);
    return all;
  }, []);
}
