// @ts-check
// Talk with a Realtime server from a page. The public interface:
//
//   const voice = new Realtime({ url: "wss://host/v1/realtime" });
//   voice.addEventListener("change", () => draw(voice.conversation, voice.phase));
//   await voice.talk();          // microphone and conversation; call it inside a click
//   await voice.say("Hello");    // a typed turn, answered in speech; needs no microphone. Also {text, images}
//   voice.tool({ name: "weather", description: "…", parameters: {…}, run: async ({ city }) => … });
//   voice.voice = "English_Graceful_Lady";  voice.speed = 1.2;  voice.instructions = "Be brief.";
//   voice.mute(true);  await voice.interrupt();  await voice.stop();
//   await voice.retry();         // ask again for an answer that failed
//   voice.restore({ id, items }); // a conversation from before, for example of the same tab before a reload
//
// Events: `change` (redraw; at most once per task), `progress` (the listener has heard more),
// `level` ({source: "input" | "output", level: 0…1}), `event` (a server event), `sent` (a client event), `tool` ({name,
// call_id, arguments, result | error}: a call has ended).

import { Asking } from "./asking.js";
import { Connection } from "./connection.js";
import { emptyConversation, phase, reduce } from "./conversation.js";
import { sendMicrophone } from "./input_audio.js";
import { Measuring } from "./measuring.js";
import { Microphone } from "./microphone.js";
import { Player } from "./player.js";
import { Replaying } from "./replaying.js";
import { ResponseAudio } from "./response_audio.js";
import { Settings } from "./settings.js";
import { snapshots } from "./snapshots.js";
import { Tools } from "./tools.js";
import { understood } from "./understood.js";

const EXTENSIONS = ["playback", "words", "latency", "resume"];

/** @import { Conversation, Item, Measurements, Message, Options, Phase, ProtocolEvent, Snapshot, Tool } from "./types.js" */

/** A conversation with a server: microphone, player, connection and what was said, joined. */
export class Realtime extends EventTarget {
  /**
   * `credential`: a key, an `ek_…` secret, or a function (it may be async) that is asked for one before each connect.
   * `session`: the fields of a session.update after every connect. `tools`: see `tool`.
   * `contexts`: who opens the AudioContext, see audio_context.js.
   * @param {Options} options
   */
  constructor({ url, credential = null, session = null, extensions = EXTENSIONS, binary = true, microphone = {}, tools = [], contexts = undefined }) {
    super();
    const send = (/** @type {ProtocolEvent} */ event) => this.send(event);
    /** @type {Conversation} */
    this.conversation = emptyConversation();
    /** @type {Settings} */
    this.settings = new Settings({
      fields: session, send, session: () => this.conversation.session, tools: () => this.tools.definitions,
    });
    /** @type {Tools} */
    this.tools = new Tools({
      send, changed: () => this.settings.toolsChanged(), report: (detail) => this.dispatchEvent(new CustomEvent("tool", { detail })),
      foreign: (name) => (this.settings.fields.tools ?? []).some((/** @type {Tool} */ tool) => tool.name === name),
      busy: (running) => this.#apply({ type: "local.tools", running }),
    });
    this.player = new Player({ contexts });
    this.microphone = new Microphone({ contexts, ...microphone });
    const asked = typeof credential === "function" ? async () => credential() : async () => credential;
    this.connection = new Connection({ url, credential: asked, extensions, binary });
    this.connection.query = () => Object.fromEntries(this.conversation.id ? [["conversation", this.conversation.id]] : []);  // of a server's store
    this.audio = new ResponseAudio({
      player: this.player, send, session: () => this.conversation.session, cut: (event) => this.#apply(event),
    });
    this.#replaying = new Replaying({
      conversation: () => this.conversation, isOpen: () => this.connection.state === "open", send,
      asksLater: () => this.connection.asksLater, told: () => this.connection.release(),
    });
    this.#asking = new Asking({
      conversation: () => this.conversation, apply: (event) => this.#apply(event), send, cut: () => this.#cut(),
      wanted: () => this.#running, ready: () => this.#replaying.ready,
    });
    sendMicrophone({
      microphone: this.microphone, connection: this.connection,
      hears: () => this.#running && this.conversation.session?.audio?.input?.turn_detection !== null,
    });
    this.#measuring = new Measuring({ voice: this, connection: this.connection, player: this.player });
    for (const tool of tools) this.tool(tool);
    this.#addListeners();
  }

  #changing = false; #wasPlaying = false; #talking = false; #replaying; #asking; #measuring;
  #running = false;   // whether a conversation is wanted: the newest wish counts, also while an older one is carried out
  #unwanted = false;  // the answer that is due was stopped before it began

  /** What happens now. @type {Phase} */
  get phase() {
    return phase(this.conversation, this.player.playing);
  }

  /** Whether the user talks or may: it was wanted, and not stopped, and the microphone is on, asked for, or comes back by itself. @type {boolean} */
  get talking() {
    return this.#talking && ["asking", "on", "interrupted", "unloaded"].includes(this.microphone.state);
  }

  /** Whether there is an answer to stop: one that sounds, is made, or is due. Also while the user speaks. @type {boolean} */
  get answering() {
    const { response, awaiting } = this.conversation;
    return this.player.playing || (this.connection.state === "open" && (response !== null || awaiting));
  }

  /**
   * Call `listener` after each change. Returns a function that ends this. It needs no `this`, like `snapshot`.
   * @type {(listener: () => void) => () => void}
   */
  subscribe = (listener) => {
    const changed = () => listener();
    this.addEventListener("change", changed);
    return () => this.removeEventListener("change", changed);
  };

  /** The state of everything: the same object until something changes. @type {() => Snapshot} */
  snapshot = snapshots(() => this.#read(), ["connection", "microphone"]);

  // What the server has confirmed, or what was set and is not answered yet. To set one sends a session.update, now and after
  // every connect; the server takes it from the next response on.
  /** The voice of the answers. @type {string | null} */
  get voice() { return this.settings.get("audio", "output", "voice"); }
  set voice(voice) { this.update({ audio: { output: { voice } } }); }
  /** How fast the voice speaks; 1 is as it is made. @type {number | null} */
  get speed() { return this.settings.get("audio", "output", "speed"); }
  set speed(speed) { this.update({ audio: { output: { speed } } }); }
  /** What the model is told to be and to do. @type {string | null} */
  get instructions() { return this.settings.get("instructions"); }
  set instructions(instructions) { this.update({ instructions }); }
  /** The language of the user's speech, for example `en`; null: any. @type {string | null} */
  get language() { return this.settings.get("audio", "input", "transcription", "language"); }
  set language(language) { this.settings.change("transcription", { language: language ?? undefined }); }
  /** Whether speech interrupts an answer. Like `eagerness`, it changes nothing while turn detection is off. @type {boolean} */
  get interruption() { return this.settings.get("audio", "input", "turn_detection", "interrupt_response") ?? true; }
  set interruption(on) { this.settings.change("turn_detection", { interrupt_response: on }); }
  /** How soon a turn counts as over: `low`, `medium`, `high` or `auto`. @type {string | null} */
  get eagerness() { return this.settings.get("audio", "input", "turn_detection", "eagerness"); }
  set eagerness(eagerness) { this.settings.change("turn_detection", { type: "semantic_vad", eagerness }); }

  /** Change any fields of the session, by the rules of `session.update`. What the server refuses is taken back. @param {Record<string, any>} fields */
  update(fields) {
    this.settings.update(fields);
  }

  /**
   * Offer a function to the model: {name, description, parameters (a JSON schema), run, timeout_ms = 30000}. `run` gets the
   * arguments and {signal, call_id}, and returns a string or anything JSON. Returns a function that removes it.
   * @param {Tool} tool
   * @returns {() => void}
   */
  tool(tool) {
    return this.tools.add(tool);
  }

  /** Start the microphone and connect. Resolves when the microphone runs, or when its state says why not. */
  async talk() {
    this.#talking = true;
    const started = this.microphone.start();
    this.connect();
    await started;
  }

  /** Connect without the microphone. */
  connect() {
    this.#running = true;
    this.connection.open();
    document.addEventListener("visibilitychange", this.#shown);
    this.#openPlayer();
  }

  #shown = () => { if (document.visibilityState === "visible") this.connection.retryNow(); };

  /**
   * Send a typed turn, after those before it. It interrupts a running answer, like speech. Without a connection it is sent
   * when there is one.
   * @param {string | Message} message
   */
  async say(message) {
    this.connect();
    await this.#asking.say(message);
  }

  /** Ask again for the last answer. What there was of it is removed. */
  async retry() {
    this.connect();
    await this.#asking.retry();
  }

  /**
   * Show these items and send them to the next session.
   * @param {{ id?: string | null, items: Partial<Item>[] }} conversation
   */
  restore({ id = null, items }) {
    this.#apply({ type: "local.restored", id, items });
  }

  /** Discard the conversation; the next one is another. */
  async reset() {
    const discarded = this.#discard();
    this.#asking.discard(discarded);
    await discarded;
  }

  async #discard() {
    await this.#silence();
    this.#close();
    this.conversation = emptyConversation();
    this.#measuring.reset();
    this.player.forget();
    if (this.#running) this.connect();  // started again meanwhile
    this.#changed();
  }

  /** What was measured of this conversation: the time line of each turn, the sound, requests, messages. @returns {Measurements} */
  stats() {
    return this.#measuring.read();
  }

  /** Stop the audio and the generation of the answer, also of one that is due and has not begun. */
  async interrupt() {
    const { awaiting, response } = this.conversation;
    await this.#cut(awaiting && !response && !this.tools.running);
  }

  /** Stop what sounds and what is generated. What is due is still wanted, unless it is `unwanted`. */
  async #cut(unwanted = false) {
    const { response } = this.conversation;
    this.#unwanted = unwanted;
    if (this.tools.running) this.tools.interrupt();
    if (!response && !this.player.playing) return;
    if (response) this.send({ type: "response.cancel", response_id: response });
    else if (this.audio.acknowledges) this.send({ type: "output_audio_buffer.clear" });
    await this.audio.interrupt();
    this.#changed();  // where the sound stands still, nothing else tells that it is over
  }

  /** Send silence instead of the microphone. @param {boolean} on */
  mute(on) {
    this.microphone.mute(on);
    this.#changed();
  }

  /**
   * Stop the microphone and the answer, and close the connection. Resolves to whether that was done: not if the conversation
   * was started again meanwhile.
   * @returns {Promise<boolean>}
   */
  async stop() {
    await this.#silence();
    if (this.#running) return false;
    this.#close();
    return true;
  }

  async #silence() {
    this.#talking = this.#running = false;
    this.microphone.stop();
    await this.#cut();
  }

  #close() {
    this.tools.abandon();
    this.audio.settle();
    this.connection.close();
    document.removeEventListener("visibilitychange", this.#shown);  // else the document would keep this object
    this.#apply({ type: "local.stopped" });
    this.#changed();
  }

  /** Send any client event. Whether it was sent: without a session it is dropped. @param {ProtocolEvent} event @returns {boolean} */
  send(event) {
    const sent = this.connection.send(event);
    if (!sent) return false;
    if (event.type === "response.create" && event.response?.conversation !== "none") this.#asked();
    this.dispatchEvent(new CustomEvent("sent", { detail: event }));
    return true;
  }

  /** An answer is due, in this session or the next one. */
  #asked() {
    if (this.#replaying.ready && !this.conversation.response) this.#apply({ type: "local.asked" });
  }

  /** The user has seen the problem. */
  dismissProblem() {
    this.#apply({ type: "local.problem_seen" });
  }

  /** @param {EventTarget} target @param {string} type @param {(detail: any) => void} heed */
  #on(target, type, heed) {
    target.addEventListener(type, (event) => heed(/** @type {CustomEvent} */ (event).detail));
  }

  #addListeners() {
    this.#on(this.connection, "event", (detail) => this.#receive(detail));
    this.#on(this.connection, "frame", (detail) => this.audio.handleFrame(detail));
    this.#on(this.connection, "state", (detail) => {
      if (detail === "open") this.#recover();
      else if (!this.connection.resuming) this.#replaying.notReady();
      if (detail === "refused" && this.connection.reason === "session_taken_over") this.#fallSilent();
      this.#changed();
    });
    this.connection.played = () => this.audio.playing;
    this.connection.addEventListener("silent", () => this.#changed());
    this.player.addEventListener("state", () => this.#changed());
    this.microphone.addEventListener("state", () => this.#changed());
    this.#on(this.microphone, "frame", ({ level }) => this.#level("input", level));
    this.#on(this.player, "progress", ({ level }) => {
      this.#level("output", level);
      this.dispatchEvent(new CustomEvent("progress"));
      if (this.player.playing !== this.#wasPlaying) this.#changed();
    });
  }

  /** The worklets also come from the server: load those that failed while it was unreachable. */
  #recover() {
    this.#openPlayer();
    if (this.#talking && this.microphone.state === "unloaded") this.microphone.start();
  }

  /** The conversation goes on elsewhere: two answers must not sound at once, and nobody hears the rest of this one. */
  #fallSilent() {
    this.tools.abandon();
    this.#apply({ type: "local.stopped" });
    this.audio.interrupt();
  }

  #openPlayer() {
    if (!this.player.possible) return;  // the answers are written
    this.player.open().catch((/** @type {Error} */ error) => {
      if (this.connection.state !== "open") return;
      this.#apply({ type: "error", error: { code: "no_audio_output", message: `No sound can be played: ${error.message}` } });
    });
  }

  /** @param {ProtocolEvent} event */
  #receive(event) {
    // Handle audio first: a flush must not wait for captions.
    understood(() => this.audio.handle(event), undefined);
    this.#interruptTools(event);
    understood(() => this.tools.handle(event), undefined);
    understood(() => this.settings.handle(event), undefined);
    if (event.type === "session.created") this.#configure();
    if (event.type === "session.resumed") this.dispatchEvent(new CustomEvent("resumed", { detail: event }));
    if (event.type === "conversation.item.truncated" && event.transcript === undefined) {
      this.send({ type: "conversation.item.retrieve", item_id: event.item_id });
    }
    this.dispatchEvent(new CustomEvent("event", { detail: event }));
    const { id } = this.conversation, unwanted = this.#unwanted;
    this.#apply(event);
    if (unwanted && this.conversation.response) this.#cut();
    this.#replaying.handle(event, id);
  }

  /** @param {ProtocolEvent} event */
  #interruptTools({ type }) {
    if (type === "input_audio_buffer.speech_started" && this.interruption) this.tools.interrupt("speech");
  }

  /** Send the settings to a new session. Without sound the answers are written. */
  #configure() {
    for (const item_id of this.connection.repeated) this.#apply({ type: "conversation.item.deleted", item_id });
    if (this.connection.asksLater) this.#apply({ type: "local.asked" });
    this.settings.configure(this.player.possible ? {} : { output_modalities: ["text"] });
  }

  /** @param {ProtocolEvent} event */
  #apply(event) {
    const next = reduce(this.conversation, event);
    if (next === this.conversation) return;
    this.conversation = next;
    this.#unwanted &&= next.awaiting;
    this.#changed();
  }

  /** @returns {Snapshot} */
  #read() {
    const { state, reason, retryAt, silent, resuming } = this.connection;
    const { microphone } = this;
    return {
      conversation: this.conversation, phase: this.phase, answering: this.answering, connection: { state, reason, retryAt, silent, resuming },
      microphone: { state: microphone.state, muted: microphone.muted, deviceId: microphone.deviceId },
    };
  }

  /** @param {"input" | "output"} source @param {number} level */
  #level(source, level) {
    this.dispatchEvent(new CustomEvent("level", { detail: { source, level } }));
  }

  #changed() {
    const { awaiting, response } = this.conversation;
    this.connection.watched = this.microphone.state === "on" || awaiting || response !== null;
    if (this.#changing) return;
    this.#changing = true;
    queueMicrotask(() => {
      this.#changing = false;
      this.#wasPlaying = this.player.playing;
      this.dispatchEvent(new CustomEvent("change"));
    });
  }
}
