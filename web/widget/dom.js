// Makes elements without HTML texts, so that a page with Trusted Types allows them, and nothing in a text is ever executed.

const SVG = "http://www.w3.org/2000/svg";

/** h("button", {class: "x", onclick: f}, child, "text"): names that begin with "on" are listeners; null and false are left out. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

const ICONS = {
  voice: ["M5 10v4", "M9 6.5v11", "M13 9v6", "M17 4.5v15", "M21 10v4"],
  microphone: ["M12 3.5a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0v-5a3 3 0 0 1 3-3z", "M5.5 11.5a6.5 6.5 0 0 0 13 0", "M12 18v3"],
  muted: ["M12 3.5a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0v-5a3 3 0 0 1 3-3z", "M5.5 11.5a6.5 6.5 0 0 0 13 0", "M12 18v3", "M4 4l16 16"],
  end: ["M3.5 14.2c5.2-5 11.8-5 17 0l-2.3 2.7-3.4-1.6v-2.5c-1.8-.5-3.8-.5-5.6 0v2.5l-3.4 1.6z"],
  stop: ["M7.5 7.5h9v9h-9z"],
  close: ["M6 6l12 12", "M18 6L6 18"],
  send: ["M12 19V5", "M5.5 11.5L12 5l6.5 6.5"],
};

const FILLED = new Set(["end", "stop"]);

const DRAWN = { viewBox: "0 0 24 24", width: 24, height: 24, fill: "none", stroke: "currentColor", "stroke-width": 1.8,
  "stroke-linecap": "round", "stroke-linejoin": "round", "aria-hidden": "true" };

/** A drawing for eyes only: the button around it has the words. It is one also where a page's policy forbids the style. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  for (const [key, value] of Object.entries(DRAWN)) svg.setAttribute(key, value);
  if (FILLED.has(name)) svg.setAttribute("class", "fill");
  for (const line of ICONS[name]) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", line);
    svg.append(path);
  }
  return svg;
}
