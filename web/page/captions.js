// Draws the conversation: one block per item, redrawn only if the item changed. Highlights words as they are heard.

export class Captions {
  constructor(list, log) {
    this.list = list;
    this.log = log;  // for screen readers: only finished items
    this.blocks = new Map();  // item id -> {element, item, words, logged}
    this.following = true;    // keep the newest line visible until the user scrolls up
    list.addEventListener("scroll", () => { this.following = this.#atBottom(); });
    new ResizeObserver(() => this.#follow()).observe(list);
  }

  draw(items) {
    const shown = items.filter((item) => !item.hidden && (item.role === "user" || item.role === "assistant"));
    const alive = new Set(shown.map((item) => item.id));
    for (const [id, block] of this.blocks) {
      if (alive.has(id)) continue;
      block.element.remove();
      this.blocks.delete(id);
    }
    let next = this.list.firstElementChild;
    for (const item of shown) {
      const block = this.blocks.get(item.id) ?? this.#create(item);
      if (block.item !== item) this.#fill(block, item);
      if (block.element === next) next = next.nextElementSibling;
      else this.list.insertBefore(block.element, next);
    }
    this.#follow();
  }

  /** `heardMs`: item id -> how much of it has been heard. */
  highlight(heardMs) {
    for (const [id, { words, element }] of this.blocks) {
      if (!words.length || element.dataset.highlighted === "all") continue;
      const heard = heardMs(id);
      let allHeard = true;
      for (const { span, start_ms, end_ms } of words) {
        span.className = heard >= end_ms ? "said" : heard > start_ms ? "saying" : "";
        allHeard &&= heard >= end_ms;
      }
      if (allHeard && element.classList.contains("final")) element.dataset.highlighted = "all";
    }
  }

  /** No more audio comes: highlight all text. */
  finish() {
    for (const { element } of this.blocks.values()) element.dataset.highlighted = "all";
  }

  #create(item) {
    const element = document.createElement("div");
    const who = document.createElement("span");
    const text = document.createElement("p");
    who.className = "visually-hidden";
    who.textContent = item.role === "user" ? "You: " : "Answer: ";
    element.append(who, text);
    const block = { element, text, item: null, words: [], logged: false };
    this.blocks.set(item.id, block);
    return block;
  }

  #fill(block, item) {
    block.item = item;
    block.element.className = `caption ${item.role}`;
    block.element.classList.toggle("final", item.final);
    block.element.classList.toggle("truncated", item.truncated);
    block.element.classList.toggle("pending", !item.text);
    this.#write(block, item);
    if (item.note) block.element.dataset.note = item.note;
    if (item.final && item.text && !block.logged) {
      block.logged = true;
      const line = document.createElement("p");
      line.textContent = `${item.role === "user" ? "You" : "Answer"}: ${item.text}`;
      this.log.append(line);
      while (this.log.childElementCount > 20) this.log.firstElementChild.remove();
    }
  }

  #write(block, item) {
    const joined = item.words.map((word) => word.text).join("");
    if (!item.words.length || item.truncated || !item.text.startsWith(joined.trimEnd())) {
      block.words = [];
      block.text.textContent = item.text;
      return;
    }
    if (!block.words.length) block.text.textContent = "";
    else block.rest.remove();
    for (const word of item.words.slice(block.words.length)) {
      const span = document.createElement("span");
      span.textContent = word.text;
      block.text.append(span);
      block.words.push({ span, start_ms: word.start_ms, end_ms: word.end_ms });
    }
    block.rest = document.createElement("span");
    block.rest.textContent = item.text.slice(joined.length);
    block.text.append(block.rest);
    delete block.element.dataset.highlighted;
  }

  #follow() {
    if (this.following) this.list.scrollTop = this.list.scrollHeight;
  }

  #atBottom() {
    return this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < 60;
  }
}
