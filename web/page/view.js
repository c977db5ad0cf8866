// Draws the state of the page into the document: the line under the button, the controls, the notices, the conversation.
// Knows the ids of index.html; changes nothing but the document.

import { setText } from "./language.js";
import { canHear, causeText, isLive, itemTrouble, microphoneNotice, problemText, serverNotices, statusText } from "./texts.js";
import { drawWaterfall } from "./waterfall.js";

const byId = (id) => document.getElementById(id);

export class View {
  /** `extra`: id -> () -> text of notices that are not states. */
  constructor({ voice, server, diagnosis, keyDialog, captions, notices, extra }) {
    Object.assign(this, { voice, server, diagnosis, keyDialog, captions, notices, extra });
  }

  #latency = null; #outage = new Set();

  draw() {
    const { connection, conversation, microphone, player, phase, answering, talking } = this.voice, live = isLive(connection, phase);
    const retryAt = connection.retryAt ?? this.server.retryAt;
    const silent = connection.silent || (this.server.silent && connection.state !== "open");
    const now = {
      connection: this.server.retryAt !== null && !live ? { state: "waiting" } : connection,
      microphone: microphone.state, muted: microphone.muted, phase, everOpen: connection.everOpen,
      secondsToRetry: retryAt ? Math.ceil((retryAt - performance.now()) / 1000) : 0,
      loaded: this.server.status || this.server.retryAt !== null,
      cause: this.diagnosis.cause, silent, paused: player.interrupted, hears: canHear(this.server.status), sounds: player.possible,
    };
    const [status, text] = statusText(now);
    document.body.dataset.status = status;
    delete byId("state").dataset.text;  // this text is drawn anew, not translated
    if (byId("state").textContent !== text) byId("state").textContent = text;
    this.#say(...statusText({ ...now, secondsToRetry: 0 }));
    byId("reconnect").hidden = (live && connection.state !== "open") || (!silent && retryAt === null);
    document.body.toggleAttribute("data-live", talking);
    setText(byId("talk-label"), talking ? "talk.stop" : "talk.start");
    byId("mute").hidden = microphone.state !== "on";
    byId("mute").setAttribute("aria-pressed", microphone.muted);
    setText(byId("mute-label"), microphone.muted ? "mute.off" : "mute.on");
    byId("interrupt").hidden = !answering;
    this.#drawServer();
    this.#drawConversation(conversation, connection);
    this.#drawNotices();
  }

  /** For a screen reader: each new state, but not the seconds of an outage, nor the same failures again and again. */
  #say(status, text) {
    if (status === "connecting" && this.#outage.size) return;
    if (status !== "trouble") this.#outage.clear();
    else if (this.#outage.has(text)) return;
    else this.#outage.add(text);
    if (byId("state-said").textContent !== text) byId("state-said").textContent = text;
  }

  #drawServer() {
    const status = this.server.status ?? {}, voiceless = !this.voice.player.possible || !canHear(this.server.status);
    const speaks = this.voice.voice ?? status.voice;  // of this session, else the server's own
    byId("server").textContent = [status.chat_model, speaks].filter(Boolean).join(" · ");
    document.body.toggleAttribute("data-typing", voiceless);
    setText(byId("lead"), voiceless ? "welcome.write" : "welcome.lead");
    setText(byId("lead-more"), !voiceless ? "welcome.more" : this.voice.player.possible ? "welcome.aloud" : "welcome.read");
  }

  #drawConversation(conversation, connection) {
    const shown = conversation.items.filter((item) => !item.hidden);
    const empty = shown.length === 0;
    const context = {
      last: shown.filter(({ role }) => role === "user" || role === "assistant").at(-1),
      waiting: conversation.awaiting || conversation.response !== null || conversation.speech !== null,
      offline: ["refused", "closed"].includes(connection.state) && !this.keyDialog.open,
    };
    document.body.toggleAttribute("data-empty", empty);
    byId("new").hidden = empty;
    this.captions.draw(conversation.items, (item) => itemTrouble(item, context));
    if (conversation.latency !== this.#latency) {
      this.#latency = conversation.latency;
      drawWaterfall(this.voice.player.possible ? this.#latency : null);
    }
  }

  #drawNotices() {
    const sounds = this.voice.player.possible;
    const all = serverNotices(this.server.status ?? {}, { sounds }).map((notice) => ({ ...notice, kind: "info" }));
    const microphoneText = sounds ? microphoneNotice(this.voice.microphone.state) : null;
    // While the server is unreachable, the line under the button says enough.
    const unloaded = this.voice.microphone.state === "unloaded" && this.voice.connection.state !== "open";
    if (microphoneText && !unloaded) all.push({ id: "microphone", text: microphoneText, kind: "bad" });
    const cause = causeText(this.diagnosis.cause);
    if (cause) all.push({ id: "cause", text: cause, kind: "bad" });
    const { problem } = this.voice.conversation;
    if (problem && (problem.code ?? "") !== this.voice.connection.reason) all.push({ id: "problem", text: problemText(problem), kind: "bad" });
    for (const [id, text] of this.extra) all.push({ id, text: text(), kind: id === "panel" ? "bad" : "info" });
    this.notices.draw(all);
  }
}
