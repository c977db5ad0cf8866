// Microphones and speakers of this computer: their list, and which of them is used. Uses the SDK's own functions where it
// has them. Knows nothing of the settings sheet.

export class Devices {
  constructor(voice) {
    this.voice = voice;
    this.speaker = null;
    voice.connection.addEventListener("state", ({ detail }) => {
      if (detail === "open" && this.speaker) this.useSpeaker(this.speaker);  // the player may have a new context
    });
  }

  get speakersCanChange() {
    return typeof this.voice.player.use === "function" || "setSinkId" in (globalThis.AudioContext?.prototype ?? {});
  }

  /** {microphones, speakers, named}: [{id, name}]. Without permission the browser tells no names: `named` is false. */
  async list() {
    const all = await navigator.mediaDevices?.enumerateDevices().catch(() => []) ?? [];
    const of = (kind) => all.filter((device) => device.kind === kind && device.deviceId && device.deviceId !== "default")
      .map(({ deviceId, label }, at) => ({ id: deviceId, name: label || `${at + 1}` }));
    return { microphones: of("audioinput"), speakers: of("audiooutput"), named: all.some(({ label }) => label) };
  }

  /** Null is the browser's choice. Also while talking. */
  async useMicrophone(id) {
    const { microphone } = this.voice;
    if (typeof microphone.use === "function") return microphone.use(id);
    if (id) microphone.constraints.deviceId = { exact: id };
    else delete microphone.constraints.deviceId;
    if (microphone.state !== "on") return;
    microphone.stop();
    await microphone.start();
  }

  async useSpeaker(id) {
    const { player } = this.voice;
    this.speaker = id;
    if (typeof player.use === "function") return player.use(id);
    await player.context?.setSinkId?.(id ?? "").catch(() => {});  // it was unplugged: the browser's choice stays
  }
}

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
