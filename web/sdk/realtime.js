// Talk with a Realtime server from a page. The public interface:
//
//   const voice = new Realtime({ url: "wss://host/v1/realtime" });
//   voice.addEventListener("change", () => draw(voice.conversation, voice.phase));
//   await voice.talk();          // microphone and conversation; call it inside a click
//   await voice.say("Hello");    // a typed turn, answered in speech; needs no microphone
//   voice.mute(true);  await voice.interrupt();  await voice.stop();
//
// Events: `change` (redraw; at most once per task), `progress` (the listener has heard more),
// `level` ({source: "input" | "output", level: 0…1}), `event` (a server event), `sent` (a client event).

import { Connection } from "./connection.js";
import { emptyConversation, phase, recreate, reduce } from "./conversation.js";
import { Microphone } from "./microphone.js";
import { Playback } from "./playback.js";
import { Player } from "./player.js";

const EXTENSIONS = ["playback", "words", "latency"];

export class Realtime extends EventTarget {
  /** `credential`: async () -> key or null. `session`: the fields of a session.update after every connect. */
  constructor({ url, credential, session = null, extensions = EXTENSIONS, binary = true, microphone = {} }) {
    super();
    this.settings = session;
    this.conversation = emptyConversation();
    this.player = new Player();
    this.microphone = new Microphone(microphone);
    this.connection = new Connection({ url, credential, extensions, binary });
    this.playback = new Playback({
      player: this.player, send: (event) => this.send(event), session: () => this.conversation.session,
    });
    this.#addListeners();
  }

  #changing = false; #wasPlaying = false; #talking = false;

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
    this.connection.open();
    this.#openPlayer();
  }

  /** Send a typed turn. It interrupts a running answer, like speech. */
  async say(text) {
    const item_id = `msg_${crypto.getRandomValues(new Uint32Array(4)).join("")}`;
    this.connect();
    await this.interrupt();
    this.#apply({ type: "local.message", item_id, text });
    const content = [{ type: "input_text", text }];
    this.#queue({ type: "conversation.item.create", item: { id: item_id, type: "message", role: "user", content } });
    this.#queue({ type: "response.create" });
  }

  /** Stop the audio and the generation of the answer. */
  async interrupt() {
    const { response } = this.conversation;
    if (!response && !this.player.playing) return;
    if (response) this.send({ type: "response.cancel", response_id: response });
    else if (this.playback.acknowledges) this.send({ type: "output_audio_buffer.clear" });
    await this.playback.interrupt();
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
    this.conversation = { ...this.conversation, response: null, speech: null, awaiting: false };
    this.#changed();
  }

  /** Send any client event. */
  send(event) {
    if (this.connection.send(event)) this.dispatchEvent(new CustomEvent("sent", { detail: event }));
  }

  #queue(event) {
    this.connection.queue(event);
    this.dispatchEvent(new CustomEvent("sent", { detail: event }));
  }

  dismissProblem() {
    this.#apply({ type: "local.problem_seen" });
  }

  #addListeners() {
    this.connection.addEventListener("event", ({ detail }) => this.#receive(detail));
    this.connection.addEventListener("frame", ({ detail }) => this.playback.handleFrame(detail));
    this.connection.addEventListener("state", ({ detail }) => {
      if (detail === "open") this.#recover();
      this.#changed();
    });
    this.microphone.addEventListener("state", () => this.#changed());
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
    this.player.open().catch((error) => {
      if (this.connection.state !== "open") return;
      this.#apply({ type: "error", error: { code: "no_audio_output", message: `No sound can be played: ${error.message}` } });
    });
  }

  #receive(event) {
    // Handle audio first: a flush must not wait for captions.
    this.playback.handle(event);
    if (event.type === "session.created") this.#configure();
    if (event.type === "conversation.item.truncated" && event.transcript === undefined) {
      this.send({ type: "conversation.item.retrieve", item_id: event.item_id });
    }
    this.dispatchEvent(new CustomEvent("event", { detail: event }));
    this.#apply(event);
  }

  /** Send a new session the settings, and the conversation from before the connection was lost. */
  #configure() {
    if (this.settings) this.send({ type: "session.update", session: { type: "realtime", ...this.settings } });
    for (const event of recreate(this.conversation)) this.send(event);
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
    if (this.#changing) return;
    this.#changing = true;
    queueMicrotask(() => {
      this.#changing = false;
      this.dispatchEvent(new CustomEvent("change"));
    });
  }
}
