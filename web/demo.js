// The talk page: connects the SDK with the document. Knows the controls and when to redraw. What is drawn is in
// page/view.js, the words are in page/texts/, the panels are loaded when they are opened. All addresses are relative, so that the page works at any path.

import { Realtime } from "./sdk/realtime.js";
import { Captions } from "./page/captions.js";
import { exposeDebug } from "./page/debug.js";
import { Diagnosis } from "./page/diagnosis.js";
import { EventLog } from "./page/event_log.js";
import { choices } from "./page/first.js";
import { greet } from "./page/greeting.js";
import { KeyDialog } from "./page/key_dialog.js";
import { language, textOf } from "./page/language.js";
import { load, save } from "./page/memory.js";
import { Notices } from "./page/notices.js";
import { Offers } from "./page/offers.js";
import { clock, foreignText } from "./page/panel_texts.js";
import { Recorder } from "./page/recorder.js";
import { Server } from "./page/server.js";
import { Shape } from "./page/shape.js";
import { drawerSwitch, sheetSwitch } from "./page/switches.js";
import { canHear } from "./page/texts.js";
import { ToolCalls } from "./page/tool_calls.js";
import { View } from "./page/view.js";

const SAVE_AFTER_MS = 500;
const HIDDEN_MS = 100;  // without a frame: the page may be hidden
const byId = (id) => document.getElementById(id);

const server = new Server();
const voice = new Realtime({
  url: new URL("v1/realtime", location.href.replace(/^http/, "ws")),
  credential,
  session: choices.session(),
});
const tools = new ToolCalls().follow(voice, () => drawSoon());
const captions = new Captions(byId("captions"), byId("spoken"), { retry, tools });
const notices = new Notices(byId("notices"), { dismiss });
const keyDialog = new KeyDialog({ entered: goOnWithKey, closed: () => draw() });
const shape = new Shape(byId("shape"), byId("talk"), { speaking: () => document.body.dataset.status === "speaking" });
const offers = new Offers({ headers: () => keyDialog.headers });
const log = new EventLog().follow(voice), stats = () => voice.stats();
const heardMs = (id) => voice.player.heardMs(`0:${id}`);
const diagnosis = new Diagnosis(voice.connection, server);
const recorder = new Recorder(voice);
let afterKey = null;      // what to repeat when the user has entered a key
const extra = new Map();  // id -> () -> text of notices that are not states
const view = new View({ voice, server, diagnosis, keyDialog, captions, notices, extra });
let drawing = null, saving = null;
let resumedAt = -Infinity; // when the microphone came back after an interruption

exposeDebug(voice, { log, stats });

// --- the server -------------------------------------------------------------------------------------------------

async function credential() {
  try {
    return await keyDialog.secret(await server.known());
  } catch (error) {
    if (error.refused) server.doubt();
    throw error;
  }
}

function reconnect() {
  server.retryNow();
  voice.connection.retryNow();
}

// --- controls ---------------------------------------------------------------------------------------------------

async function talk() {
  if (performance.now() - resumedAt < 1000) return;  // this click has just brought the microphone back
  if (voice.microphone.state === "interrupted") return voice.microphone.start();
  if (voice.talking) return stopTalking();
  if (!voice.player.possible || !canHear(server.status)) return byId("message").focus();
  notices.dismissed.delete("microphone");
  afterKey = talk;
  await voice.talk().catch(() => {});  // errors are states, which the page already shows
  draw();
}

async function stopTalking() {
  if (await voice.stop()) captions.finish();
}

async function send() {
  const text = byId("message").value.trim();
  if (!text) return;
  byId("message").value = "";
  byId("send").disabled = true;
  afterKey = () => voice.connect();
  await voice.say(text);
}

function retry() {
  afterKey = () => voice.connect();
  voice.retry();
}

async function startAnew() {
  await voice.reset();
  remember();
  byId("message").focus();
}

/** An earlier conversation of the server's store. */
async function goBackTo(id) {
  byId("settings").close();
  await startAnew();
  voice.restore({ id, items: [] });
  voice.connect();
}

function goOnWithKey() {
  (afterKey ?? (() => voice.connect()))();
}

function shortcut(event) {
  if (event.isComposing || event.keyCode === 229) return;  // it is for an input method: Escape drops its words (229: Safari)
  if (document.querySelector("dialog[open]")) return;
  if (event.key === "Escape" && voice.answering) voice.interrupt();
  if (event.target.matches("input, textarea, select")) return;
  // The browser already handles the space bar for a focused button, link or scrolling code.
  if (event.key !== " " || event.repeat || event.target.closest("button, summary, a, pre")) return;
  event.preventDefault();
  talk();
}

function dismiss(id) {
  if (extra.delete(id)) return void draw(), true;
  if (id !== "problem") return false;
  voice.dismissProblem();
  return true;
}

function remember() {
  save(voice.conversation, (id) => (voice.player.parts.has(`0:${id}`) ? heardMs(id) : null));
}

/** The page is left: it may come back from the browser's cache, then without microphone and connection. */
function leave() {
  remember();
  voice.connection.close();
  voice.microphone.stop();
}

byId("talk").addEventListener("click", talk);
byId("mute").addEventListener("click", () => voice.mute(!voice.microphone.muted));
byId("interrupt").addEventListener("click", () => voice.interrupt());
byId("reconnect").addEventListener("click", reconnect);
byId("new").addEventListener("click", startAnew);
byId("composer").addEventListener("submit", (event) => { event.preventDefault(); send(); });
byId("message").addEventListener("input", enableSend);
document.addEventListener("keydown", shortcut);
addEventListener("online", reconnect);
addEventListener("pagehide", leave);
document.addEventListener("visibilitychange", () => (document.hidden ? remember() : reconnect()));

function enableSend() {
  byId("send").disabled = !byId("message").value.trim();
}

// --- drawing ----------------------------------------------------------------------------------------------------

function draw() {
  view.draw();
}

/** At most once for each frame, however many events come. A hidden page has no frames, and may be hidden by the next one. */
function drawSoon() {
  drawing ??= { timer: setTimeout(drawNow, HIDDEN_MS), frame: requestAnimationFrame(drawNow) };
}

function drawNow() {
  clearTimeout(drawing.timer);
  cancelAnimationFrame(drawing.frame);
  drawing = null;
  draw();
}

voice.addEventListener("change", () => {
  drawSoon();
  saving ??= setTimeout(() => { saving = null; remember(); }, SAVE_AFTER_MS);
});
server.addEventListener("change", draw);
diagnosis.addEventListener("change", draw);
language.addEventListener("change", draw);
voice.connection.addEventListener("state", ({ detail }) => {
  keyDialog.askIfRefused(voice.connection);
  if (detail === "refused") voice.microphone.stop();  // nobody listens, and nobody will by itself
});
voice.microphone.addEventListener("state", ({ detail, target }) => {
  if (detail === "on" && target.before === "interrupted") resumedAt = performance.now();
  target.before = detail;
});
voice.addEventListener("level", ({ detail }) => shape.add(detail));
voice.addEventListener("event", ({ detail }) => {
  if (detail.type !== "error" || detail.error?.code !== "invalid_api_key") return;
  keyDialog.said = detail.error.message;
  server.doubt();
});
voice.addEventListener("progress", () => captions.highlight(heardMs));
setInterval(() => { if (voice.connection.retryAt || server.retryAt) draw(); }, 250);

const drawer = drawerSwitch({
  root: byId("drawer"), toggle: byId("drawer-toggle"),
  make: async () => new (await import("./page/drawer.js")).Drawer(byId("drawer"), { stats, log, close: () => drawer.close() }),
  failed: notLoaded,
});

recorder.addEventListener("change", () => {
  byId("recording").hidden = !recorder.on;
  byId("recording-time").textContent = clock(recorder.seconds);
});
byId("recording").addEventListener("click", () => recorder.stop());

sheetSwitch({
  dialog: byId("settings"), toggle: byId("settings-toggle"),
  make: async () => {
    const [{ SettingsSheet }, { ConversationPart }] = await Promise.all([import("./page/settings.js"), import("./page/conversation_part.js")]);
    const conversation = new ConversationPart({ voice, tools, stats, recorder, offers, resume: goBackTo });
    return new SettingsSheet(byId("settings"), { choices, offers, voice, conversation });
  },
  failed: notLoaded,
});

choices.addEventListener("change", ({ detail: name }) => {
  useDevices(name);
  for (const { name: own } of foreign) if (!(own in choices.fromAddress)) extra.delete(own);
  if (!["microphone", "speaker", "greeting", "lang"].includes(name)) voice.update(choices.session({ all: true }));
  draw();
});

/** The chosen ones; null: both of them. */
function useDevices(name) {
  if (name === null || name === "microphone") voice.microphone.use(choices.get("microphone"));
  if (name === null || name === "speaker") voice.player.use(choices.get("speaker"));
}

/** A panel's code comes from the server, which may be unreachable. */
function notLoaded() {
  extra.set("panel", () => textOf("page.panel_failed"));
  draw();
}

const foreign = choices.foreignWords;
for (const { name, text } of foreign) extra.set(name, () => foreignText({ name, text }));
useDevices(null);
greet(voice, () => choices.get("greeting"));
const before = load();
if (before) voice.restore(before);
enableSend();
const early = window.realtimeEarly?.take();
draw();
server.poll();
if (early === "talk") talk();
if (early === "send") send();
