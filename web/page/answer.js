// One answer on the page: its Markdown as elements, and the model's own text of what somebody copies. Blocks and words are
// those of sdk/spoken_text.js.

import { copyOf } from "../sdk/markdown.js";
import { SpokenText } from "../sdk/spoken_text.js";
import { copyButton } from "./copying.js";

const CLASSES = { waiting: "", saying: "saying", said: "said" };
const TAGS = {
  paragraph: "p", list: "ul", item: "li", quote: "blockquote", table: "table", row: "tr", rule: "hr",
  strong: "strong", emphasis: "em", struck: "s", code: "code", escape: "span", marker: "span", label: "span",
};

export class Answer extends SpokenText {
  constructor(element) {
    super(element, { make, classes: CLASSES });
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
    return to < 0 ? "" : copyOf(this.source, this.root, from, to);
  }
}

function make(node, children) {
  if (node.kind === "code" && node.language !== undefined) return codeBlock(node, children);
  const element = document.createElement(tagOf(node));
  if (node.kind === "marker") element.className = "marker";
  if (node.kind === "cell" && node.align !== "left") element.className = `align-${node.align}`;
  if (node.kind === "link") Object.assign(element, { href: node.href, target: "_blank", rel: "noopener noreferrer", title: node.href });
  element.append(...children);
  if (node.kind !== "table") return element;
  const frame = document.createElement("div");  // a wide table scrolls, and not the page
  frame.className = "wide";
  frame.append(element);
  return frame;
}

function codeBlock({ language }, children) {
  const frame = document.createElement("div"), head = document.createElement("div");
  const pre = document.createElement("pre"), code = document.createElement("code");
  frame.className = "code";
  head.className = "code-head";
  const name = document.createElement("span");
  name.textContent = language;
  // What stands beside the button when it is pressed: the code may have grown
  const button = copyButton("copy.code", () => button.closest(".code").querySelector("code").textContent);
  head.append(name, button);
  code.append(...children);
  pre.tabIndex = 0;  // can be scrolled with keys
  pre.append(code);
  frame.append(head, pre);
  return frame;
}

function tagOf({ kind, level, ordered, header }) {
  if (kind === "heading") return `h${Math.min(6, level + 2)}`;  // the page has its own h1
  if (kind === "list") return ordered ? "ol" : "ul";
  if (kind === "cell") return header ? "th" : "td";
  if (kind === "link") return "a";
  return TAGS[kind];
}
