// The talk page: joins the SDK to the document. What to say about a state is in page/words.js, how a conversation
// looks in page/captions.js; here is who presses what, and what is redrawn when. All addresses are relative to the page,
// which may be mounted anywhere.

import { clientSecret } from "./sdk/connection.js";
import { Realtime } from "./sdk/realtime.js";
import { Captions } from "./page/captions.js";
import { exposeDebug } from "./page/debug.js";
import { microphoneNotice, problemSentence, serverNotices, stateWords } from "./page/words.js";
import { drawWaterfall } from "./page/waterfall.js";

const KEY = "realtime.key";
const at = (id) => document.getElementById(id);

const voice = new Realtime({
  url: new URL("v1/realtime", location.href.replace(/^http/, "ws")),
  credential,
  session: { audio: { input: { turn_detection: { type: "semantic_vad" } } } },
});
const captions = new Captions(at("captions"), at("spoken"));
let server = null;      // what /readyz said last
let wanted = false;     // the user pressed talk and has not pressed stop
let afterKey = null;    // what to do again once there is a key
const dismissed = new Set();

exposeDebug(voice);

// --- the server -------------------------------------------------------------------------------------------------

async function readServer() {
  const answer = await fetch("readyz", { cache: "no-store" });  // 503 with the same body while not ready
  server = await answer.json();
  at("server").textContent = [server.chat_model, server.voice].filter(Boolean).join(" · ");
  draw();
  return server;
}

/** Asked before every connection, so that a server that came back different is noticed. */
async function credential() {
  const { key_required } = await readServer();
  if (!key_required) return null;
  const key = sessionStorage.getItem(KEY);
  if (!key) throw Object.assign(new Error("no key"), { refused: "key_needed" });
  return clientSecret("v1/realtime/client_secrets", key);
}

async function knock(delay = 1000) {
  try {
    await readServer();
  } catch {
    unreachableUntil = performance.now() + delay;
    draw();
    setTimeout(() => knock(Math.min(delay * 2, 15_000)), delay);
    return;
  }
  unreachableUntil = null;
  draw();
}
let unreachableUntil = null;

// --- what people do ---------------------------------------------------------------------------------------------

async function talk() {
  if (wanted) return hangUp();
  wanted = true;
  dismissed.delete("microphone");
  afterKey = talk;
  await voice.talk().catch(() => {});  // its troubles are states, already on the screen
  wanted = ["on", "unloaded"].includes(voice.microphone.state);
  draw();
}

async function hangUp() {
  wanted = false;
  await voice.stop();
  captions.settle();
}

async function sendMessage(event) {
  event.preventDefault();
  const text = at("message").value.trim();
  if (!text) return;
  at("message").value = "";
  at("send").disabled = true;
  afterKey = () => voice.connect();
  await voice.say(text);
}

function saveKey(event) {
  event.preventDefault();
  sessionStorage.setItem(KEY, at("key").value.trim());
  at("key").value = "";
  at("key-dialog").close();
  const again = afterKey ?? (() => voice.connect());
  wanted = false;
  again();
}

function shortcut(event) {
  if (at("key-dialog").open) return;
  if (event.key === "Escape") voice.interrupt();
  if (event.target.matches("input, textarea")) return;
  // A focused button already answers to the space bar.
  if (event.key !== " " || event.repeat || event.target.closest("button, summary")) return;
  event.preventDefault();
  talk();
}

at("talk").addEventListener("click", talk);
at("mute").addEventListener("click", () => voice.mute(!voice.microphone.muted));
at("hush").addEventListener("click", () => voice.interrupt());
at("composer").addEventListener("submit", sendMessage);
at("message").addEventListener("input", () => { at("send").disabled = !at("message").value.trim(); });
at("key-form").addEventListener("submit", saveKey);
at("key-cancel").addEventListener("click", () => at("key-dialog").close());
document.addEventListener("keydown", shortcut);
addEventListener("online", () => voice.connection.retryNow());
addEventListener("pagehide", () => voice.connection.close());

// --- what is drawn ----------------------------------------------------------------------------------------------

let drawnLatency = null, askedFor = null;

function draw() {
  const { connection, conversation, microphone } = voice;
  const retryAt = connection.retryAt ?? unreachableUntil;
  const [mood, sentence] = stateWords({
    connection: unreachableUntil ? { state: "waiting" } : connection,
    microphone: microphone.state, muted: microphone.muted, phase: voice.phase, everOpen: connection.everOpen,
    secondsToRetry: retryAt ? Math.ceil((retryAt - performance.now()) / 1000) : 0, loaded: server || unreachableUntil,
  });
  document.body.dataset.mood = mood;
  if (at("state").textContent !== sentence) at("state").textContent = sentence;
  document.body.toggleAttribute("data-live", wanted);
  at("talk-label").textContent = wanted ? "Stop talking" : "Start talking";
  at("mute").hidden = microphone.state !== "on";
  at("mute").setAttribute("aria-pressed", microphone.muted);
  at("mute-label").textContent = microphone.muted ? "Unmute" : "Mute";
  at("hush").hidden = connection.state !== "open" || !["speaking", "thinking"].includes(voice.phase);
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
  const trouble = microphoneNotice(voice.microphone.state);
  // While the server is away the line under the button says all there is to say.
  if (trouble && !(voice.microphone.state === "unloaded" && voice.connection.state !== "open")) notices.push({ id: "microphone", text: trouble, kind: "bad" });
  const { problem } = voice.conversation;
  if (problem) notices.push({ id: "problem", text: problemSentence(problem), kind: "bad" });
  const shown = notices.filter(({ id }) => !dismissed.has(id));
  const signature = JSON.stringify(shown);
  if (at("notices").dataset.shown === signature) return;
  at("notices").dataset.shown = signature;
  at("notices").replaceChildren(...shown.map(noticeElement));
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

/** Ask once per refusal; closing the dialog is an answer. */
function askForKey({ state, reason }) {
  const asks = state === "refused" && (reason === "key_needed" || reason === "invalid_api_key");
  if (!asks) return void (askedFor = null);
  if (askedFor === reason || at("key-dialog").open) return;
  askedFor = reason;
  voice.microphone.stop();
  wanted = false;
  if (reason === "invalid_api_key") sessionStorage.removeItem(KEY);
  at("key-error").textContent = reason === "invalid_api_key" ? "The server did not accept that key." : "";
  at("key-dialog").showModal();
}

// Loudness moves the ring: fast up, slow down, one style write per frame and none while it rests.
const loud = { input: 0, output: 0 };
let drawnLevel = -1;

function animate() {
  const speaking = document.body.dataset.mood === "speaking";
  const target = Math.min(1, Math.sqrt(speaking ? loud.output : loud.input) * 2);
  const level = drawnLevel < target ? target : Math.max(target, drawnLevel - 0.04);
  loud.input *= 0.9;
  loud.output *= 0.9;
  if (Math.abs(level - drawnLevel) > 0.005) {
    drawnLevel = level;
    at("talk").style.setProperty("--level", level.toFixed(3));
  }
  requestAnimationFrame(animate);
}

voice.addEventListener("change", draw);
voice.addEventListener("level", ({ detail }) => { loud[detail.source] = Math.max(loud[detail.source], detail.level); });
voice.addEventListener("progress", () => captions.light((id) => voice.player.heardMs(`0:${id}`)));
setInterval(() => { if (voice.connection.retryAt || unreachableUntil) draw(); }, 250);
requestAnimationFrame(animate);
knock();
