// `window.realtimeDebug`: a tap for tests and for curious people. Nothing on the page depends on it.
//
//   realtimeDebug.voice        the Realtime object; .voice.player.output is the AudioNode everything sounds through
//   realtimeDebug.log          the newest 2,000 events: {at, from: "server" | "client", event}; audio left out
//   realtimeDebug.record()     records the page's own output: resolves to {stop() -> Promise<Int16Array>} at 24 kHz;
//                              sample 0 is the moment of the call, silence included

const KEPT = 2000;

export function exposeDebug(voice) {
  const log = [];
  const keep = (from) => ({ detail }) => {
    const { delta, ...rest } = detail;
    log.push({ at: performance.now(), from, event: detail.type === "response.output_audio.delta" ? rest : detail });
    if (log.length > KEPT) log.shift();
  };
  voice.addEventListener("event", keep("server"));
  voice.addEventListener("sent", keep("client"));
  window.realtimeDebug = { voice, log, record: () => record(voice.player) };
}

async function record(player) {
  await player.open();
  const { context, output, rate } = player;
  await context.audioWorklet.addModule(new URL("../sdk/worklets/capture.js", import.meta.url));
  const tap = new AudioWorkletNode(context, "realtime-capture", {
    outputChannelCount: [1], processorOptions: { rate, frameMs: 20 },
  });
  const frames = [];
  tap.port.onmessage = ({ data }) => frames.push(new Int16Array(data.pcm));
  output.connect(tap).connect(context.destination);
  return {
    frames,
    async stop() {
      output.disconnect(tap);
      tap.port.postMessage("stop");
      const all = new Int16Array(frames.reduce((sum, frame) => sum + frame.length, 0));
      frames.reduce((offset, frame) => (all.set(frame, offset), offset + frame.length), 0);
      return all;
    },
  };
}
