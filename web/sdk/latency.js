// @ts-check
// The marks of a turn as bars of a waterfall diagram. Pure; the mark names are those of the protocol.

const STEPS = [
  { name: "turn", from: "speech_ended", to: "turn_confirmed" },
  { name: "transcript", from: "speech_ended", to: "transcript_final" },
  { name: "chat", from: "chat_request", to: "chat_first_delta" },
  { name: "phrase", from: "chat_first_delta", to: "first_chunk" },
  { name: "voice", from: "first_chunk", to: "speech_first_audio" },
  { name: "playback", from: "speech_first_audio", to: "playback_started" },
];

/** {firstSoundMs, startMs, endMs, steps: [{name, startMs, endMs}]}; steps without both marks are left out. @param {{ marks: Record<string, number> }} latency */
export function waterfall({ marks }) {
  const steps = STEPS
    .filter(({ from, to }) => marks[from] !== undefined && marks[to] !== undefined)
    .map(({ name, from, to }) => ({ name, startMs: Math.min(marks[from], marks[to]), endMs: marks[to] }));
  const values = Object.values(marks);
  return {
    firstSoundMs: marks.playback_started ?? marks.first_audio_sent ?? null,
    startMs: Math.min(0, ...values),
    endMs: Math.max(1, ...values),
    steps,
  };
}
