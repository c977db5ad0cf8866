// The shape around the button: waves of the real levels. What the page says runs outwards, what the person says runs
// inwards, so that one sees who speaks. Draws only while there is a level; with reduced motion, the ring's opacity tells it.

const LAYERS = 5;
const DELAY_MS = 55;     // from one layer to the next
const QUIET = 0.012;
const FALL_PER_S = 2.6;  // a level rises at once and falls so fast

export class Shape {
  /** `speaking`: () -> whether the page is the one who speaks. */
  constructor(canvas, button, { speaking }) {
    Object.assign(this, { canvas, button, speaking });
    this.context = canvas.getContext("2d");
    this.still = matchMedia("(prefers-reduced-motion: reduce)");
    this.levels = { input: 0, output: 0 };
    this.history = [];  // {at, level}, newest first
  }

  #frame = null; #level = 0; #drawnAt = 0;

  /** `source`: "input" or "output"; `level`: 0…1. */
  add({ source, level }) {
    this.levels[source] = Math.max(this.levels[source], level);
    if (level > QUIET / 4) this.#frame ??= requestAnimationFrame((at) => this.#draw(at));
  }

  #draw(at) {
    this.#frame = null;
    const seconds = Math.min(0.1, (at - this.#drawnAt) / 1000);
    this.#drawnAt = at;
    const source = this.speaking() ? "output" : "input";
    const target = Math.min(1, Math.sqrt(this.levels[source]) * 1.8);
    this.#level = Math.max(target, this.#level - FALL_PER_S * seconds);
    for (const name of Object.keys(this.levels)) this.levels[name] *= 0.85;
    this.history.unshift({ at, level: this.#level });
    while (this.history.length > 1 && at - this.history.at(-1).at > (LAYERS + 1) * DELAY_MS) this.history.pop();
    if (this.still.matches) this.button.style.setProperty("--level", this.#level.toFixed(2));
    else this.#waves(at, source === "output");
    const alive = this.history.some(({ level }) => level > QUIET);
    if (alive) this.#frame = requestAnimationFrame((next) => this.#draw(next));
    else this.#clear();
  }

  #clear() {
    this.context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    this.button.style.setProperty("--level", "0");
  }

  #fit() {
    const size = Math.round(this.canvas.clientWidth * Math.min(2, devicePixelRatio));
    if (this.canvas.width !== size) this.canvas.width = this.canvas.height = size;
    return size;
  }

  #waves(at, outwards) {
    const size = this.#fit(), { context } = this;
    const inner = (this.button.clientWidth / 2) * (size / this.canvas.clientWidth), room = size / 2 - inner;
    context.clearRect(0, 0, size, size);
    context.fillStyle = getComputedStyle(this.button).getPropertyValue("--status");
    for (let layer = LAYERS; layer >= 1; layer--) {
      const level = this.#levelBefore(at - DELAY_MS * (outwards ? layer - 1 : LAYERS - layer));
      if (level < QUIET) continue;
      context.globalAlpha = 0.3 - 0.045 * layer;
      this.#curve({ center: size / 2, radius: inner + room * 0.86 * level * (layer / LAYERS), swing: room * 0.1 * level, turn: at / 900 + layer });
    }
    context.globalAlpha = 1;
  }

  #levelBefore(at) {
    return (this.history.find((entry) => entry.at <= at) ?? this.history.at(-1)).level;
  }

  /** A circle that is not quite one. */
  #curve({ center, radius, swing, turn }) {
    const { context } = this;
    context.beginPath();
    for (let step = 0; step <= 72; step++) {
      const angle = (step / 72) * 2 * Math.PI;
      const r = radius + swing * (Math.sin(3 * angle + turn) + 0.6 * Math.sin(5 * angle - 1.4 * turn));
      context.lineTo(center + r * Math.cos(angle), center + r * Math.sin(angle));
    }
    context.fill();
  }
}
