// Uses the stock client in a page, like an application; returns a report of the received events.
async ({ url, secret, question }) => {
  const { RealtimeAgent, RealtimeSession, OpenAIRealtimeWebSocket } = await import("/bundle/openai-realtime-agents.mjs");
  const seen = { types: [], sent: ["session.update"], errors: [], audioBytes: 0 };
  const transport = new OpenAIRealtimeWebSocket({ url });
  const session = new RealtimeSession(new RealtimeAgent({ name: "helper", instructions: "Be brief." }), { transport });
  transport.on("*", (event) => seen.types.push(event.type));
  session.on("error", (error) => seen.errors.push(JSON.stringify(error)));
  session.on("audio", (event) => (seen.audioBytes += event.data.byteLength));
  const until = async (check) => {
    for (let waited = 0; waited < 30_000; waited += 20) {
      if (check()) return;
      if (seen.errors.length) break; // no error is expected
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`timeout: ${check}; ${seen.types.slice(-6)}; ${seen.errors}`);
  };
  const times = (type) => seen.types.filter((name) => name === type).length;
  try {
    await session.connect({ apiKey: secret });
  } catch (error) {
    return { failed: String(error?.message ?? error), ...seen };
  }
  const socket = transport.connectionState.websocket;
  seen.protocol = socket.protocol;
  const send = socket.send.bind(socket);
  socket.send = (message) => {
    seen.sent.push(JSON.parse(message).type);
    send(message);
  };
  try {
    await until(() => times("session.updated") >= 2);
  } catch (error) {
    return { failed: String(error.message), ...seen };
  }
  session.sendMessage("What is 2 plus 3?");
  await until(() => times("response.done") === 1);
  if (question) {
    const pcm = Uint8Array.from(atob(question), (letter) => letter.charCodeAt(0));
    for (let at = 0; at < pcm.length; at += 4800) session.sendAudio(pcm.slice(at, at + 4800).buffer);
    for (let block = 0; block < 30; block += 1) session.sendAudio(new Uint8Array(4800).buffer);
    await until(() => times("response.done") === 2 && times("conversation.item.retrieved") >= 1);
  }
  seen.history = session.history.map((item) => ({
    role: item.role,
    text: item.content.map((part) => part.text ?? part.transcript ?? "").join(""),
  }));
  session.close();
  return seen;
};
