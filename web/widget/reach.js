// Finds out why there is no connection: a page is not told whether a server refused it, is full, or is away.

/** "full": the server lives and allows this page. "origin": it lives and does not. "away": nothing answers. */
export async function reach(server) {
  try {
    // A file that every server has, and that only pages of an allowed origin can read.
    await fetch(new URL("sdk/framing.js", server), { method: "HEAD", cache: "no-store" });
    return "full";
  } catch {
    return (await lives(server)) ? "origin" : "away";
  }
}

async function lives(server) {
  try {
    await fetch(new URL("healthz", server), { mode: "no-cors", cache: "no-store" });
    return true;
  } catch {
    return false;
  }
}

/** Ask the page's own backend for a short-lived secret: POST, answered with {"value": "ek_…"}. */
export async function secretFrom(url) {
  const answer = await fetch(url, { method: "POST", credentials: "same-origin" });
  const refused = Object.assign(new Error(`The backend answered ${answer.status}.`), { refused: "token_refused" });
  if (answer.status >= 400 && answer.status < 500) throw refused;
  if (!answer.ok) throw new Error(`The backend answered ${answer.status}.`);
  const { value } = await answer.json().catch(() => ({}));
  if (typeof value !== "string") throw refused;
  return value;
}
