// Gives what the page plays as PCM16 frames of 20 ms, silence included.

const FRAME_MS = 20;

/** Call `onFrame(Int16Array)` from now on, at the player's rate. Resolves to a function that ends it. */
export async function capture(player, onFrame) {
  await player.open();
  const { context, output, rate } = player;
  await context.audioWorklet.addModule(new URL("../sdk/worklets/capture.js", import.meta.url));
  const node = new AudioWorkletNode(context, "realtime-capture", {
    outputChannelCount: [1], processorOptions: { rate, frameMs: FRAME_MS },
  });
  node.port.onmessage = ({ data }) => onFrame(new Int16Array(data.pcm));
  output.connect(node).connect(context.destination);
  return () => {
    node.port.onmessage = null;
    if (player.output === output) output.disconnect(node);
    node.port.postMessage("stop");
    node.disconnect();
  };
}
