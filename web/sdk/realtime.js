// Talk with a Realtime server from a page. The public interface:
//
//   const voice = new Realtime({ url: "wss://host/v1/realtime" });
//   voice.addEventListener("change", () => draw(voice.conversation, voice.phase));
//   await voice.talk();          // microphone and conversation; call it inside a click
//   await voice.say("Hello");    // a typed turn, answered in speech; needs no microphone
//   voice.mute(true);  await voice.interrupt();  await voice.stop();
//   await voice.retry();         // ask again for an answer that failed
//   voice.restore({ id, items }); // a conversation from before, for example of the same tab before a reload
//
// Events: `change` (redraw; at most once per task), `progress` (the listener has heard more),
// `level` ({source: "input" | "output", level: 0…1}), `event` (a server event), `sent` (a client event).

import { Connection } from "./connection.js";
import { emptyConversation, phase, recreate, reduce } from "./conversation.js";
import { Microphone } from "./microphone.js";
import { Player } from "./player.js";
import { ResponseAudio } from "./response_audio.js";

const EXTENSIONS = ["playback", "words", "latency", "resume"];
const SILENCE_MS = 4000;
const STORED_ITEMS_MS = 300;  // a stored conversation's items follow `conversation.created` at once
const NO_CONVERSATION_MS = 1000;  // servers that never send that event

export class Realtime extends EventTarget {
  /** `credential`: async () -> key or null. `session`: the fields of a session.update after every connect. */
  constructor({ url, credential, session = null, extensions = EXTENSIONS, binary = true, microphone = {} }) {
    super();
    this.settings = session;
    this.conversation = emptyConversation();
    this.player = new Player();
    this.microphone = new Microphone(microphone);
    this.connection = new Connection({ url, credential, extensions, binary });
    this.audio = new ResponseAudio({
      player: this.player, send: (event) => this.send(event), session: () => this.conversation.session,
    });
    this.#addListeners();
  }

  #changing = false; #wasPlaying = false; #talking = false; #ready = false; #readying = null; #known = new Set(); #askAgain = false;

  get phase() {
    return phase(this.conversation, this.player.playing);
  }

  /** Start the microphone and connect. Resolves when the microphone runs, or when its state says why not. */
  async talk() {
    this.#talking = true;
    const started = this.microphone.start();
    this.connect();
    await started;
  }

  connect() {
    const { id } = this.conversation;
    this.connection.query = id ? { conversation: id } : {};  // a server with a store continues it
    this.connection.open();
    this.#openPlayer();
  }

  /** Send a typed turn. It interrupts a running answer, like speech. Without a connection it is sent when there is one. */
  async say(text) {
    const item_id = `msg_${crypto.getRandomValues(new Uint32Array(4)).join("")}`;
    this.connect();
    await this.interrupt();
    this.#apply({ type: "local.message", item_id, text });
    if (!this.#ready) return;  // `#replay` sends it, in its place
    const content = [{ type: "input_text", text }];
    this.send({ type: "conversation.item.create", item: { id: item_id, type: "message", role: "user", content } });
    this.send({ type: "response.create" });
  }

  /** Ask again for the last answer. What there was of it is removed. */
  async retry() {
    await this.interrupt();
    const { items } = this.conversation;
    const asked = items.findLastIndex((item) => item.role === "user" && !item.hidden);
    for (const { id, role, placed } of items.slice(asked + 1)) {
      if (role !== "assistant") continue;
      if (placed) this.send({ type: "conversation.item.delete", item_id: id });
      this.#apply({ type: "conversation.item.deleted", item_id: id });
    }
    this.#apply({ type: "local.retried" });
    if (this.#ready) this.send({ type: "response.create" });
    else this.connect();
  }

  /** Show these items and send them to the next session: `[{id, role, text, placed, typed, truncated}]`. */
  restore({ id = null, items }) {
    this.#apply({ type: "local.restored", id, items });
  }

  /** Forget the conversation; the next one is another. */
  async reset() {
    await this.stop();
    this.conversation = emptyConversation();
    this.#changed();
  }

  /** Stop the audio and the generation of the answer. */
  async interrupt() {
    const { response } = this.conversation;
    if (!response && !this.player.playing) return;
    if (response) this.send({ type: "response.cancel", response_id: response });
    else if (this.audio.acknowledges) this.send({ type: "output_audio_buffer.clear" });
    await this.audio.interrupt();
  }

  mute(on) {
    this.microphone.mute(on);
    this.#changed();
  }

  async stop() {
    this.#talking = false;
    this.microphone.stop();
    await this.interrupt();
    this.connection.close();
    this.#apply({ type: "local.stopped" });
    this.#changed();
  }

  /** Send any client event. */
  send(event) {
    if (this.connection.send(event)) this.dispatchEvent(new CustomEvent("sent", { detail: event }));
  }

  dismissProblem() {
    this.#apply({ type: "local.problem_seen" });
  }

  #addListeners() {
    this.connection.addEventListener("event", ({ detail }) => this.#receive(detail));
    this.connection.addEventListener("frame", ({ detail }) => this.audio.handleFrame(detail));
    this.connection.addEventListener("state", ({ detail }) => {
      if (detail === "open") this.#recover();
      else if (!this.connection.resuming) this.#notReady();
      this.#changed();
    });
    this.connection.played = () => {
      const [key, part] = [...this.player.parts].find(([, { done, heardMs, receivedMs }]) => !done || heardMs < receivedMs) ?? [];
      return part ? { item_id: key.slice(key.indexOf(":") + 1), played_ms: part.heardMs } : null;
    };
    this.connection.addEventListener("silent", () => this.#changed());
    this.player.addEventListener("state", () => this.#changed());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.connection.retryNow();
    });
    this.microphone.addEventListener("state", ({ detail }) => {
      if (detail === "interrupted") this.#endSpeech();
      this.#changed();
    });
    this.microphone.addEventListener("frame", ({ detail: { pcm, level } }) => {
      this.connection.sendAudio(pcm);
      this.#level("input", level);
    });
    this.player.addEventListener("progress", ({ detail: { level } }) => {
      this.#level("output", level);
      this.dispatchEvent(new CustomEvent("progress"));
      if (this.player.playing !== this.#wasPlaying) this.#changed();
      this.#wasPlaying = this.player.playing;
    });
  }

  /** The worklets also come from the server: load those that failed while it was unreachable. */
  #recover() {
    this.#openPlayer();
    if (this.#talking && this.microphone.state === "unloaded") this.microphone.start();
  }

  #openPlayer() {
    if (!this.player.possible) return;  // the answers are written
    this.player.open().catch((error) => {
      if (this.connection.state !== "open") return;
      this.#apply({ type: "error", error: { code: "no_audio_output", message: `No sound can be played: ${error.message}` } });
    });
  }

  #receive(event) {
    // Handle audio first: a flush must not wait for captions.
    this.audio.handle(event);
    if (event.type === "session.created") this.#configure();
    if (event.type === "session.resumed") this.#resumed(event);
    if (event.type === "conversation.item.added") this.#known.add(event.item.id);
    if (event.type === "conversation.item.truncated" && event.transcript === undefined) {
      this.send({ type: "conversation.item.retrieve", item_id: event.item_id });
    }
    this.dispatchEvent(new CustomEvent("event", { detail: event }));
    this.#afterAnother(event);
    const { id } = this.conversation;
    this.#apply(event);
    if (event.type !== "conversation.created") return;
    if (event.conversation?.id === id) this.#replayIn(STORED_ITEMS_MS);
    else this.#replay();
  }

  /** The server was still answering, for example with its greeting: ask when that is over. */
  #afterAnother({ type, error }) {
    if (type === "error" && error.code === "conversation_already_has_active_response") this.#askAgain = true;
    if (type !== "response.done" || !this.#askAgain) return;
    this.#askAgain = false;
    this.send({ type: "response.create" });
  }

  /** Send the settings to a new session. Without sound the answers are written. */
  #configure() {
    for (const item_id of this.connection.repeated) this.#apply({ type: "conversation.item.deleted", item_id });
    const written = this.player.possible ? {} : { output_modalities: ["text"] };
    const settings = { ...this.settings, ...written };
    if (Object.keys(settings).length) this.send({ type: "session.update", session: { type: "realtime", ...settings } });
    this.#notReady();
    this.#known.clear();
    this.#askAgain = false;
    this.#replayIn(NO_CONVERSATION_MS);
  }

  /** The session goes on. Only one that was lost before it knew the conversation has to be told it. */
  #resumed(event) {
    if (!this.#ready) this.#replay();
    this.dispatchEvent(new CustomEvent("resumed", { detail: event }));
  }

  #notReady() {
    this.#ready = false;
    clearTimeout(this.#readying);
  }

  #replayIn(ms) {
    clearTimeout(this.#readying);
    this.#readying = setTimeout(() => this.#replay(), ms);
  }

  /** Send a new session what it does not know: the conversation so far, and the message that still waits. */
  #replay() {
    clearTimeout(this.#readying);
    if (this.#ready || this.connection.state !== "open") return;
    this.#ready = true;
    for (const event of recreate(this.conversation)) if (!this.#known.has(event.item.id)) this.send(event);
    if (this.conversation.wanted) this.send({ type: "response.create" });
    this.connection.release();
  }

  /** The microphone was taken away in the middle of speech: silence ends the turn, as time is measured in audio. */
  #endSpeech() {
    if (!this.conversation.speech) return;
    const frame = new Int16Array((this.microphone.rate * this.microphone.frameMs) / 1000);
    for (let ms = 0; ms < SILENCE_MS; ms += this.microphone.frameMs) this.connection.sendAudio(frame);
  }

  #apply(event) {
    const next = reduce(this.conversation, event);
    if (next === this.conversation) return;
    this.conversation = next;
    this.#changed();
  }

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
      this.dispatchEvent(new CustomEvent("change"));
    });
  }
}
