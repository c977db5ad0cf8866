// @ts-check
// Sends what the microphone gives to the server, and silence where it gives no more. Knows nothing of events.

/** @import { Connection } from "./connection.js" */
/** @import { Microphone } from "./microphone.js" */

const SILENCE_MS = 4000;  // longer than any silence within a turn

/**
 * The server measures time in audio: a turn never ends if the sound just stops. Whether somebody spoke is not asked, because
 * the server may notice that later. `hears`: whether the conversation goes on, and the server finds the end of turns itself.
 * @param {{ microphone: Microphone, connection: Connection, hears: () => boolean }} parts
 */
export function sendMicrophone({ microphone, connection, hears }) {
  let sounding = false;  // sound was sent, and no silence after it
  microphone.addEventListener("frame", (event) => {
    connection.sendAudio(/** @type {CustomEvent} */ (event).detail.pcm);
    sounding = true;
  });
  microphone.addEventListener("state", () => {
    if (!sounding || microphone.state === "on") return;
    sounding = false;
    if (!hears() || connection.state === "closed" || connection.state === "refused") return;
    const frame = new Int16Array((microphone.rate * microphone.frameMs) / 1000);
    for (let ms = 0; ms < SILENCE_MS; ms += microphone.frameMs) connection.sendAudio(frame);
  });
}
