// Finds out why there is no connection: a page is not told whether a server refused it, is full, or is away.

import { within } from "../sdk/http.js";

const ANSWER_MS = 5000;
const TOKEN_MS = 8000;  // less than the SDK gives a whole connection: the page's backend is to blame then

/**
 * "full": it has no room. "account_exhausted": its account has too few requests. "blocked": it has room, and no WebSocket
 * reaches it. "no_room": it lives and allows this page, and does not say more. "origin": it lives and does not allow this
 * page. "away": nothing answers.
 */
export async function reach(server) {
  try {
    // A file that every server has, and that only pages of an allowed origin can read.
    await ask(new URL("sdk/framing.js", server), { method: "HEAD" });
  } catch {
    return (await lives(server)) ? "origin" : "away";
  }
  return withoutSocket(server);
}

/** The address of the WebSocket, asked without one: the server says whether it has room. */
const withoutSocket = (server) => ask(new URL("v1/realtime", server), {}, roomOf).catch(() => "no_room");

async function roomOf(answer) {
  if (answer.status === 426) return "blocked";
  const { code } = (await answer.json()).error;
  if (code === "account_exhausted") return code;
  return ["server_overloaded", "server_draining"].includes(code) ? "full" : "no_room";
}

async function lives(server) {
  try {
    await ask(new URL("healthz", server), { mode: "no-cors" });
    return true;
  } catch {
    return false;
  }
}

/** `read`: what is wanted of the answer, within the same time. */
const ask = (url, options = {}, read = (answer) => answer) => within(ANSWER_MS, async (signal) => (
  read(await fetch(url.href, { ...options, cache: "no-store", signal }))));

/** Ask the page's own backend for a short-lived secret: POST, answered with {"value": "ek_…"}. */
export const secretFrom = (url) => within(TOKEN_MS, async (signal) => {
  const answer = await fetch(url.href, { method: "POST", credentials: "same-origin", signal });
  const refused = Object.assign(new Error(`The backend answered ${answer.status}.`), { refused: "token_refused" });
  if (answer.status >= 400 && answer.status < 500) throw refused;
  if (!answer.ok) throw new Error(`The backend answered ${answer.status}.`);
  const secret = await answer.json().catch((error) => { if (error.name !== "SyntaxError") throw error; });
  if (typeof secret?.value !== "string" || !secret.value) throw refused;
  return secret.value;
});
