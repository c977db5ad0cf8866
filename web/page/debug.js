// `window.realtimeDebug`: for tests and for debugging. The page does not depend on it.
//
//   realtimeDebug.voice        the Realtime object; .voice.player.output is the AudioNode of all output
//   realtimeDebug.log          the last 2,000 events: {at, from: "server" | "client", event}, without audio
//   realtimeDebug.record()     records the page's output: resolves to {stop() -> Promise<Int16Array>} at 24 kHz;
//                              starts at the time of the call and includes silence

const MAX_EVENTS = 2000;

export function exposeDebug(voice) {
  const log = [];
  const keep = (from) => ({ detail }) => {
    const { delta, ...rest } = detail;
    log.push({ at: performance.now(), from, event: detail.type === "response.output_audio.delta" ? rest : detail });
    if (log.length > MAX_EVENTS) log.shift();
  };
  voice.addEventListener("event", keep("server"));
  voice.addEventListener("sent", keep("client"));
  window.realtimeDebug = { voice, log, record: () => record(voice.player) };
}

async function record(player) {
  await player.open();
  const { context, output, rate } = player;
  await context.audioWorklet.addModule(new URL("../sdk/worklets/capture.js", import.meta.url));
  const capture = new AudioWorkletNode(context, "realtime-capture", {
    outputChannelCount: [1], processorOptions: { rate, frameMs: 20 },
  });
  const frames = [];
  capture.port.onmessage = ({ data }) => frames.push(new Int16Array(data.pcm));
  output.connect(capture).connect(context.destination);
  return {
    frames,
    async stop() {
      output.disconnect(capture);
      capture.port.postMessage("stop");
      const all = new Int16Array(frames.reduce((sum, frame) => sum + frame.length, 0));
      frames.reduce((offset, frame) => (all.set(frame, offset), offset + frame.length), 0);
      return all;
    },
  };
}
