// Keeps the newest events of both sides, without the data of audio. Knows neither what they mean nor how they are shown.

const MAX_EVENTS = 2000;

export class EventLog {
  constructor({ maxEvents = MAX_EVENTS } = {}) {
    this.maxEvents = maxEvents;
    this.entries = [];  // {number, at, from: "server" | "client", event, audioBytes}, `at` as of performance.now
    this.count = 0;     // of all events there ever were
  }

  /** Keep what `voice` sends and receives from now on. */
  follow(voice) {
    voice.addEventListener("event", ({ detail }) => this.add("server", detail));
    voice.addEventListener("sent", ({ detail }) => this.add("client", detail));
    return this;
  }

  add(from, event) {
    const audio = event.type === "response.output_audio.delta" ? "delta" : event.type === "input_audio_buffer.append" ? "audio" : null;
    const { [audio]: data, ...rest } = event;
    const audioBytes = typeof data === "string" ? data.length : 0;
    this.entries.push({ number: this.count++, at: performance.now(), from, event: audio ? rest : event, audioBytes });
    if (this.entries.length > this.maxEvents) this.entries.shift();
  }
}

/** The length of an event as JSON, in bytes of the wire. Measured only when somebody looks. */
export function sizeOf(entry) {
  entry.bytes ??= new TextEncoder().encode(JSON.stringify(entry.event)).length + entry.audioBytes;
  return entry.bytes;
}

/** The entries that fit: `text` is a part of the type or of the JSON; `from` one side; `quiet` leaves out the many small ones. */
export function filtered(entries, { text = "", from = "", quiet = false } = {}) {
  const wanted = text.trim().toLowerCase();
  return entries.filter((entry) =>
    (!from || entry.from === from) && !(quiet && isNoise(entry.event.type)) &&
    (!wanted || String(entry.event.type).includes(wanted) || JSON.stringify(entry.event).toLowerCase().includes(wanted)));
}

const isNoise = (type) => /\.delta$|^output_audio_buffer\.played$|^input_audio_buffer\.append$/.test(type);
