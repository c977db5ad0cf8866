// @ts-check
// The types of the public interface, as JSDoc: they become the package's declarations and its page in the documentation.
// No code.

/**
 * An event of the protocol: `type` says which, and the other fields belong to it.
 * @typedef {{ type: string, [field: string]: any }} ProtocolEvent
 */

/**
 * What went wrong. Show your own text for the codes you know; `message` is plain text.
 * @typedef {{ code: string | null, message: string }} Problem
 */

/**
 * One word of an answer and where it stands in the audio of its item.
 * @typedef {{ text: string, start_ms: number, end_ms: number }} Word
 */

/**
 * One item of the conversation. `text` is what was said, heard or typed so far. Items that are not for people are `hidden`;
 * function calls and their outputs are, and have a `call`.
 * @typedef {object} Item
 * @property {string} id
 * @property {string} role `user`, `assistant`, `system`, `function_call` or `function_call_output`.
 * @property {string} text
 * @property {string | null} whole All that was written of an answer that was cut.
 * @property {Word[]} words
 * @property {string} status
 * @property {boolean} final No more text comes.
 * @property {boolean} truncated Interrupted: `text` is what the listener heard.
 * @property {boolean} moved Its server was lost: `text` ends where another server goes on, in the next item.
 * @property {boolean} hidden
 * @property {boolean} placed The server knows it.
 * @property {boolean} typed
 * @property {Problem | null} unread Why speech could not be transcribed.
 * @property {Problem | null} failed Why there is no answer, or no more of it.
 * @property {string[]} images Addresses of pictures, mostly data URIs.
 * @property {{ name: string | null, call_id: string | null, arguments: string | null, output: string | null } | null} call
 */

/**
 * The conversation: a new object for each change, and never changed.
 * @typedef {object} Conversation
 * @property {Record<string, any> | null} session The session as the server has confirmed it.
 * @property {string[]} extensions
 * @property {string | null} id
 * @property {Item[]} items
 * @property {string | null} response The id of the running response.
 * @property {string | null} newest The id of the newest response.
 * @property {string | null} speech The item of what the user is saying.
 * @property {boolean} awaiting An answer is due.
 * @property {boolean} wanted The next session has to answer.
 * @property {Problem | null} problem
 * @property {{ response_id: string, origin: string, marks: Record<string, number> } | null} latency
 */

/** @typedef {"user-speaking" | "speaking" | "thinking" | "listening"} Phase */
/** @typedef {"closed" | "connecting" | "open" | "waiting" | "refused"} ConnectionState */
/**
 * `denied`: by the person. `forbidden`: by the page around a frame, or by a policy of a server; only Chromium tells.
 * @typedef {"off" | "asking" | "on" | "interrupted" | "denied" | "forbidden" | "missing" | "busy" | "insecure" | "lost" | "unloaded"
 *   | "failed"} MicrophoneState
 */

/**
 * The state of everything; the same object until something changes. `retryAt` is a time of performance.now.
 * `answering`: there is an answer to stop. `resuming`: the line is down and the session is kept: what is left of an answer
 * plays on.
 * @typedef {object} Snapshot
 * @property {Conversation} conversation
 * @property {Phase} phase
 * @property {boolean} answering
 * @property {{ state: ConnectionState, reason: string | null, retryAt: number | null, silent: boolean, resuming: boolean }} connection
 * @property {{ state: MicrophoneState, muted: boolean, deviceId: string | null }} microphone
 */

/**
 * One answer and what led to it. `marks`: the times of server and page (these begin with `page_`) in ms after `origin`.
 * `firstSoundMs`: when it began to sound. `early`: it was begun before the turn was certain. Null: not known.
 * @typedef {{ response_id: string, status: string, origin: string | null, marks: Record<string, number>, firstSoundMs: number | null,
 *   roundTripMs: number | null, early: boolean }} Turn
 */

/**
 * What was measured of a conversation. `p50` and `p95` are of the turns' `firstSoundMs`; null: nothing is known.
 * @typedef {object} Measurements
 * @property {Turn[]} turns The last 200.
 * @property {number | null} p50
 * @property {number | null} p95
 * @property {number} underruns How often the player had to wait for audio.
 * @property {number} bufferedMs Audio that waits in the player.
 * @property {number | null} jitterMs The length of the jitter buffer.
 * @property {{ responses: number, inputTokens: number, cachedTokens: number, outputTokens: number }} requests
 * @property {{ hits: number, waste: number | null }} speculation Answers that were begun early: used, and in vain.
 * @property {{ sent: number, received: number, bytes: { sent: number, received: number } }} events
 * @property {number} resumed How often the session went on with a new connection.
 */

/**
 * A function of the page that the model may call. `parameters` is a JSON schema of an object. `run` returns a string, or
 * anything that JSON can hold; what it throws is told to the model. After `timeout_ms` (30,000) the model is told that it did
 * not end, and `signal` is aborted; so it is when the user interrupts.
 * @typedef {object} Tool
 * @property {string} name 1 to 64 letters, digits, `_` or `-`.
 * @property {string} [description]
 * @property {Record<string, any>} [parameters]
 * @property {(given: any, context: { signal: AbortSignal, call_id: string }) => unknown} run
 * @property {number} [timeout_ms]
 */

/**
 * A call that has ended.
 * @typedef {{ name: string, call_id: string, arguments: any, result?: unknown, error?: string }} ToolReport
 */

/**
 * A typed message: words, pictures (data URIs, addresses or Blobs), or both.
 * @typedef {{ text?: string, images?: (string | Blob)[] }} Message
 */

/**
 * A key, a short-lived `ek_…` secret, or a function that is asked for one before each connect.
 * @typedef {string | null | (() => string | null | Promise<string | null>)} Credential
 */

/**
 * Who opens and closes the AudioContext of player and microphone.
 * @typedef {{ open(options: AudioContextOptions): AudioContext, close(context: AudioContext): Promise<void> }} Contexts
 */

/**
 * @typedef {object} Options
 * @property {string | URL} url The WebSocket address of the server: `wss://host/v1/realtime`.
 * @property {Credential} [credential]
 * @property {Record<string, any> | null} [session] Fields of a `session.update` after every connect.
 * @property {string[]} [extensions] Extensions of the protocol: `playback`, `words`, `latency` and `resume`, if not given.
 * @property {Contexts} [contexts] `sharedContexts()` of audio_context.js shares one, and its speaker, among several conversations of a page.
 * @property {boolean} [binary] Audio as binary frames, where the server can.
 * @property {{ rate?: number, frameMs?: number, constraints?: MediaTrackConstraints }} [microphone]
 * @property {Tool[]} [tools]
 */

/**
 * A node of an answer's Markdown: what stands in text[start, end). Leaves are of the kind `text` and have no children; the
 * other fields belong to the kinds that markdown.js tells of.
 * @typedef {object} MarkdownNode
 * @property {string} kind
 * @property {number} start
 * @property {number} end
 * @property {MarkdownNode[]} [children]
 * @property {string} [href] Of a link.
 * @property {number} [level] Of a heading.
 * @property {boolean} [ordered] Of a list.
 * @property {string} [language] Of a block of code.
 * @property {boolean} [open] Of a block of code: its end has not come.
 * @property {boolean} [header] Of a cell.
 * @property {"left" | "center" | "right"} [align] Of a cell.
 */

export {};
