// @ts-check
// Changes elements so that they look like others, and keeps every node that can stay: what somebody has selected, focused or
// scrolled there stays too.

/**
 * What would make one node look like another: `steps` to carry out, the nodes that would be `lost` or written anew, and the
 * node that stays for each new one.
 * @typedef {{ steps: (() => void)[], lost: Node[], kept: Map<Node, Node> }} Plan
 */

/**
 * Make `old` look like `fresh`. Returns which node stands for each of the new ones that are not used; null, and changes
 * nothing, if that would take something away that is selected.
 * @param {Element} old @param {Element} fresh
 */
export function patch(old, fresh) {
  return carriedOut(old, (plan) => compare(old, fresh, plan));
}

/**
 * The same for the last children of an element, whose other children stay as they are.
 * @param {Element} element @param {ChildNode[]} before its last children @param {ChildNode[]} after
 */
export function patchEnd(element, before, after) {
  return carriedOut(element, (plan) => compareChildren(element, before, after, plan));
}

/** @param {Element} old @param {(plan: Plan) => void} planned */
function carriedOut(old, planned) {
  /** @type {Plan} */
  const plan = { steps: [], lost: [], kept: new Map() };
  planned(plan);
  const range = plan.lost.length ? selectedAround(old) : null;
  if (range && plan.lost.some((node) => range.intersectsNode(node))) return null;
  for (const step of plan.steps) step();
  return plan.kept;
}

/** @param {ChildNode} old @param {ChildNode} fresh @param {Plan} plan */
function compare(old, fresh, plan) {
  const { steps, lost, kept } = plan;
  if (!isAlike(old, fresh)) {
    lost.push(old);
    return void steps.push(() => old.replaceWith(fresh));
  }
  kept.set(fresh, old);
  if (old instanceof Text && fresh instanceof Text) return compareTexts(old, fresh, plan);
  if (!(old instanceof Element && fresh instanceof Element) || old.localName === "button") return;  // a button has a state of its own
  if (old.className !== fresh.className) steps.push(() => { old.className = fresh.className; });
  compareChildren(old, [...old.childNodes], [...fresh.childNodes], plan);
}

/** @param {Element} old @param {ChildNode[]} before its last children, or all @param {ChildNode[]} after @param {Plan} plan */
function compareChildren(old, before, after, plan) {
  const { steps, lost } = plan;
  after.slice(0, before.length).forEach((child, at) => compare(before[at], child, plan));
  const more = after.slice(before.length), less = before.slice(after.length);
  if (more.length) steps.push(() => old.append(...more));
  lost.push(...less);
  if (less.length) steps.push(() => less.forEach((child) => child.remove()));
}

/** @param {Text} old @param {Text} fresh @param {Plan} plan */
function compareTexts(old, fresh, { steps, lost }) {
  if (old.data === fresh.data) return;
  if (fresh.data.startsWith(old.data)) return void steps.push(() => old.appendData(fresh.data.slice(old.data.length)));
  lost.push(old);
  steps.push(() => { old.data = fresh.data; });
}

/** Whether the one can become the other. @param {Node} one @param {Node} other */
function isAlike(one, other) {
  if (one.nodeName !== other.nodeName) return false;
  if (one.nodeName === "BUTTON" || !(one instanceof Element) || !(other instanceof Element)) return true;
  const names = new Set([...one.getAttributeNames(), ...other.getAttributeNames()].filter((name) => name !== "class"));
  return [...names].every((name) => one.getAttribute(name) === other.getAttribute(name));
}

/** What is selected in the document or the shadow tree of an element, or null. @param {Element} element @returns {Range | null} */
function selectedAround(element) {
  const root = element.getRootNode();
  /** @type {Selection | null} */
  const selection = /** @type {any} */ (root).getSelection?.() ?? document.getSelection();  // of a shadow root: only Chromium
  if (!selection?.rangeCount) return null;
  const { startContainer, startOffset, endContainer, endOffset } = inside(selection, root);
  const range = document.createRange();
  range.setStart(startContainer, startOffset);
  range.setEnd(endContainer, endOffset);
  return range.collapsed ? null : range;
}

/** A browser that hides the shadow tree from a selection tells it by `getComposedRanges`. @param {Selection} selection @param {Node} root @returns {AbstractRange} */
function inside(selection, root) {
  try {
    const [range] = root instanceof ShadowRoot ? /** @type {any} */ (selection).getComposedRanges({ shadowRoots: [root] }) : [];
    return range ?? selection.getRangeAt(0);
  } catch {
    return selection.getRangeAt(0);
  }
}
