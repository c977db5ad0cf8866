// The one place where the widget touches the SDK's objects. All widgets of a page share one AudioContext.

import { sharedContexts } from "../sdk/audio_context.js";
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

export const heardMs = (voice, id) => voice.player.heardMs(`0:${id}`);
