// Shift, certainty and waiting over the positions of an answer.

import uPlot from "./vendor/uplot-1.6.32.js";
import { shiftOf, waiting } from "./trace.js";

const HEIGHT = 200;
/** Milliseconds between two drawings while an answer streams. */
const PACE = 200;

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

export class Strip {
  #element;
  #choose;
  #chart = null;
  #columns = [[], [], [], []];
  #timer = 0;

  /** `choose` is called with the number of the position under the pointer. */
  constructor(element, choose) {
    this.#element = element;
    this.#choose = choose;
    new ResizeObserver(() => this.#chart?.setSize({ width: element.clientWidth, height: HEIGHT })).observe(element);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#redraw());
  }

  clear() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#columns = [[], [], [], []];
    this.#chart?.destroy();
    this.#chart = null;
  }

  append(positions) {
    for (const position of positions) {
      const shift = shiftOf(position);
      const [numbers, shifts, unproved, waits] = this.#columns;
      numbers.push(numbers.length + 1);
      shifts.push(shift);
      unproved.push(position.certainty === "uncertified" ? shift : null);
      waits.push(waiting(position));
    }
    this.#timer ||= setTimeout(() => this.#draw(), PACE);
  }

  #draw() {
    this.#timer = 0;
    this.#chart ??= this.#made();
    this.#chart.setData(this.#columns);
  }

  #redraw() {
    if (!this.#chart) return;
    this.#chart.destroy();
    this.#chart = this.#made();
  }

  #made() {
    const axis = { stroke: colour("--faint"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line") } };
    const rounded = (digits) => (plot, value) => (value == null ? "" : value.toFixed(digits));
    const options = {
      width: this.#element.clientWidth,
      height: HEIGHT,
      scales: { x: { time: false }, ms: {} },
      axes: [{ ...axis }, { ...axis, label: "c·Δ, nats" }, { ...axis, scale: "ms", side: 1, label: "waiting, ms", grid: { show: false } }],
      series: [
        { label: "token" },
        { label: "shift, nats", stroke: colour("--accent"), width: 2, paths: uPlot.paths.stepped({ align: 1 }), value: rounded(2), points: { show: false } },
        { label: "not proved", stroke: colour("--error"), paths: () => null, value: rounded(2), points: { show: true, size: 7, fill: colour("--error") } },
        { label: "waiting, ms", scale: "ms", stroke: colour("--away-4"), value: rounded(1), points: { show: false } },
      ],
      hooks: {
        setCursor: [(plot) => {
          // Not where the data was set and nobody pointed.
          if (plot.cursor.event && plot.cursor.idx != null) this.#choose(plot.cursor.idx);
        }],
      },
    };
    return new uPlot(options, this.#columns, this.#element);
  }
}
