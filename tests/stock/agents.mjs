// One conversation of the unmodified stock agents client in Node. Knows nothing of pytest.
// node agents.mjs '{"modules": ".../node_modules", "url": "ws://...", "key": "...", "scenario": "voice", "clips": {...}}'
// Prints a JSON report of what the client received. It checks nothing but its timeouts.

import { readFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";

const job = JSON.parse(process.argv[2]);
const fromPackage = (path) => import(pathToFileURL(`${job.modules}/${path}`).href);
const { RealtimeAgent, RealtimeSession, OpenAIRealtimeWebSocket, tool } = await fromPackage(
  "@openai/agents-realtime/dist/index.mjs",
);
const { parseRealtimeEvent, realtimeServerEventSchema } = await fromPackage(
  "@openai/agents-realtime/dist/openaiRealtimeEvents.mjs",
);
const { z } = await fromPackage("zod/index.js");

const TIMEOUT_MS = 30_000;
const BLOCK_BYTES = 4_800; // 100 ms at 24 kHz
const known = new Set(
  realtimeServerEventSchema.options.flatMap((option) => option.shape.type.value ?? [...option.shape.type.values]),
);

const report = {
  events: {}, dropped: [], unknown: [], errors: [], uncaught: [], logged: [], sent: [], tools: [], audioBytes: 0,
  interruptions: 0, history: [], notes: {},
};
process.on("uncaughtException", (error) => report.uncaught.push(String(error?.stack ?? error)));
process.on("unhandledRejection", (error) => report.uncaught.push(String(error?.stack ?? error)));
for (const level of ["error", "warn"]) console[level] = (...words) => report.logged.push(words.map(String).join(" "));

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function until(what, check) {
  const deadline = Date.now() + TIMEOUT_MS;
  while (Date.now() < deadline) {
    const found = check();
    if (found) return found;
    await sleep(10);
  }
  throw new Error(`timeout: ${what}; last events: ${all.slice(-8).map((e) => e.type)}`);
}

const all = []; // every raw event of the transport
const count = (type) => report.events[type] ?? 0;
const last = (type) => all.findLast((event) => event.type === type);

const weather = tool({
  name: "get_weather",
  description: "The weather in a city.",
  parameters: z.object({ city: z.string() }),
  execute: async ({ city }) => {
    report.tools.push(city);
    return JSON.stringify({ city, sky: "sunny", celsius: city === "Rome" ? 24 : 21 });
  },
});

const agent = new RealtimeAgent({ name: "helper", instructions: "Be brief.", tools: [weather] });
const transport = new OpenAIRealtimeWebSocket({ url: job.url });
const session = new RealtimeSession(agent, { transport, ...(job.session ?? {}) });

transport.on("*", (event) => {
  all.push(event);
  report.events[event.type] = count(event.type) + 1;
  const { isGeneric } = parseRealtimeEvent({ data: JSON.stringify(event) });
  if (isGeneric) (known.has(event.type) ? report.dropped : report.unknown).push(JSON.stringify(event));
});
session.on("error", (error) => report.errors.push(JSON.stringify(error, null, 0) ?? String(error)));
session.on("audio", (event) => (report.audioBytes += event.data.byteLength));
session.on("audio_interrupted", () => (report.interruptions += 1));

const textOf = (item) =>
  (item.content ?? []).map((part) => part.text ?? part.transcript ?? "").join("") || item.arguments || "";
const flat = () => session.history.map((item) => ({ type: item.type, role: item.role, status: item.status, text: textOf(item) }));

async function turn(text) {
  const before = count("response.done");
  session.sendMessage(text);
  await until(`the answer to ${text}`, () => count("response.done") > before);
  return last("response.done").response;
}

async function speak(name, { realTime = false } = {}) {
  const pcm = await readFile(job.clips[name]);
  const quiet = Buffer.alloc(BLOCK_BYTES);
  const blocks = [];
  for (let at = 0; at < pcm.length; at += BLOCK_BYTES) blocks.push(pcm.subarray(at, at + BLOCK_BYTES));
  for (const block of [quiet, quiet, quiet, quiet, ...blocks, ...Array(job.silence_blocks ?? 20).fill(quiet)]) {
    session.sendAudio(new Uint8Array(block).buffer);
    if (realTime && block !== quiet) await sleep(100);
  }
}

const scenarios = {
  async text() {
    const done = await turn("What is 2 plus 3?");
    report.notes.answer = textOf(done.output[0]);
    report.notes.firstHistory = flat();
  },
  async tools() {
    await turn("What is the weather in Paris?");
    await until("the answer about the weather", () => report.tools.length && last("response.done").response.output[0]?.type === "message");
    report.notes.answer = textOf(last("response.done").response.output.at(-1));
    report.notes.toolsAfterOne = [...report.tools];
    const before = count("response.done");
    session.sendMessage("What is the weather in Paris and in Rome?");
    // the calls, then one response for each output or one for both: the client may join two response.create into one
    const answer = () => textOf(last("response.done").response.output.at(-1) ?? {});
    await until("an answer with both outputs", () => ["21", "24"].every((degrees) => answer().includes(degrees)));
    await sleep(400); // wait for events that should not come
    report.notes.responses = count("response.done") - before;
    report.notes.secondAnswer = textOf(last("response.done").response.output.at(-1));
  },
  async voice() {
    const before = count("response.done");
    await speak("question");
    await until("an answer", () => count("response.done") > before);
    const item = await until("its transcript", () => last("conversation.item.input_audio_transcription.completed"));
    await until("the transcript in the history", () => session.history.some((i) => i.itemId === item.item_id && textOf(i)));
    report.notes.transcript = item.transcript;
    report.notes.answer = textOf(last("response.done").response.output[0]);
  },
  async interruption() {
    session.sendMessage("Tell me a very long story about the sea.");
    const first = await until("the story's sound", () => last("response.output_audio.delta"));
    await sleep(700);
    await speak("interruption", { realTime: true });
    await until("the truncation", () => last("conversation.item.truncated")?.item_id === first.item_id);
    await until("the truncated item", () => last("conversation.item.retrieved")?.item.id === first.item_id || count("conversation.item.retrieved") > 1);
    const story = all.find((e) => e.type === "response.done");
    await until("the next answer", () => count("response.done") > 1);
    report.notes.status = story.response.status;
    report.notes.reason = story.response.status_details?.reason;
    report.notes.whole = textOf(story.response.output[0]);
    report.notes.truncatedMs = last("conversation.item.truncated").audio_end_ms;
    const truncated = all.findLast((e) => e.type === "conversation.item.retrieved" && e.item.id === first.item_id);
    report.notes.truncated = textOf(truncated.item);
    report.notes.inHistory = textOf(session.history.find((i) => i.itemId === first.item_id));
  },
  async history() {
    await turn("My name is Ada.");
    await turn("What is 2 plus 3?");
    const before = flat();
    const [first, ...others] = session.history;
    // the client deletes a changed item and creates it again with the same id at the same position
    const changed = { ...first, content: [{ type: "input_text", text: "My name is Grace." }] };
    session.updateHistory([changed, ...others]);
    await until("the new first item", () => flat()[0]?.text === "My name is Grace.");
    report.notes.before = before;
    report.notes.after = flat();
    report.notes.name = textOf((await turn("What is my name?")).output[0]);
    session.updateHistory([]);
    await until("an empty history", () => session.history.length === 0);
  },
  async agents() {
    const updates = count("session.updated");
    await session.updateAgent(new RealtimeAgent({ name: "other", instructions: "Say only 'Ahoy'.", tools: [] }));
    await until("the new configuration", () => count("session.updated") > updates);
    report.notes.answer = textOf((await turn("Hello?")).output[0]);
    report.notes.instructions = last("session.updated").session.instructions;
    report.notes.toolsLeft = last("session.updated").session.tools.length;
    const before = count("response.done");
    transport.requestResponse(); // the client sends the second request when the first response is done
    transport.requestResponse();
    await until("both responses", () => count("response.done") >= before + 2);
  },
};

try {
  await session.connect({ apiKey: job.key });
  report.sent.push("session.update"); // sent before `send` is replaced below
  const socket = transport.connectionState.websocket;
  const send = socket.send.bind(socket);
  socket.send = (message) => {
    report.sent.push(JSON.parse(message).type);
    send(message);
  };
  await until("both updates", () => count("session.updated") >= 2);
  report.notes.session = last("session.updated").session;
  for (const name of job.scenario.split(",")) await scenarios[name]();
} catch (error) {
  report.uncaught.push(String(error?.stack ?? error?.message ?? error));
}
report.history = flat();
session.close();
await sleep(50);
process.stdout.write(JSON.stringify(report), () => process.exit(0));
