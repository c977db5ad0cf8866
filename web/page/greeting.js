// Lets a new conversation begin with the words that the person has chosen.

const SETTLED_MS = 600;  // the server's own greeting, or the items of a stored conversation, have come by then

/** Let a new, empty conversation begin with these words. `words`: () -> text or null. */
export function greet(voice, words) {
  voice.addEventListener("event", ({ detail }) => {
    if (detail.type !== "conversation.created" || !words()) return;
    const id = detail.conversation?.id;
    setTimeout(() => { if (isUntouched(voice, id)) voice.send(greeting(words())); }, SETTLED_MS);
  });
}

function isUntouched({ conversation, connection }, id) {
  const { items, response, speech, awaiting } = conversation;
  return connection.state === "open" && conversation.id === id && !items.length && !response && !speech && !awaiting;
}

const greeting = (words) => ({
  type: "response.create",
  response: { instructions: `Say exactly the following words and nothing else:\n${words}`, tools: [] },
});
