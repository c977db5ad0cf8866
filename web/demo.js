// The talk page: connects the SDK with the document. Knows the controls and when to redraw. Texts are in page/texts.js,
// the drawing of the conversation is in page/captions.js. All addresses are relative, so that the page works at any path.

import { clientSecret } from "./sdk/connection.js";
import { Realtime } from "./sdk/realtime.js";
import { Captions } from "./page/captions.js";
import { exposeDebug } from "./page/debug.js";
import { microphoneNotice, problemText, serverNotices, statusText } from "./page/texts.js";
import { drawWaterfall } from "./page/waterfall.js";

const KEY = "realtime.key";
const byId = (id) => document.getElementById(id);

const voice = new Realtime({
  url: new URL("v1/realtime", location.href.replace(/^http/, "ws")),
  credential,
  session: { audio: { input: { turn_detection: { type: "semantic_vad" } } } },
});
const captions = new Captions(byId("captions"), byId("spoken"));
let server = null;      // the last answer of /readyz
let talking = false;    // the user pressed talk and has not pressed stop
let afterKey = null;    // what to repeat when the user has entered a key
const dismissed = new Set();

exposeDebug(voice);

// --- the server -------------------------------------------------------------------------------------------------

async function readServer() {
  const answer = await fetch("readyz", { cache: "no-store" });  // 503 with the same body if not ready
  server = await answer.json();
  byId("server").textContent = [server.chat_model, server.voice].filter(Boolean).join(" · ");
  draw();
  return server;
}

/** Reads /readyz before every connection: the server may have restarted with other settings. */
async function credential() {
  const { key_required } = await readServer();
  if (!key_required) return null;
  const key = sessionStorage.getItem(KEY);
  if (!key) throw Object.assign(new Error("no key"), { refused: "key_needed" });
  return clientSecret("v1/realtime/client_secrets", key);
}

async function pollServer(delay = 1000) {
  try {
    await readServer();
  } catch {
    unreachableUntil = performance.now() + delay;
    draw();
    setTimeout(() => pollServer(Math.min(delay * 2, 15_000)), delay);
    return;
  }
  unreachableUntil = null;
  draw();
}
let unreachableUntil = null;

// --- controls ---------------------------------------------------------------------------------------------------

async function talk() {
  if (talking) return stopTalking();
  talking = true;
  dismissed.delete("microphone");
  afterKey = talk;
  await voice.talk().catch(() => {});  // errors are states, which the page already shows
  talking = ["on", "unloaded"].includes(voice.microphone.state);
  draw();
}

async function stopTalking() {
  talking = false;
  await voice.stop();
  captions.finish();
}

async function sendMessage(event) {
  event.preventDefault();
  const text = byId("message").value.trim();
  if (!text) return;
  byId("message").value = "";
  byId("send").disabled = true;
  afterKey = () => voice.connect();
  await voice.say(text);
}

function saveKey(event) {
  event.preventDefault();
  sessionStorage.setItem(KEY, byId("key").value.trim());
  byId("key").value = "";
  byId("key-dialog").close();
  const repeat = afterKey ?? (() => voice.connect());
  talking = false;
  repeat();
}

function shortcut(event) {
  if (byId("key-dialog").open) return;
  if (event.key === "Escape") voice.interrupt();
  if (event.target.matches("input, textarea")) return;
  // The browser already handles the space bar for a focused button.
  if (event.key !== " " || event.repeat || event.target.closest("button, summary")) return;
  event.preventDefault();
  talk();
}

byId("talk").addEventListener("click", talk);
byId("mute").addEventListener("click", () => voice.mute(!voice.microphone.muted));
byId("interrupt").addEventListener("click", () => voice.interrupt());
byId("composer").addEventListener("submit", sendMessage);
byId("message").addEventListener("input", () => { byId("send").disabled = !byId("message").value.trim(); });
byId("key-form").addEventListener("submit", saveKey);
byId("key-cancel").addEventListener("click", () => byId("key-dialog").close());
document.addEventListener("keydown", shortcut);
addEventListener("online", () => voice.connection.retryNow());
addEventListener("pagehide", () => voice.connection.close());

// --- drawing ----------------------------------------------------------------------------------------------------

let drawnLatency = null, askedReason = null;

function draw() {
  const { connection, conversation, microphone } = voice;
  const retryAt = connection.retryAt ?? unreachableUntil;
  const [status, text] = statusText({
    connection: unreachableUntil ? { state: "waiting" } : connection,
    microphone: microphone.state, muted: microphone.muted, phase: voice.phase, everOpen: connection.everOpen,
    secondsToRetry: retryAt ? Math.ceil((retryAt - performance.now()) / 1000) : 0, loaded: server || unreachableUntil,
  });
  document.body.dataset.status = status;
  if (byId("state").textContent !== text) byId("state").textContent = text;
  document.body.toggleAttribute("data-live", talking);
  byId("talk-label").textContent = talking ? "Stop talking" : "Start talking";
  byId("mute").hidden = microphone.state !== "on";
  byId("mute").setAttribute("aria-pressed", microphone.muted);
  byId("mute-label").textContent = microphone.muted ? "Unmute" : "Mute";
  byId("interrupt").hidden = connection.state !== "open" || !["speaking", "thinking"].includes(voice.phase);
  document.body.toggleAttribute("data-empty", !conversation.items.some((item) => !item.hidden));
  captions.draw(conversation.items);
  drawNotices();
  if (conversation.latency && conversation.latency !== drawnLatency) {
    drawnLatency = conversation.latency;
    drawWaterfall(drawnLatency);
  }
  askForKey(connection);
}

function drawNotices() {
  const notices = serverNotices(server ?? {}).map((notice) => ({ ...notice, kind: "info" }));
  const microphoneText = microphoneNotice(voice.microphone.state);
  // While the server is unreachable, the line under the button says enough.
  if (microphoneText && !(voice.microphone.state === "unloaded" && voice.connection.state !== "open")) notices.push({ id: "microphone", text: microphoneText, kind: "bad" });
  const { problem } = voice.conversation;
  if (problem) notices.push({ id: "problem", text: problemText(problem), kind: "bad" });
  const shown = notices.filter(({ id }) => !dismissed.has(id));
  const signature = JSON.stringify(shown);
  if (byId("notices").dataset.shown === signature) return;
  byId("notices").dataset.shown = signature;
  byId("notices").replaceChildren(...shown.map(noticeElement));
}

function noticeElement({ id, text, kind }) {
  const notice = document.createElement("p");
  notice.className = `notice ${kind}`;
  notice.dataset.id = id;
  notice.setAttribute("role", kind === "bad" ? "alert" : "note");
  const close = document.createElement("button");
  close.type = "button";
  close.setAttribute("aria-label", "Dismiss");
  close.textContent = "×";
  close.addEventListener("click", () => {
    if (id === "problem") return voice.dismissProblem();
    dismissed.add(id);
    draw();
  });
  notice.append(text, close);
  return notice;
}

/** Ask once for each refusal; closing the dialog counts as an answer. */
function askForKey({ state, reason }) {
  const needsKey = state === "refused" && (reason === "key_needed" || reason === "invalid_api_key");
  if (!needsKey) return void (askedReason = null);
  if (askedReason === reason || byId("key-dialog").open) return;
  askedReason = reason;
  voice.microphone.stop();
  talking = false;
  if (reason === "invalid_api_key") sessionStorage.removeItem(KEY);
  byId("key-error").textContent = reason === "invalid_api_key" ? "The server did not accept that key." : "";
  byId("key-dialog").showModal();
}

// The ring follows the audio level: it grows fast and shrinks slowly. At most one style change per frame.
const levels = { input: 0, output: 0 };
let drawnLevel = -1;

function animate() {
  const speaking = document.body.dataset.status === "speaking";
  const target = Math.min(1, Math.sqrt(speaking ? levels.output : levels.input) * 2);
  const level = drawnLevel < target ? target : Math.max(target, drawnLevel - 0.04);
  levels.input *= 0.9;
  levels.output *= 0.9;
  if (Math.abs(level - drawnLevel) > 0.005) {
    drawnLevel = level;
    byId("talk").style.setProperty("--level", level.toFixed(3));
  }
  requestAnimationFrame(animate);
}

voice.addEventListener("change", draw);
voice.addEventListener("level", ({ detail }) => { levels[detail.source] = Math.max(levels[detail.source], detail.level); });
voice.addEventListener("progress", () => captions.highlight((id) => voice.player.heardMs(`0:${id}`)));
setInterval(() => { if (voice.connection.retryAt || unreachableUntil) draw(); }, 250);
requestAnimationFrame(animate);
pollServer();
