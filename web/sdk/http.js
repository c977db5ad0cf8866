// @ts-check
// Requests that end, also on a line that was lost: a browser sends them on a kept connection that may be dead by then, and
// learns of it only much later. Also the one request of the SDK itself, for a short-lived secret.

const AGAIN_MS = 2000;   // a living server answers sooner
const SECRET_MS = 8000;  // less than a whole connection is given

/**
 * What the job resolves to. Its signal is aborted after `ms`, and when the job has ended. Safari before 16 has no
 * AbortSignal.timeout.
 * @template Answer
 * @param {number} ms @param {(signal: AbortSignal) => Promise<Answer>} job @returns {Promise<Answer>}
 */
export async function within(ms, job) {
  const control = new AbortController();
  const timer = setTimeout(() => control.abort(new DOMException(`No answer within ${ms} ms.`, "TimeoutError")), ms);
  try {
    return await job(control.signal);
  } finally {
    clearTimeout(timer);
    control.abort();
  }
}

/**
 * As `within`, and the job begins once more every two seconds, beside itself: the first that ends counts. Give it a request
 * that may be made twice, and let it read the body, too.
 * @template Answer
 * @param {number} ms @param {(signal: AbortSignal) => Promise<Answer>} job @returns {Promise<Answer>}
 */
export function repeatedly(ms, job) {
  return within(ms, (signal) => new Promise((resolve, reject) => {
    const begin = () => { job(signal).then(resolve, reject); };
    const timer = setInterval(begin, AGAIN_MS);
    signal.addEventListener("abort", () => clearInterval(timer));
    begin();
  }));
}

/**
 * Exchange a key for a short-lived `ek_…` secret, so that no socket is opened with the key itself.
 * Throws an Error with `refused: "invalid_api_key"` if the server rejects the key.
 * @param {string | URL} url
 * @param {string} key
 * @returns {Promise<string>}
 */
export function clientSecret(url, key) {
  return repeatedly(SECRET_MS, async (signal) => {
    const answer = await fetch(String(url), {
      method: "POST",
      headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
      body: JSON.stringify({ session: { type: "realtime" } }),
      signal,
    });
    if (answer.ok) return (await answer.json()).value;
    const error = /** @type {Error & { refused?: string }} */ (new Error(`The server answered ${answer.status} to the key.`));
    if (answer.status === 401 || answer.status === 403) error.refused = "invalid_api_key";
    throw error;
  });
}
