// The widget's elements: a button and a dialog (floating), or a region of the page (inline). Draws a state and calls actions;
// knows neither the SDK nor the attributes of the element.

import { h, icon } from "./dom.js";
import { Transcript } from "./transcript.js";

const SHEET = "(max-width: 30rem), (max-height: 26rem)";  // a phone: the dialog takes the whole window
const LEVEL_FALL = 0.1;
const KEY_EVENTS = ["keydown", "keypress", "keyup"];
const OF_THE_CONTROLS = new Set([" ", "Enter", "ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "PageUp", "PageDown", "Home", "End"]);
const OF_THE_PAGE = new Set(["Escape", "Tab", "Control", "Meta", "Alt"]);  // also from the text field

export class View {
  /** `actions`: {open, close, talk, mute, stop, say, retry, escape}. */
  constructor(actions) {
    this.actions = actions;
    this.transcript = new Transcript();
    this.launch = h("button", { type: "button", class: "launch", part: "button", "aria-haspopup": "dialog", onclick: actions.open }, icon("voice"));
    this.inline = null;
    this.#build();
  }

  #sheet = matchMedia(SHEET); #level = 0; #target = 0; #frame = null; #told = ""; #drawn = {}; #outage = false;

  #build() {
    const { actions } = this;
    const button = (name, parts, onclick) => h("button", { type: "button", class: name, part: parts, onclick });
    this.dot = h("span", { class: "dot", "aria-hidden": "true" });
    this.title = h("h2", { class: "title", part: "title", id: "title" });
    this.state = h("p", { class: "state", part: "status" });
    this.said = h("p", { class: "hidden", role: "status" });
    this.close = button("close", "close", actions.close);
    this.close.append(icon("close"));
    this.lead = h("p", { class: "lead" });
    this.hint = h("p");
    this.welcome = h("div", { class: "welcome", part: "welcome" }, this.lead, this.hint);
    this.problemText = h("p");
    this.retry = button("retry", "retry", actions.retry);
    this.problem = h("div", { class: "problem", part: "problem", role: "alert" });
    this.mute = button("side", "mute", actions.mute);
    this.talk = button("talk", "talk", actions.talk);
    this.stop = button("side", "stop", actions.stop);
    this.stop.append(icon("stop"));
    this.controls = h("div", { class: "controls", part: "controls" }, this.mute, this.talk, this.stop);
    this.input = h("input", { type: "text", part: "input", autocomplete: "off", enterkeyhint: "send", maxlength: 20000 });
    this.input.addEventListener("input", () => this.#enableSend());
    for (const type of KEY_EVENTS) this.input.addEventListener(type, keepToField);
    for (const type of KEY_EVENTS) this.launch.addEventListener(type, keepToControl);
    this.send = h("button", { type: "submit", class: "send", part: "send" }, icon("send"));
    this.form = h("form", { part: "form", onsubmit: (event) => this.#submit(event) }, this.input, this.send);
    this.content = [
      h("header", { part: "header" }, this.dot, h("div", { class: "names" }, this.title, this.state), this.close),
      h("div", { class: "middle" }, this.transcript.list, this.welcome, this.transcript.log, this.said),
      this.problem, this.controls, this.form,
    ];
    this.#enableSend();
  }

  /** Put the elements into `root`: floating, or as a part of the page. */
  place(root, inline) {
    if (this.inline === inline) return;
    this.inline = inline;
    this.launch.remove();
    this.panel?.remove();
    this.panel = inline ? h("section", { class: "panel", part: "panel", "aria-labelledby": "title" })
      : h("dialog", { class: "panel", part: "panel", "aria-labelledby": "title", oncancel: (event) => this.#cancel(event) });
    this.panel.addEventListener("keydown", (event) => this.#key(event));
    for (const type of KEY_EVENTS) this.panel.addEventListener(type, keepToControl);
    this.panel.append(...this.content);
    this.close.hidden = inline;
    root.append(...(inline ? [] : [this.launch]), this.panel);
    this.#drawn = {};
  }

  /** Listen to the size of the window, while the element is in a page. */
  watch(on) {
    this.#sheet[on ? "addEventListener" : "removeEventListener"]("change", this.#resized);
    if (!on && this.#frame !== null) cancelAnimationFrame(this.#frame);
    if (!on) this.#frame = null;
  }

  #resized = () => {
    if (this.inline || !this.panel.open) return;
    const focused = this.panel.getRootNode().activeElement;
    this.panel.close();
    this.#show();
    focused?.focus();
  };

  /** Show or hide the dialog. `focus`: a person did it, and the keyboard goes with it. */
  setOpen(open, { focus = false, typing = false } = {}) {
    if (this.inline) return;
    const inside = this.panel.getRootNode().activeElement !== null;
    this.launch.hidden = open;
    if (open === this.panel.open) return;
    if (open) {
      this.#show();
      if (focus && typing) this.input.focus();
      else if (focus || this.#sheet.matches) this.talk.focus();  // not the button at the top. Not `autofocus`: a page would scroll to it
      this.transcript.follow();
    } else {
      this.panel.close();
      if (focus || inside) this.launch.focus();
    }
  }

  /** `show()` moves the focus into the dialog; a page that opens the widget by itself must not lose its own. */
  #show() {
    const before = document.activeElement, sheet = this.#sheet.matches;
    this.panel.classList.toggle("sheet", sheet);
    if (sheet) return this.panel.showModal();
    this.panel.show();
    if (before && before !== document.body) before.focus({ preventScroll: true });
    else this.panel.getRootNode().activeElement?.blur();
  }

  #cancel(event) {
    event.preventDefault();
    this.actions.escape();
  }

  #key(event) {
    if (event.key !== "Escape" || event.isComposing || event.keyCode === 229) return;  // an input method drops its words (229: Safari)
    event.preventDefault();
    event.stopPropagation();
    this.actions.escape();
  }

  #submit(event) {
    event.preventDefault();
    const text = this.input.value.trim();
    if (!text) return;
    this.input.value = "";
    this.#enableSend();
    this.transcript.following = true;
    this.actions.say(text);
  }

  #enableSend() {
    this.send.disabled = !this.input.value.trim();
  }

  /** `state`: {texts, own: language tag of label and greeting or "", label, greeting, status: [name, text], trouble: {text, action} | null, items, talking, muted, canMute, answering, sounds}. */
  draw(state) {
    const { texts, items, talking, muted, answering, sounds } = state;
    if (this.#drawn.texts !== texts || this.#drawn.label !== state.label || this.#drawn.own !== state.own) this.#translate(texts, state);
    const [name, text] = state.status;
    this.panel.dataset.status = name;
    if (this.state.textContent !== text) this.state.textContent = text;
    this.#say(name, text);
    this.transcript.draw(items, texts);
    this.welcome.hidden = items.length > 0;
    this.transcript.list.hidden = items.length === 0;
    this.lead.textContent = state.greeting || texts.welcome;
    this.lead.lang = state.greeting ? state.own : texts.tag;
    this.hint.textContent = sounds ? texts.hint : texts.written;
    this.controls.hidden = !sounds && !answering;
    this.talk.hidden = !sounds;
    this.#button(this.talk, talking ? "end" : "microphone", talking ? texts.end : texts.talk);
    this.#button(this.mute, muted ? "muted" : "microphone", muted ? texts.unmute : texts.mute);
    this.mute.setAttribute("aria-pressed", String(muted));
    this.#offer(this.mute, state.canMute);
    this.#offer(this.stop, answering);
    this.#drawTrouble(state.trouble, texts);
    this.#drawn = state;
  }

  /** For a screen reader: each new state, but not each try of an outage. */
  #say(name, text) {
    if (name === "connecting" && this.#outage) return;
    this.#outage = name === "trouble";
    if (this.said.textContent !== text) this.said.textContent = text;
  }

  #translate(texts, { label, own }) {
    this.panel.lang = texts.tag;
    this.title.textContent = label || texts.label;
    this.title.lang = label ? own : texts.tag;
    for (const [element, text] of [[this.launch, texts.open], [this.close, texts.close], [this.stop, texts.stop], [this.send, texts.send]]) {
      element.setAttribute("aria-label", text);
      element.title = text;
    }
    this.launch.lang = texts.tag;
    this.input.setAttribute("aria-label", texts.message);
    this.input.placeholder = texts.message;
    this.transcript.list.setAttribute("aria-label", texts.transcript);
    this.retry.textContent = texts.retry;
  }

  #button(element, name, text) {
    if (element.dataset.icon === name && element.title === text) return;
    element.dataset.icon = name;
    element.title = text;
    element.setAttribute("aria-label", text);
    element.replaceChildren(icon(name));
  }

  /** A button that is not offered keeps its place; the keyboard goes on from the button beside it. */
  #offer(element, on) {
    if (!on && element.getRootNode().activeElement === element) (this.talk.hidden ? this.input : this.talk).focus();
    element.classList.toggle("off", !on);
  }

  #drawTrouble(trouble, texts) {
    const told = trouble ? `${trouble.text}|${trouble.action}` : "";
    if (told === this.#told && this.#drawn.texts === texts) return;
    this.#told = told;
    if (!trouble && this.problem.contains(this.problem.getRootNode().activeElement)) this.talk.focus();
    this.problem.hidden = !trouble;
    this.problemText.textContent = trouble?.text ?? "";
    this.problem.replaceChildren(...(trouble ? [this.problemText, ...(trouble.action ? [this.retry] : [])] : []));
  }

  /** The rings follow the level (0…1): they grow at once and shrink slowly, at most once for each frame. */
  level(value) {
    this.#target = Math.max(this.#target, Math.min(1, Math.sqrt(value) * 2));
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = null;
      const next = Math.max(this.#target, this.#level - LEVEL_FALL);
      this.#target = 0;
      if (Math.abs(next - this.#level) < 0.01) return;
      this.#level = next;
      this.talk.style.setProperty("--level", next.toFixed(2));
    });
  }

  quiet() {
    this.#level = this.#target = 0;
    this.talk.style.setProperty("--level", "0");
  }
}

/**
 * What is typed is not for the shortcuts of the page around, which sees an element that is no text field. Combinations are
 * (AltGr types), and keys that have a meaning around the field.
 */
function keepToField(event) {
  if (!combined(event) && !OF_THE_PAGE.has(event.key)) event.stopPropagation();
}

/** The same for what presses a button or scrolls the transcript: a page that talks at Space would take it away from both. */
function keepToControl(event) {
  if (!combined(event) && OF_THE_CONTROLS.has(event.key)) event.stopPropagation();
}

const combined = (event) => (event.ctrlKey || event.metaKey || event.altKey) && !event.getModifierState("AltGraph");
