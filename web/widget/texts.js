// The widget's own words, in English and Chinese, and which of them says what is wrong and what to do. Pure.

import { tableFor } from "./languages.js";

const ENGLISH = {
  tag: "en",
  label: "Voice assistant", open: "Open the voice assistant", close: "Close", talk: "Start talking", end: "Stop talking",
  mute: "Mute the microphone", unmute: "Unmute the microphone", stop: "Stop the answer", message: "Write a message",
  send: "Send", retry: "Try again", transcript: "Conversation", you: "You: ", answer: "Answer: ", cut: "interrupted",
  welcome: "How can I help?", hint: "Press the button and speak, or write below.", written: "Write below, and read the answer.",
  idle: "Press to talk", connecting: "Connecting…", asking: "Please allow the microphone", listening: "Listening",
  "user-speaking": "You are speaking", thinking: "Thinking", speaking: "Speaking", muted: "Muted", trouble: "Not connected",
  ready: "Ready",
  troubles: {
    denied: "The microphone is not allowed. Allow it beside the address of this page, then try again. You can also write.",
    forbidden: "This page may not use the microphone: its frame, or a policy of its server, forbids it. Tell its owner. You can write.",
    missing: "No microphone was found. Plug one in, then try again. You can also write.",
    busy: "Another program uses the microphone. Close it, then try again. You can also write.",
    lost: "The microphone was unplugged. Plug it in, then try again. You can also write.",
    failed: "The microphone could not be started. Try again, or write.",
    unloaded: "The microphone's code could not be loaded. Check the network, then try again. You can also write.",
    interrupted: "The microphone is paused, perhaps by a call. Try again after it. You can also write.",
    insecure: "Browsers give sound and microphone only to https pages. Write here and read the answers, or open this page over https.",
    key: "The server did not accept this page. Reload the page; if that does not help, tell its owner that the key or token was refused.",
    token: "This page could not get access to the assistant. Try again; if that does not help, sign in again or reload the page.",
    taken_over: "This conversation goes on in another window. Try again to continue it here.",
    refused: "The server closed the conversation. Try again to start it anew.",
    full: "The server is busy. The next attempt comes in a moment.",
    account_exhausted: "Too many people are talking at the moment. The next attempt comes in a moment.",
    no_room: "The server does not take a connection. The next attempt comes in a moment.",
    blocked: "The server has room, but the connection is blocked on its way, perhaps by a proxy or a firewall. The next attempt comes in a moment.",
    no_websocket: "This browser cannot talk with the assistant: it has no WebSockets. Use another one.",
    address: "The address of the assistant is wrong. Tell the owner of this page.",
    origin: "The server does not allow this page. Its operator has to add the address of this page to the allowed origins.",
    away: "The server cannot be reached. Check your network; the next attempt comes in a moment.",
    lost_connection: "The connection was lost. The next attempt comes in a moment, and the conversation is kept.",
    silent: "The server does not answer. Wait, or try again.",
    paused: "The browser has paused the sound. Press any button to go on.",
    rate_limit_exceeded: "The service is busy. Wait a moment, then try again.",
    insufficient_quota: "The account behind this assistant has no credit left. Tell the owner of this page.",
    upstream_timeout: "The answer took too long. Try again.",
    upstream_unavailable: "The service cannot be reached at the moment. Try again.",
    transcription_unavailable: "This server does not understand speech. Please write.",
    transcription_failed: "That was not understood. Say it again, or write.",
    content_filter: "The content filter has stopped this. Say it in other words.",
    context_length_exceeded: "The conversation has become too long. Reload the page to begin a new one.",
    max_output_tokens: "The answer has reached its longest length. Ask for the rest.",
    empty_answer: "There was no answer. Try again.",
    server_draining: "The server restarts. Try again in a moment.",
    no_audio_output: "No sound can be played here. You can read the answers.",
    other: "That did not work. Try again.",
  },
};

const CHINESE = {
  tag: "zh-CN",
  label: "语音助手", open: "打开语音助手", close: "关闭", talk: "开始通话", end: "结束通话", mute: "麦克风静音", unmute: "取消静音",
  stop: "停止回答", message: "输入消息", send: "发送", retry: "重试", transcript: "对话", you: "你：", answer: "回答：", cut: "已打断",
  welcome: "需要什么帮助？", hint: "点按钮说话，也可以在下面输入文字。", written: "在下面输入文字，回答会显示在这里。",
  idle: "点击开始说话", connecting: "正在连接…", asking: "请允许使用麦克风", listening: "正在听", "user-speaking": "你在说话",
  thinking: "正在思考", speaking: "正在回答", muted: "已静音", trouble: "未连接", ready: "就绪",
  troubles: {
    denied: "没有麦克风权限。请在地址栏旁允许使用麦克风，然后重试。也可以输入文字。",
    forbidden: "本页不能使用麦克风：所在的框架或服务器的策略不允许。请告诉网站所有者。可以输入文字。",
    missing: "没有找到麦克风。请插好麦克风后重试。也可以输入文字。",
    busy: "麦克风正被其他程序使用。请关闭该程序后重试。也可以输入文字。",
    lost: "麦克风已断开。请插好后重试。也可以输入文字。",
    failed: "麦克风无法启动。请重试，或输入文字。",
    unloaded: "麦克风程序加载失败。请检查网络后重试。也可以输入文字。",
    interrupted: "麦克风已暂停，可能有来电。结束后请重试。也可以输入文字。",
    insecure: "浏览器只允许 https 页面使用声音和麦克风。可以在这里输入文字并阅读回答，或用 https 打开本页。",
    key: "服务器没有接受本页。请刷新页面；如果仍不行，请告诉网站所有者：密钥或令牌被拒绝。",
    token: "本页无法取得助手的使用权限。请重试；如果仍不行，请重新登录或刷新页面。",
    taken_over: "对话已在另一个窗口继续。点重试可以回到这里。",
    refused: "服务器结束了对话。点重试重新开始。",
    full: "服务器繁忙，稍后会自动重试。",
    account_exhausted: "目前通话人数过多，稍后会自动重试。",
    no_room: "服务器没有接受连接，稍后会自动重试。",
    blocked: "服务器有空位，但连接在途中被拦截，可能是代理或防火墙。会自动重试。",
    no_websocket: "这个浏览器不支持 WebSocket，无法使用助手。请换一个浏览器。",
    address: "助手的地址有误。请告诉网站所有者。",
    origin: "服务器不允许本页使用。请服务器管理员把本页地址加入允许的来源。",
    away: "连不上服务器。请检查网络，会自动重试。",
    lost_connection: "连接已断开，正在自动重连。对话不会丢失。",
    silent: "服务器没有响应。请等待，或重试。",
    paused: "浏览器暂停了声音。点任意按钮继续。",
    rate_limit_exceeded: "服务繁忙。请稍等后重试。",
    insufficient_quota: "该助手的账户余额不足。请告诉网站所有者。",
    upstream_timeout: "回答超时。请重试。",
    upstream_unavailable: "服务暂时不可用。请重试。",
    transcription_unavailable: "此服务器不能识别语音。请输入文字。",
    transcription_failed: "没有听清。请再说一遍，或输入文字。",
    content_filter: "内容被审核拦截，请换个说法。",
    context_length_exceeded: "对话太长了。请刷新页面，开始新对话。",
    max_output_tokens: "回答已达长度上限。可以请它接着说。",
    empty_answer: "没有得到回答。请重试。",
    server_draining: "服务器正在重启。请稍后重试。",
    no_audio_output: "这里无法播放声音。可以阅读回答。",
    other: "没有成功。请重试。",
  },
};

/** The texts for a language tag such as "zh-CN"; English for all others. */
export const textsFor = (lang) => tableFor(lang, { english: ENGLISH, chinese: CHINESE });

const REFUSED = { invalid_api_key: "key", token_refused: "token", session_taken_over: "taken_over",
  no_websocket: "no_websocket", insecure_address: "address", invalid_address: "address" };
const AGAIN = new Set(["denied", "missing", "busy", "lost", "failed", "unloaded", "interrupted"]);

/** The line is down, but the session is kept and its answer still sounds: nothing is wrong yet. */
const soundsOn = ({ state, resuming }, phase) => state !== "open" && Boolean(resuming) && phase === "speaking";

/**
 * What is wrong now: {code, action}, or null. `action`, for the button "Try again": "connect", "talk" or "answer"; null: no
 * button. `reach`: why there is no connection, as found out by reach.js; before it is known, nothing is said.
 */
export function troubleOf({ connection, microphone, problem, failed, reach, paused, sounds, dismissed, phase }) {
  const { state, reason, silent, everOpen } = connection;
  if (soundsOn(connection, phase)) return null;
  if (state === "refused") return { code: REFUSED[reason] ?? "refused", action: "connect" };
  if (silent) return { code: "silent", action: "connect" };
  if (state === "waiting") {
    if (reason === "rate_limit_exceeded" || reason === "server_overloaded") return { code: "full", action: "connect" };
    if (reason === "account_exhausted") return { code: reason, action: "connect" };
    const code = reach ?? (everOpen ? "lost_connection" : reason === "unreachable" ? null : "away");
    return code && { code, action: "connect" };
  }
  if (paused) return { code: "paused", action: null };
  if (sounds && microphone === "forbidden") return { code: microphone, action: null };
  if (sounds && AGAIN.has(microphone)) return { code: microphone, action: "talk" };
  if (problem && !dismissed) return { code: problem.code ?? "other", action: failed ? "answer" : null };
  if (failed) return { code: "other", action: "answer" };
  return sounds ? null : { code: "insecure", action: null };
}

/** The sentence of a code: never the words of an exception or of a server. */
export const troubleText = (texts, code) => (Object.hasOwn(texts.troubles, code) ? texts.troubles[code] : texts.troubles.other);

/** [state, text] of the line under the name. */
export function statusOf(texts, { connection, microphone, muted, phase, trouble }) {
  const named = (name) => [name, texts[name]];
  if (soundsOn(connection, phase)) return named(phase);
  if (connection.state === "waiting" && !trouble) return named("connecting");
  if (connection.state === "refused" || connection.state === "waiting" || connection.silent) return named("trouble");
  if (microphone === "asking") return ["connecting", texts.asking];
  if (connection.state === "connecting") return named("connecting");
  if (connection.state === "open" && phase !== "listening") return named(phase);
  if (microphone === "on") return named(muted ? "muted" : "listening");
  return ["idle", trouble || connection.state === "open" ? texts.ready : texts.idle];
}
