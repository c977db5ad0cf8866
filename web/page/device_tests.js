// Tests of a microphone and of a speaker, with their levels. Knows Web Audio; knows nothing of the conversation.

/** Levels of a microphone that nobody uses yet. Resolves to a function that ends it; throws what getUserMedia throws. */
export async function listenTo(id, onLevel) {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: id ? { deviceId: { exact: id } } : true });
  const context = new AudioContext();
  const analyser = new AnalyserNode(context, { fftSize: 1024 });
  context.createMediaStreamSource(stream).connect(analyser);
  return watch(analyser, onLevel, () => {
    stream.getTracks().forEach((track) => track.stop());
    context.close();
  });
}

/** Two soft notes, or the samples of `wav`, on a speaker. Resolves when they have sounded. */
export async function playOn(id, onLevel, wav = null) {
  const context = new AudioContext();
  if (id) await context.setSinkId?.(id).catch(() => {});
  const analyser = new AnalyserNode(context, { fftSize: 1024 });
  analyser.connect(context.destination);
  const source = wav ? new AudioBufferSourceNode(context, { buffer: await context.decodeAudioData(wav) }) : notes(context, analyser);
  if (wav) source.connect(analyser);
  const end = watch(analyser, onLevel, () => context.close());
  source.start();
  const ended = new Promise((resolve) => { source.onended = resolve; });
  return { stop: () => { source.onended?.(); end(); }, ended: ended.then(end) };
}

function notes(context, target) {
  const oscillator = new OscillatorNode(context, { frequency: 523 }), gain = new GainNode(context, { gain: 0 });
  const now = context.currentTime;
  oscillator.frequency.setValueAtTime(659, now + 0.3);
  gain.gain.linearRampToValueAtTime(0.2, now + 0.03);
  gain.gain.setValueAtTime(0.2, now + 0.5);
  gain.gain.linearRampToValueAtTime(0, now + 0.7);
  oscillator.connect(gain).connect(target);
  oscillator.stop(now + 0.75);
  return oscillator;
}

function watch(analyser, onLevel, end) {
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    onLevel(Math.sqrt(samples.reduce((sum, value) => sum + value * value, 0) / samples.length));
  }, 60);
  let ended = false;
  return () => {
    if (ended) return;
    ended = true;
    clearInterval(timer);
    onLevel(0);
    end();
  };
}
