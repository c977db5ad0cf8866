// `window.realtimeDebug`: for tests and for debugging. The page does not depend on it.
//
//   realtimeDebug.voice        the Realtime object; .voice.player.output is the AudioNode of all output
//   realtimeDebug.log          the last 2,000 events: {at, from: "server" | "client", event}, without audio
//   realtimeDebug.stats()      the measurements, as `voice.stats()`
//   realtimeDebug.record()     records the page's output: resolves to {stop() -> Promise<Int16Array>} at 24 kHz;
//                              starts at the time of the call and includes silence

import { capture } from "./capturing.js";

export function exposeDebug(voice, { log, stats }) {
  window.realtimeDebug = { voice, log: log.entries, stats, record: () => record(voice.player) };
}

async function record(player) {
  const frames = [];
  const end = await capture(player, (pcm) => frames.push(pcm));
  return {
    frames,
    async stop() {
      end();
      const all = new Int16Array(frames.reduce((sum, frame) => sum + frame.length, 0));
      frames.reduce((offset, frame) => (all.set(frame, offset), offset + frame.length), 0);
      return all;
    },
  };
}
