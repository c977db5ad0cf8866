// The widget's style: a stylesheet made in JavaScript, which a strict Content-Security-Policy allows, unlike a style element.
// Browsers of 2022 have neither mixed colours nor container queries nor dvh: a rule with a variable in it is not skipped by
// them, so what they have instead stands first, and the rest behind @supports.
// Public names are --realtime-…; those that begin with --_ are the widget's own. Only logical directions: it also works from
// right to left. No rem: many pages set the size of their root to ten pixels.

import { h } from "./dom.js";

const LIGHT = `
  --_paper: var(--realtime-background, #ffffff); --_ink: var(--realtime-text, #1d1d22); --_soft: var(--realtime-soft-text, #62616b);
  --_line: var(--realtime-line, #e4e2dd); --_mine: var(--realtime-user, #ecebfa); --_accent: var(--realtime-accent, #5b5bd6);
  --_on-accent: var(--realtime-on-accent, #ffffff); --_warn: #93390c; --_warn-paper: #fdf0e6; --_hearing: #12866f;
  --_thinking: #a06a00; --_speaking: #7a4fd8; --_unheard: #74737d; --_dim: 12%; --_shadow: 0 19px 51px -13px #1d1d2255, 0 3px 10px #1d1d2214; color-scheme: light;`;
const DARK = `
  --_paper: var(--realtime-background, #1a1b21); --_ink: var(--realtime-text, #ecebf0); --_soft: var(--realtime-soft-text, #a5a4b0);
  --_line: var(--realtime-line, #31323b); --_mine: var(--realtime-user, #2b2b52); --_accent: var(--realtime-accent, #9a9af8);
  --_on-accent: var(--realtime-on-accent, #15151c); --_warn: #ffb38a; --_warn-paper: #38241a; --_hearing: #2bb398;
  --_thinking: #d29a35; --_speaking: #a384f5; --_unheard: #93929e; --_dim: 42%; --_shadow: 0 19px 51px -13px #000c, 0 0 0 1px #ffffff0d; color-scheme: dark;`;

const TEXT = `
:host { ${LIGHT}
  display: inline; --_status: var(--_accent); --_window: 100vh;
}
@supports (height: 100dvh) { :host { --_window: 100dvh; } }
.launch, .panel {
  --_glow: #0004; --_halo: var(--_line); --_ring: #80808044; --_ring-outside: #80808022; --_lit: var(--_status); --_shaded: var(--_status);
  --_tint: var(--_line); --_off: var(--_line); --_field: var(--_soft); --_focus: var(--_line);
}
@supports (color: color-mix(in oklab, red, blue)) {
  .launch, .panel {
    --_glow: color-mix(in oklab, var(--_accent), transparent 30%); --_halo: color-mix(in oklab, var(--_status), transparent 82%);
    --_ring: color-mix(in oklab, var(--_status), transparent 72%); --_ring-outside: color-mix(in oklab, var(--_status), transparent 86%);
    --_lit: color-mix(in oklab, var(--_status), #fff calc(26% - var(--_dim) / 2)); --_shaded: color-mix(in oklab, var(--_status), #000 var(--_dim));
    --_tint: color-mix(in oklab, var(--_ink), transparent 94%); --_off: color-mix(in oklab, var(--_ink), transparent 90%);
    --_field: color-mix(in oklab, var(--_ink), var(--_paper) 50%); --_focus: color-mix(in oklab, var(--_accent), transparent 72%);
  }
}
/* What the page says of its elements in general ("* { text-transform: uppercase }") is not meant for these. */
:where(.launch, .panel) {
  all: initial; visibility: inherit; pointer-events: inherit; color-scheme: inherit; -webkit-font-smoothing: antialiased;
  font: 400 var(--realtime-font-size, 16px)/1.5 var(--realtime-font, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "PingFang SC", "Microsoft YaHei", sans-serif);
}
@media (prefers-color-scheme: dark) { :host(:not([theme="light"])) { ${DARK} } }
:host([theme="dark"]) { ${DARK} }
:host([theme="light"]) { ${LIGHT} }
:host([mode="inline"]) { display: block; block-size: var(--realtime-height, 544px); inline-size: var(--realtime-width, 100%); }
:host([hidden]) { display: none !important; }
@media print { :host(:not([mode="inline"])) { display: none !important; } }  /* it would stand on each sheet */
* { box-sizing: border-box; }
[hidden] { display: none !important; }
.hidden { position: absolute; inline-size: 1px; block-size: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
button { margin: 0; padding: 0; border: 0; background: none; color: inherit; font: inherit; cursor: pointer; touch-action: manipulation; -webkit-tap-highlight-color: transparent; }
svg { inline-size: 1.4em; block-size: 1.4em; display: block; }
:focus-visible { outline: 3px solid var(--_accent); outline-offset: 2px; }

.launch {
  position: fixed; inset-block-end: calc(var(--realtime-inset, 20px) + env(safe-area-inset-bottom, 0px)); inset-inline-end: var(--realtime-inset, 20px);
  inline-size: var(--realtime-size, 60px); block-size: var(--realtime-size, 60px); border-radius: 50%; display: grid; place-items: center;
  color: var(--_on-accent); background: var(--_accent); box-shadow: 0 10px 26px -6px var(--_glow), 0 2px 6px #0003;
  z-index: var(--realtime-z-index, 2147483000); transition: transform .18s, box-shadow .18s; font: 400 18px/1.5 sans-serif;
}
.launch:hover { transform: translateY(-2px) scale(1.04); }
.launch:active { transform: scale(.96); }

.panel {
  display: grid; grid-template-rows: auto minmax(0, 1fr) auto auto auto; background: var(--_paper); color: var(--_ink); border: 1px solid var(--_line);
  border-radius: var(--realtime-radius, 22px); overflow: hidden; inline-size: 100%; block-size: 100%; margin: 0; padding: 0;
  max-inline-size: none; max-block-size: none; container-type: size;
}
dialog.panel:not([open]) { display: none; }
dialog.panel {
  position: fixed; inset: auto; inset-block-end: calc(var(--realtime-inset, 20px) + env(safe-area-inset-bottom, 0px)); inset-inline-end: var(--realtime-inset, 20px);
  inline-size: min(var(--realtime-width, 384px), calc(100vw - 2 * var(--realtime-inset, 20px)));
  block-size: min(var(--realtime-height, 608px), calc(var(--_window) - 2 * var(--realtime-inset, 20px)));
  box-shadow: var(--_shadow); z-index: var(--realtime-z-index, 2147483000); transform-origin: 90% 100%; animation: appear .2s cubic-bezier(.2, .9, .3, 1);
}
@keyframes appear { from { opacity: 0; transform: translateY(13px) scale(.97); } }
dialog.sheet { inset: 0; inline-size: 100vw; block-size: var(--_window); border: 0; border-radius: 0; padding-block-end: env(safe-area-inset-bottom, 0px); }
dialog::backdrop { background: none; }

.panel[data-status="listening"], .panel[data-status="user-speaking"] { --_status: var(--_hearing); }
.panel[data-status="thinking"], .panel[data-status="connecting"] { --_status: var(--_thinking); }
.panel[data-status="speaking"] { --_status: var(--_speaking); }
.panel[data-status="muted"] { --_status: var(--_soft); }
.panel[data-status="trouble"] { --_status: var(--_warn); }

header { display: flex; align-items: center; gap: 11px; padding: 14px 11px 12px 18px; padding-inline: 18px 11px; border-block-end: 1px solid var(--_line); }
.dot { inline-size: 10px; block-size: 10px; flex: none; border-radius: 50%; background: var(--_status); box-shadow: 0 0 0 4px var(--_halo); transition: background .3s; }
.names { flex: 1; min-inline-size: 0; line-height: 1.3; display: grid; justify-items: start; }
.title, .state, .welcome p, .problem p, input { unicode-bidi: plaintext; }  /* an English sentence on an Arabic page ends at its right */
.title { margin: 0; max-inline-size: 100%; font-size: .98em; font-weight: 640; letter-spacing: -.01em; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.state { margin: 0; font-size: .8em; color: var(--_soft); }
.close { inline-size: 40px; block-size: 40px; border-radius: 13px; display: grid; place-items: center; color: var(--_soft); }
.close:hover { background: var(--_tint); color: var(--_ink); }

.middle { position: relative; min-block-size: 0; display: grid; }
.welcome { grid-area: 1 / 1; align-self: center; text-align: center; padding: 16px 26px; }
.welcome p { margin: 0; color: var(--_soft); font-size: .92em; text-wrap: balance; }
.welcome .lead { font-size: 1.5em; font-weight: 620; letter-spacing: -.02em; line-height: 1.25; color: var(--_ink); margin-block-end: 8px; }
.list { grid-area: 1 / 1; overflow-y: auto; overscroll-behavior: contain; display: flex; flex-direction: column; gap: 14px; padding: 18px; scrollbar-width: thin; min-block-size: 0; }
.list:focus-visible { outline-offset: -3px; }
.list::before { content: ""; margin-block-start: auto; }
.message { max-inline-size: 90%; overflow-wrap: anywhere; flex: none; }
.user { align-self: flex-end; background: var(--_mine); padding: 8px 14px; border-radius: 18px; border-end-end-radius: 5px; }
.user .text { white-space: pre-wrap; }
.pending .text { color: var(--_soft); }
.assistant { align-self: flex-start; font-size: 1.04em; }
.unheard { color: var(--_unheard); }
.text span { transition: color .15s; }
.cut { display: block; font-size: .76em; color: var(--_soft); }
.text > * { margin: 0 0 .5em; white-space: pre-wrap; }
.text > :last-child { margin-block-end: 0; }
.text .heading { font-weight: 650; }
.text :is(ul, ol) { padding-inline-start: 1.3em; white-space: normal; }
.text ol { list-style: none; padding-inline-start: 0; }
.text .marker { color: var(--_soft); margin-inline-end: .5em; }
.text li > p { display: inline; }
.text a { color: var(--_accent); }
.text a span { color: inherit; }
.text blockquote { padding-inline-start: .8em; border-inline-start: 3px solid var(--_line); color: var(--_soft); }
.text code { font: .86em/1.5 ui-monospace, Menlo, Consolas, monospace; background: var(--_tint); border-radius: .3em; padding: .05em .3em; }
.text pre { overflow-x: auto; padding: 10px 11px; border-radius: 11px; background: var(--_tint); }
.text pre code { background: none; padding: 0; overflow-wrap: normal; white-space: pre; }
.text table { display: block; overflow-x: auto; border-collapse: collapse; font-size: .9em; white-space: normal; }
.text :is(td, th) { border: 1px solid var(--_line); padding: .25em .5em; text-align: start; }

.problem { margin: 0 13px 3px; padding: 10px 14px; border-radius: 14px; background: var(--_warn-paper); color: var(--_warn); font-size: .86em; line-height: 1.45; display: flex; align-items: center; gap: 13px; max-block-size: 150px; max-block-size: 40cqb; overflow-y: auto; }
.problem p { margin: 0; flex: 1; min-inline-size: 0; overflow-wrap: anywhere; }
.retry { flex: none; padding: 5px 12px; min-block-size: 32px; border: 1px solid currentColor; border-radius: 16px; font-weight: 600; }

.controls { display: flex; align-items: center; justify-content: center; gap: 22px; padding: 14px 16px 13px; }
.talk {
  --level: 0; position: relative; isolation: isolate; inline-size: 67px; block-size: 67px; flex: none; border-radius: 50%; display: grid; place-items: center; font-size: 19px;
  color: #fff; background: radial-gradient(circle at 32% 26%, var(--_lit), var(--_shaded) 72%); transition: background .3s;
}
.talk::before, .talk::after { content: ""; position: absolute; inset: 0; border-radius: 50%; z-index: -1; background: var(--_ring); transform: scale(calc(1 + var(--level) * .28)); }
.talk::after { background: var(--_ring-outside); transform: scale(calc(1 + var(--level) * .55)); }
.panel:is([data-status="thinking"], [data-status="connecting"]) .talk::before { animation: breathe 1.7s ease-in-out infinite; }
@keyframes breathe { 50% { transform: scale(1.16); } }
.talk:hover { filter: brightness(1.06); }
.side { inline-size: 44px; block-size: 44px; flex: none; border-radius: 50%; display: grid; place-items: center; border: 1px solid var(--_line); color: var(--_soft); font-size: 15px; }
.side .fill, .talk .fill { fill: currentColor; }
.side:hover { color: var(--_ink); background: var(--_tint); }
.side[aria-pressed="true"] { background: var(--_ink); color: var(--_paper); border-color: var(--_ink); }
.side.off { visibility: hidden; }

form { display: flex; align-items: center; margin: 0 13px 13px; padding: 4px; padding-inline-start: 16px; border: 1px solid var(--_field); border-radius: 24px; }
form:focus-within { border-color: var(--_accent); box-shadow: 0 0 0 3px var(--_focus); }
input { flex: 1; min-inline-size: 0; border: 0; outline: 0; background: none; color: inherit; font: inherit; font-size: max(16px, 1em); padding: 6px 0; }
input:focus-visible { outline: 0; }  /* the form around it shows the focus */
input::placeholder { color: var(--_soft); opacity: 1; }
.send { inline-size: 38px; block-size: 38px; flex: none; border-radius: 50%; display: grid; place-items: center; background: var(--_accent); color: var(--_on-accent); font-size: 14px; }
.send:disabled { background: var(--_off); color: var(--_soft); cursor: default; }

@container (max-height: 432px) {
  header { padding-block: 6px; } .welcome .lead { font-size: 1.15em; margin: 0; }
  .controls { padding-block: 8px; } .talk { inline-size: 48px; block-size: 48px; } form { margin-block-end: 8px; }
}
@container (max-height: 272px) { header .state, .welcome p:not(.lead) { display: none; } .controls { padding-block: 4px; } .talk { inline-size: 42px; block-size: 42px; } .problem { max-block-size: 48px; } }
@media (prefers-reduced-motion: reduce) { *, *::before, *::after { animation: none !important; transition: none !important; } .talk::before { transform: scale(1.1); opacity: calc(.3 + var(--level) * .7); } .talk::after { transform: none; } .launch:hover { transform: none; } }
@media (forced-colors: active) { form:focus-within { outline: 3px solid; } .launch, .talk, .side, .send, .close, form, .user { border: 2px solid ButtonText; } .side[aria-pressed="true"] { border-style: double; border-width: 4px; } .dot { border: 1px solid; } .unheard { color: GrayText; } }
`;

let sheet = null;

/** Give a shadow root the one stylesheet of all widgets of a document; a style element in Safari before 16.4, which has no other. */
export function dress(root) {
  if (!("adoptedStyleSheets" in root)) return void root.append(styleElement());
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(TEXT);
  }
  root.adoptedStyleSheets = [sheet];
}

/** With the nonce of the page's scripts: many a policy allows it for styles, too. */
function styleElement() {
  const style = h("style");
  style.nonce = document.querySelector("script[nonce]")?.nonce ?? "";
  style.textContent = TEXT;
  return style;
}
