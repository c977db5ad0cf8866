// The one place where the widget touches the SDK's objects. All widgets of a page share one AudioContext.

import { sharedContexts } from "../sdk/audio_context.js";
import { heardText } from "../sdk/conversation.js";
import { Realtime } from "../sdk/realtime.js";

export { checkTool } from "../sdk/tools.js";

const contexts = sharedContexts();

/** `session`: the fields of a session.update. Nothing is opened yet. */
export function createVoice({ url, credential, session }) {
  return new Realtime({ url: url.href, credential, session, contexts });
}

/** Stop everything and give the AudioContext back, if it is not started again meanwhile. The conversation stays. */
export async function release(voice) {
  if (await voice.stop()) await voice.player.close();
}

/** What was said so far, answers that still sound as far as they were heard. */
export function heardItems(voice) {
  return voice.conversation.items.map((item) => {
    if (!voice.player.parts.has(`0:${item.id}`)) return item;
    const text = heardText(item, heardMs(voice, item.id));
    return text === item.text ? item : { ...item, text, truncated: true };
  });
}

export const heardMs = (voice, id) => voice.player.heardMs(`0:${id}`);
