// @ts-check
// The inline part of Markdown: bold, italic, struck, code, links. Pure. `markdown.js` finds the blocks.
// Careful on purpose: what is not certainly a mark stays text, so that `2*3*4`, `__init__` and `**kwargs` are kept.

/** @import { MarkdownNode } from "./types.js" */
/** A node before its leaf is made of `inner`: its start and end. @typedef {MarkdownNode & { inner?: [number, number] }} Found */

const MAX_REACH = 2000;     // of code and links, in characters
const MAX_PATH = 260;
const MAX_EMPHASIS = 500;   // an opening mark that does not close within so many characters was text
const SAFE = /^(?:https?:\/\/|mailto:)[^\s]+$/i;
const CJK = "\\u2e80-\\u9fff\\uac00-\\ud7af\\uf900-\\ufaff\\uff00-\\uffef";
const WORD = new RegExp(`[^\\p{P}\\p{S}\\p{Cs}\\s${CJK}]`, "u");  // a letter, digit or mark of a script with blanks
const BARE = new RegExp(`https?://[^\\s<>"\`|\\\\^{}${CJK}]+`, "iuy");
const MARKS = /[\\`*_~[<]|!(?=\[)|h(?=ttps?:\/\/)/gi;

/** The address if a page may link to it, else null. Browsers of before 2024 have no URL.canParse. @param {string} address */
export function safeAddress(address) {
  try {
    return SAFE.test(address) && new URL(address) ? address : null;
  } catch {
    return null;
  }
}

/**
 * Nodes of text[from, to): `{kind, start, end, children}` with the kinds strong, emphasis, struck, code and link (which
 * has `href`), and leaves `{kind: "text", start, end}`. Positions are those of `text`.
 * @param {string} text
 * @param {number} from
 * @param {number} to
 * @param {boolean} inLink
 * @returns {MarkdownNode[]}
 */
export function parseInline(text, from, to, inLink = false) {
  /** @type {MarkdownNode[]} */
  const nodes = [];
  let plain = from;
  const add = (/** @type {Found} */ { inner: [start, end] = [0, 0], ...node }) => {
    if (plain < node.start) nodes.push({ kind: "text", start: plain, end: node.start });
    node.children ??= start < end ? [{ kind: "text", start, end }] : [];
    nodes.push(node);
    plain = node.end;
  };
  const marks = new RegExp(MARKS);
  for (let at = from; at < to;) {
    marks.lastIndex = at;
    const found = marks.exec(text);
    if (!found || found.index >= to) break;
    at = found.index;
    const node = nodeAt(text, at, from, to, inLink);
    if (!node) {
      at += text[at] === "\\" ? 2 : runLength(text, at, to);
      continue;
    }
    add(node);
    at = node.end;
  }
  if (plain < to) nodes.push({ kind: "text", start: plain, end: to });
  return nodes;
}

/** @param {string} text @param {number} at @param {number} from @param {number} to @param {boolean} inLink @returns {Found | null} */
function nodeAt(text, at, from, to, inLink) {
  switch (text[at]) {
    case "\\": return escaped(text, at, from, to);
    case "`": return codeSpan(text, at, to);
    case "[": case "!": return inLink ? null : namedLink(text, at, to);
    case "<": return inLink ? null : angleLink(text, at, to);
    case "h": case "H": return inLink ? null : bareLink(text, at, from, to);
    default: return emphasis(text, at, from, to, inLink);
  }
}

/**
 * `\*` shows the star alone. Only marks can be escaped: paths and `\(x\)` keep their backslash.
 * @param {string} text @param {number} at @param {number} from @param {number} to
 * @returns {Found | null}
 */
function escaped(text, at, from, to) {
  if (at + 1 >= to || !"*_`~#|<>$".includes(text[at + 1])) return null;
  const [word] = /** @type {RegExpExecArray} */ (/\S*$/.exec(text.slice(Math.max(from, at - MAX_PATH), at)));
  if (/:\\|^\\\\|:$|\\$/.test(word)) return null;  // C:\dir\*.txt, \\host\_share
  return { kind: "escape", start: at, end: at + 2, inner: [at + 1, at + 2] };
}

/** @param {string} text @param {number} at @param {number} to @returns {Found | null} */
function codeSpan(text, at, to) {
  const count = runLength(text, at, to);
  const end = Math.min(to, at + MAX_REACH);
  for (let close = text.indexOf("`", at + count); close >= 0 && close < end;) {
    const run = runLength(text, close, to);
    if (run === count) {
      let [start, stop] = [at + count, close];
      const padded = text[start] === " " && text[stop - 1] === " " && text.slice(start, stop).trim();
      if (padded) [start, stop] = [start + 1, stop - 1];
      return { kind: "code", start: at, end: close + count, inner: [start, stop] };
    }
    close = text.indexOf("`", close + run);
  }
  return null;
}

/**
 * `[label](address)` and `![label](address)`: a picture becomes a link, because the page loads nothing from elsewhere.
 * @param {string} text @param {number} at @param {number} to
 * @returns {Found | null}
 */
function namedLink(text, at, to) {
  const open = text[at] === "!" ? at + 1 : at;
  if (text[open] !== "[" || open >= to) return null;
  const close = matching(text, open, to, "[", "]");
  if (close < 0 || text[close + 1] !== "(" || close + 1 >= to) return null;
  const last = matching(text, close + 1, to, "(", ")");
  if (last < 0 || close === open + 1) return null;
  const [, target = ""] = /^\s*<?([^\s<>]+)>?(?:\s+(?:"[^"]*"|'[^']*'))?\s*$/.exec(text.slice(close + 2, last)) ?? [];
  const href = safeAddress(target);
  if (!href && !isPlace(text, at, target, text.slice(open + 1, close))) return null;
  const children = parseInline(text, open + 1, close, true);
  return href ? { kind: "link", href, start: at, end: last + 1, children } : { kind: "label", start: at, end: last + 1, children };
}

/**
 * Whether a target is a place in documents that this page does not have (`pages/a.md`, `#top`), and no index or pattern.
 * @param {string} text @param {number} at @param {string} target @param {string} label
 */
function isPlace(text, at, target, label) {
  if (!target || /^[a-z][a-z0-9+.-]*:|^\/\/|[\\|^$*?]/i.test(target)) return false;
  if (at > 0 && /[\p{L}\p{N}_)\]]/u.test(text[at - 1])) return false;  // f[0](x)
  return /[./#]/.test(target) && /\p{L}/u.test(label) && !/^\^?(?:\w-\w|\\)/.test(label);  // [a-z](x)
}

/** @param {string} text @param {number} at @param {number} to @returns {Found | null} */
function angleLink(text, at, to) {
  const close = text.indexOf(">", at);
  if (close < 0 || close >= to || close - at > MAX_REACH) return null;
  const href = safeAddress(text.slice(at + 1, close));
  return href === null ? null : { kind: "link", href, start: at, end: close + 1, inner: [at + 1, close] };
}

/** @param {string} text @param {number} at @param {number} from @param {number} to @returns {Found | null} */
function bareLink(text, at, from, to) {
  if (at > from && WORD.test(text[at - 1])) return null;
  BARE.lastIndex = at;
  let address = BARE.exec(text)?.[0].slice(0, to - at);
  if (!address) return null;
  while (address) {
    const last = address.slice(-1);
    const unopened = last === ")" && count(address, ")") > count(address, "(");
    if (!".,;:!?'*_~]".includes(last) && !unopened) break;
    address = address.slice(0, -1);
  }
  const href = safeAddress(address);
  return href === null ? null : { kind: "link", href, start: at, end: at + address.length, inner: [at, at + address.length] };
}

/** @param {string} text @param {number} at @param {number} from @param {number} to @param {boolean} inLink @returns {Found | null} */
function emphasis(text, at, from, to, inLink) {
  const mark = text[at], size = runLength(text, at, to);
  /** @type {Record<string, (string | null)[]>} */
  const emphases = { "*": ["emphasis", "strong"], "~": [null, "struck"], "_": ["emphasis", null] };
  const both = mark === "*" && size === 3;
  const kind = both ? "strong" : emphases[mark]?.[size - 1];
  if (!kind || !opens(text, at, size, from, to)) return null;
  const close = closing(text, at, size, from, to);
  if (close < 0) return null;
  const inner = parseInline(text, at + size, close, inLink);
  const children = both ? [{ kind: "emphasis", start: at + 2, end: close + 1, children: inner }] : inner;
  return { kind, start: at, end: close + size, children };
}

/**
 * Whether a run may open: nothing of a word or path before it, something to emphasise after it.
 * @param {string} text @param {number} at @param {number} size @param {number} from @param {number} to
 */
function opens(text, at, size, from, to) {
  const [first, last] = [beyond(text, at - 1, from, to, -1, text[at]), beyond(text, at + size, from, to, 1, text[at])];
  const before = first < from ? " " : text[first], after = last < to ? text[last] : " ";
  if (/[\s.,;:!?)\]}*_~/\\|=+<>%&^-]/.test(after)) return false;
  return !WORD.test(before) && !/[/\\.*_~)\]]/.test(before);
}

/**
 * The place after marks of another kind that stand at `at`: `**_both_**`. Only whole ones: `_`, `*`, `**` and `~~`.
 * @param {string} text @param {number} at @param {number} from @param {number} to @param {1 | -1} step @param {string} own
 */
function beyond(text, at, from, to, step, own) {
  const mark = at >= from && at < to ? text[at] : "";
  if (!"*_~".includes(mark) || mark === own || !mark) return at;
  let next = at;
  while (next >= from && next < to && text[next] === mark) next += step;
  const size = Math.abs(next - at);
  return size === 2 && mark !== "_" || size === 1 && mark !== "~" ? next : at;
}

/** @param {string} text @param {number} at @param {number} size @param {number} to */
function closes(text, at, size, to) {
  const before = text[at - 1], after = at + size < to ? text[at + size] : " ";
  if (/[\s([{/\\,]/.test(before)) return false;
  if (size === 2 && text[at] === "*" && /\p{L}/u.test(after)) return /[\p{L}\p{P}]/u.test(before);  // `**bold**ly`
  if (after === "_" && text[at] !== "_") return true;  // `_**both**_`
  return !WORD.test(after) && !/[/\\(_]/.test(after) && !(after === "." && WORD.test(text[at + size + 1] ?? " "));
}

/**
 * Where the run that closes begins, or -1. Runs that open in between have to close first.
 * @param {string} text @param {number} at @param {number} size @param {number} from @param {number} to
 */
function closing(text, at, size, from, to) {
  const mark = text[at], end = Math.min(to, at + MAX_EMPHASIS), open = /** @type {number[]} */ ([]);
  for (let i = at + size; i < end;) {
    if (text[i] === "\\") { i += 2; continue; }
    if (text[i] === "\n" && /\n[ \t]*\n/y.test(text.slice(i, i + 20))) return -1;
    if (text[i] === "`") { i = codeSpan(text, i, to)?.end ?? i + runLength(text, i, to); continue; }
    if (text[i] !== mark) { i += 1; continue; }
    const run = runLength(text, i, to);
    if (closes(text, i, run, to)) {
      if (open.length && open.at(-1) === run) open.pop();
      else if (run === size) return i;
      else if (open.length && run === open[open.length - 1] + size) return i + run - size;
      else if (open.length && run === open.at(-1)) open.pop();
    } else if (opens(text, i, run, from, to)) open.push(run);
    i += run;
  }
  return -1;
}

/**
 * The place of the bracket that closes the one at `at`, on the same paragraph; -1 if there is none.
 * @param {string} text @param {number} at @param {number} to @param {string} open @param {string} close
 */
function matching(text, at, to, open, close) {
  const end = Math.min(to, at + MAX_REACH);
  for (let i = at, depth = 0; i < end; i++) {
    if (text[i] === "\\") i += 1;
    else if (text[i] === open) depth += 1;
    else if (text[i] === close && --depth === 0) return i;
  }
  return -1;
}

/** @param {string} text @param {number} at @param {number} to */
function runLength(text, at, to) {
  let end = at + 1;
  while (end < to && text[end] === text[at]) end += 1;
  return end - at;
}

const count = (/** @type {string} */ text, /** @type {string} */ letter) => text.split(letter).length - 1;
