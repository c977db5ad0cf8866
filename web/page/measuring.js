// Where the page's measurements come from: the SDK's `voice.stats()`. For an SDK without it, the collector is fed here
// from the events that the SDK dispatches; it then does not know the sizes of messages.

import { Stats } from "../sdk/stats.js";

/** A function that returns the data of `Stats.read()`. */
export function measure(voice) {
  if (typeof voice.stats === "function") return () => voice.stats();
  const stats = new Stats(), now = () => performance.now();
  voice.addEventListener("event", ({ detail }) => stats.received(detail, { at: now() }));
  voice.addEventListener("sent", ({ detail }) => stats.sent(detail, { at: now() }));
  voice.connection.addEventListener("frame", ({ detail: { stream, pcm } }) =>
    stats.frame({ stream, bytes: pcm.byteLength, at: now() }));
  voice.microphone.addEventListener("frame", ({ detail }) => stats.audioSent(detail.pcm.byteLength));
  voice.player.addEventListener("progress", () => stats.playback(playbackOf(voice.player, now())));
  return () => stats.read();
}

function playbackOf({ parts, underruns }, at) {
  const heard = new Map();
  let bufferedMs = 0;
  for (const [key, part] of parts) {
    heard.set(key.slice(key.indexOf(":") + 1), part.heardMs);
    if (!part.done) bufferedMs += Math.max(0, part.receivedMs - part.outputMs);
  }
  return { at, heard, underruns, bufferedMs: Math.round(bufferedMs) };
}
