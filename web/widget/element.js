// <realtime-voice>: joins attributes, methods and events of the element with the view and the voice. See docs/widget.md.

import { watchDocument } from "./languages.js";
import { reach, secretFrom } from "./reach.js";
import { dress } from "./style.js";
import { statusOf, textsFor, troubleOf, troubleText } from "./texts.js";
import { checkTool, createVoice, heardItems, heardMs, release } from "./voice.js";
import { View } from "./view.js";

const HOME = new URL("../", import.meta.url);  // the server of embed.js
const HIDDEN_MS = 100;  // between drawings of a page that nobody sees
const CUT_WITHIN_MS = 5000;  // a server that has cut an answer says so, over a slow line late; where all had been heard, it says nothing
const GREETING_AFTER_MS = 400;  // a greeting of the server, or a stored conversation, comes sooner
const SETTINGS = { voice: "voice", language: "language", instructions: "instructions" };

let talker = null;  // one widget of a page has the microphone: else the assistants would hear each other

export class RealtimeVoice extends HTMLElement {
  static observedAttributes = ["open", "mode", "lang", "label", "greeting", "server", "token-url", ...Object.keys(SETTINGS)];

  #voice = null; #view; #tools = new Map(); #told = new Set(); #running = false; #trouble = null;
  #reach = null; #seen = null; #greeting = null; #greeted = false; #attended = false;
  #cutting = new Map(); #telling = null; #drawing = false; #stopped = false; #unwatch = null;

  constructor() {
    super();
    dress(this.attachShadow({ mode: "open" }));
    this.#view = new View({
      open: () => this.#opened(true), close: () => this.#opened(false), talk: () => (this.#voice?.talking ? this.stop() : this.talk()),
      mute: () => this.mute(!this.#speaker.microphone.muted), stop: () => this.interrupt(), say: (text) => this.say(text),
      retry: () => this.retry(), escape: () => this.#escape(),
    });
  }

  // --- the public interface -------------------------------------------------------------------------------------------

  get open() { return this.hasAttribute("open"); }
  set open(on) { this.toggleAttribute("open", Boolean(on)); }
  show() { this.open = true; }
  close() { this.open = false; }

  /** The SDK's object behind the widget, for all that is not here. */
  get voice() { return this.#speaker; }

  /** The tools that the model may call: [{name, description, parameters, run}]. Also before the element is defined. */
  get tools() { return [...this.#tools.values()].map(({ tool }) => tool); }
  set tools(tools) {
    const next = [...(tools ?? [])];
    next.forEach(checkTool);  // all of them or none
    for (const { remove } of [...this.#tools.values()]) remove();
    for (const tool of next) this.tool(tool);
  }

  /** Register one tool; returns a function that removes it. Throws a TypeError for one that no server would take. */
  tool(tool) {
    checkTool(tool);
    this.#tools.get(tool.name)?.remove();
    const entry = { tool, withdraw: this.#voice?.tool(tool) ?? null };
    entry.remove = () => {
      if (this.#tools.get(tool.name) !== entry) return;
      this.#tools.delete(tool.name);
      entry.withdraw?.();
    };
    this.#tools.set(tool.name, entry);
    return entry.remove;
  }

  /** Start the microphone and the conversation. Call it inside a click. */
  async talk() {
    const voice = this.#speaker;
    if (!this.isConnected) return;
    if (voice.microphone.state === "interrupted") return voice.microphone.start();
    if (!voice.player.possible) return this.#view.input.focus();
    const before = talker;
    talker = this;
    if (before !== this) before?.stop();  // its microphone is off at once
    this.#running = true;
    this.#stopped = false;
    await voice.talk().catch(() => {});  // its states say what is wrong
    this.#draw();
  }

  /** End the conversation: microphone, sound and connection. What was said stays, and the next talk goes on from it. */
  async stop() {
    this.#running = this.#stopped = false;
    if (talker === this) talker = null;
    clearTimeout(this.#greeting);
    this.#view.quiet();
    if (this.#voice) await release(this.#voice);
    if (this.#running) return;  // somebody has started again meanwhile
    this.#view.transcript.finish();
    this.#draw();
  }

  async say(text) {
    if (!this.isConnected) return;  // nothing would end the connection
    this.#running = true;
    await this.#speaker.say(text).catch(() => {});
  }

  async interrupt() { await this.#voice?.interrupt(); }
  mute(on = true) { this.#speaker.mute(on); }

  /** Try again what went wrong. */
  async retry() {
    const voice = this.#speaker, action = this.#trouble?.action;
    if (action === "talk") return this.talk();
    if (action === "answer") return voice.retry();
    if (action !== "connect") return;
    if (this.#stopped) return this.talk();
    this.#reach = null;
    if (voice.connection.state === "waiting" || voice.connection.silent) voice.connection.retryNow();
    else voice.connect();
  }

  // --- life in the page -----------------------------------------------------------------------------------------------

  connectedCallback() {
    for (const name of ["tools", "open"]) this.#upgrade(name);
    this.#view.place(this.shadowRoot, this.getAttribute("mode") === "inline");
    if (!this.#attended) {
      this.#view.watch(true);
      this.#unwatch = watchDocument(() => this.#draw());
    }
    this.#attended = true;
    this.#applyOpen(true);
    this.#draw();
  }

  /** Moved in the document, the element is back at once, and goes on talking. */
  disconnectedCallback() {
    if (!this.#view.inline) this.#view.panel.close();  // a dialog leaves the top layer with its element
    queueMicrotask(() => {
      if (this.isConnected || !this.#attended) return;
      this.#attended = false;
      this.#view.watch(false);
      this.#unwatch();
      this.stop();
    });
  }

  attributeChangedCallback(name, before, value) {
    if (before === value) return;
    if (name in SETTINGS) this.#voice?.update(this.#settings([name]));
    if (name === "server") this.#moveTo();
    if (!this.#attended) return;  // `connectedCallback` reads the others
    if (name === "open") this.#applyOpen();
    if (name === "mode") this.#replace(value === "inline");
    this.#draw();
  }

  /** A property that was set before the element was defined hides the accessor: set it again. */
  #upgrade(name) {
    if (!Object.hasOwn(this, name)) return;
    const value = this[name];
    delete this[name];
    try {
      this[name] = value;
    } catch (error) {
      reportError(error);  // a mistake of the page, which must not cost it the widget
    }
  }

  #replace(inline) {
    this.#view.place(this.shadowRoot, inline);
    this.#applyOpen(true);
  }

  #byPerson = false;

  #opened(open) {
    this.#byPerson = true;
    this.open = open;
    this.#byPerson = false;
  }

  /** `again`: only the elements are new, the widget is as open as before. */
  #applyOpen(again = false) {
    if (this.#view.inline) return;
    const typing = !this.#speaker.player.possible;
    this.#view.setOpen(this.open, { focus: this.#byPerson, typing });
    if (this.open !== this.#wasOpen) this.#tell(this.open ? "open" : "close", {});
    this.#wasOpen = this.open;
    if (!this.open && !again) this.stop();
  }

  #wasOpen = false;

  /** Escape stops the answer first; then it closes the dialog. */
  #escape() {
    if (this.#answering) this.interrupt();
    else if (!this.#view.inline) this.#opened(false);
  }

  // --- the voice ------------------------------------------------------------------------------------------------------

  get #speaker() {
    return (this.#voice ??= this.#create());
  }

  get #server() {
    try {
      const given = new URL(this.getAttribute("server") || HOME, document.baseURI);
      return given.href.endsWith("/") ? given : new URL(`${given.href}/`);
    } catch {
      return HOME;  // no address
    }
  }

  #create() {
    const url = new URL("v1/realtime", this.#server);
    url.protocol = url.protocol.replace("http", "ws");
    const voice = createVoice({ url, credential: () => this.#credential(), session: this.#settings(Object.keys(SETTINGS)) });
    for (const entry of this.#tools.values()) entry.withdraw = voice.tool(entry.tool);
    const on = (name, listener) => voice.addEventListener(name, ({ detail }) => { if (voice === this.#voice) listener(detail); });
    on("change", () => this.#drawSoon());
    on("progress", () => this.#view.transcript.highlight((id) => heardMs(voice, id)));
    on("level", ({ level }) => this.#view.level(level));
    on("tool", (detail) => this.#tell("tool", detail));
    on("event", ({ type }) => { if (type === "conversation.created") this.#greetSoon(); });
    on("sent", (event) => this.#sent(event));
    voice.connection.addEventListener("state", ({ detail }) => { if (voice === this.#voice) this.#explain(detail); });
    return voice;
  }

  async #credential() {
    const url = this.getAttribute("token-url");
    if (!url) return null;
    try {
      const secret = await secretFrom(new URL(url, document.baseURI));
      if (this.#reach === "token") this.#reach = null;
      return secret;
    } catch (error) {
      this.#reach = "token";
      throw error;
    }
  }

  /** The attributes as fields of a session.update. */
  #settings(names) {
    const fields = {}, audio = {}, value = (name) => this.getAttribute(name);
    const asked = (name) => names.includes(name) && value(name) !== null;
    if (names.includes("instructions") && (value("instructions") !== null || this.#voice)) fields.instructions = value("instructions") ?? "";
    if (asked("language")) audio.input = { transcription: { language: value("language").split("-")[0].toLowerCase() } };
    if (asked("voice")) audio.output = { voice: value("voice") };
    return Object.keys(audio).length ? { ...fields, audio } : fields;
  }

  #moveTo() {
    if (!this.#voice) return;
    const items = heardItems(this.#voice);
    this.stop();
    this.#voice = this.#create();
    this.#voice.restore({ items });
    this.#draw();
  }

  #greetSoon() {
    clearTimeout(this.#greeting);
    const text = this.getAttribute("greeting");
    if (!text || this.#greeted || !this.#voice.talking) return;
    this.#greeting = setTimeout(() => {
      const { items, response } = this.#voice.conversation;
      if (response || items.some(({ hidden }) => !hidden)) return;
      this.#greeted = true;
      this.#voice.send({ type: "response.create", response: { instructions: `Greet the user now. Say exactly this and nothing else: ${text}` } });
    }, GREETING_AFTER_MS);
  }

  /** Without a connection: find out why, once for each time. */
  async #explain(state) {
    if (state === "open" || state === "closed") this.#reach = null;
    const { connection } = this.#voice;
    if (state !== "open" && !connection.resuming) for (const id of [...this.#cutting.keys()]) this.#settled(id);
    if (state === "refused") return this.#stopListening();
    if (state !== "waiting" || connection.reason !== "unreachable" || this.#reach === "token") return;
    if (connection.everOpen && connection.attempts < 2) return;  // it may be back at once
    const found = await reach(this.#server);
    if (connection.state !== "waiting" && connection.state !== "connecting") return;
    this.#reach = found;
    this.#draw();
  }

  /** Nobody listens, and nobody will before the person tries again. */
  #stopListening() {
    this.#stopped = this.#voice.talking;
    if (talker === this) talker = null;
    this.#voice.microphone.stop();
  }

  // --- drawing and telling --------------------------------------------------------------------------------------------

  get #answering() {
    return this.#voice?.answering ?? false;
  }

  #draw() {
    if (!this.#view.panel) return;
    const voice = this.#speaker, { connection, conversation, microphone, player } = voice;
    const lang = languageOf(this), texts = textsFor(lang), sounds = player.possible;
    const items = conversation.items.filter(({ role, hidden, text, unread }) => (
      !hidden && (role === "user" || (role === "assistant" && text)) && (text || unread || role === "user")));
    const failed = items.at(-1)?.failed ?? false, { problem } = conversation;
    const paused = player.interrupted && voice.phase === "speaking";
    const now = troubleOf({ connection, microphone: microphone.state, problem, failed, reach: this.#reach, paused, sounds, phase: voice.phase });
    // While a further attempt is made, what was wrong stays: it would vanish and come again with each of them.
    const again = connection.state === "connecting" && connection.attempts > 0 ? this.#trouble : null;
    const found = now ?? again, trouble = found && { ...found, text: troubleText(texts, found.code) };
    this.#view.draw({
      texts, own: lang ?? "", label: this.getAttribute("label"), greeting: this.getAttribute("greeting"), trouble, items, sounds,
      status: statusOf(texts, { connection, microphone: microphone.state, muted: microphone.muted, phase: voice.phase, trouble }),
      talking: voice.talking, muted: microphone.muted, canMute: microphone.state === "on", answering: this.#answering,
    });
    this.#tellTrouble(trouble);
    this.#telling ??= setTimeout(() => this.#tellMessages(), 0);  // after what the SDK sends about a cut
  }

  /** At most once for each frame, however many events come. A hidden page has no frames, and is told of messages all the same. */
  #drawSoon() {
    if (this.#drawing) return;
    this.#drawing = true;
    const draw = () => {
      clearTimeout(timer);
      cancelAnimationFrame(frame);
      this.#drawing = false;
      this.#draw();
    };
    const timer = setTimeout(draw, HIDDEN_MS), frame = requestAnimationFrame(draw);
  }

  #tellTrouble(trouble) {
    this.#trouble = trouble;
    if (this.#seen === (trouble?.code ?? null)) return;
    this.#seen = trouble?.code ?? null;
    if (trouble && trouble.code !== "insecure") this.#tell("error", { code: trouble.code, message: trouble.text });
  }

  /** An answer was cut: the server will say what of it was heard, unless that was all. */
  #sent({ type, state, item_id }) {
    if (type === "conversation.item.truncate" || (type === "output_audio_buffer.played" && state === "flushed")) this.#expectCut(item_id);
  }

  /** What counts of this answer is not known yet. All of it does if the server says nothing: nothing was left to cut, or it refused. */
  #expectCut(id) {
    this.#settled(id);
    this.#cutting.set(id, setTimeout(() => {
      if (this.#voice.connection.resuming) return this.#expectCut(id);  // its word waits for the line
      this.#settled(id);
      this.#draw();
    }, CUT_WITHIN_MS));
  }

  #settled(id) {
    clearTimeout(this.#cutting.get(id));
    this.#cutting.delete(id);
  }

  /** Each message once: the user's when it is final, an answer when it has been heard, or cut off. */
  #tellMessages() {
    this.#telling = null;
    const { conversation, player } = this.#voice, over = !conversation.response && !player.playing;
    for (const { id, role, hidden, text, final, truncated } of conversation.items) {
      if (hidden || this.#told.has(id) || !final || !text || !["user", "assistant"].includes(role)) continue;
      if (role === "assistant" && !truncated && (!over || this.#cutting.has(id))) continue;
      this.#told.add(id);
      this.#settled(id);
      this.#tell("message", { id, role, text, interrupted: Boolean(truncated) });
    }
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(`realtime-${name}`, { detail, bubbles: true, composed: true }));
  }
}

/** The language of the page around an element, also from outside of the shadow root that it stands in. */
function languageOf(element) {
  const own = element.closest("[lang]");
  if (own) return own.getAttribute("lang");
  const { host } = element.getRootNode();
  return host ? languageOf(host) : null;
}
