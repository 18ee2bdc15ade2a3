// What `costeer tune` has found: the divergence over the strength, and where the setting in force stands.

import uPlot from "./vendor/uplot-1.6.32.js";
import { tuning } from "./api.js";
import { at, make } from "./dom.js";

const HEIGHT = 260;

let chart = null;
let drawn = null;

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** A line down from the top at a strength. */
function mark(plot, strength, name) {
  const { ctx, bbox } = plot;
  const left = Math.round(plot.valToPos(strength, "x", true));
  if (left < bbox.left || left > bbox.left + bbox.width) return;
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = colour("--error");
  ctx.lineWidth = 2;
  ctx.beginPath();
  ctx.moveTo(left, bbox.top);
  ctx.lineTo(left, bbox.top + bbox.height);
  ctx.stroke();
  const right = left > bbox.left + bbox.width / 2;
  ctx.textAlign = right ? "right" : "left";
  ctx.fillText(name, left + (right ? -6 : 6), bbox.top + 14 * devicePixelRatio);
  ctx.restore();
}

function draw() {
  const { curve, settings } = drawn;
  chart?.destroy();
  const axis = { stroke: colour("--faint"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line") } };
  const rounded = (plot, value) => (value == null ? "" : value.toFixed(4));
  const points = curve.points;
  const options = {
    width: at("curve").clientWidth,
    height: HEIGHT,
    scales: { x: { time: false } },
    axes: [{ ...axis, label: "strength" }, { ...axis, label: "KL, nats" }],
    series: [
      { label: "strength" },
      // Under the line.
      { label: "to", stroke: "transparent", value: rounded, points: { show: false } },
      { label: "from", stroke: "transparent", value: rounded, points: { show: false } },
      { label: "KL", stroke: colour("--accent"), width: 2, value: rounded, points: { show: false } },
    ],
    bands: [{ series: [1, 2], fill: colour("--towards-2") }],
    hooks: { draw: [(plot) => mark(plot, settings.strength, "in force")] },
  };
  const columns = [
    points.map((point) => point.strength),
    ...["high", "low", "mean"].map((part) => points.map((point) => point.divergence[part])),
  ];
  chart = new uPlot(options, columns, at("curve"));
}

function cells(row, tag, texts) {
  row.append(...texts.map((text) => make(tag, tag === "th" ? { scope: "col" } : {}, text)));
}

/** Where well-known settings stand. */
function standings(report) {
  const table = make("table");
  cells(table.createTHead().insertRow(), "th", ["", "strength", "floor", "plausibility", "KL, nats", "way", "same token"]);
  const body = table.createTBody();
  for (const one of report.standings) {
    const { mean, low, high } = one.divergence;
    cells(body.insertRow(), "td", [
      one.name, one.strength.toFixed(2), String(one.delta_floor), String(one.plausibility), `${mean.toFixed(4)} (${low.toFixed(4)} – ${high.toFixed(4)})`,
      `${Math.round(100 * one.way)} %`, `${(100 * one.agreement.mean).toFixed(1)} %`,
    ]);
  }
  return make("div", { className: "scroll" }, table);
}

/** Asks, and shows what there is. */
export async function showTuning() {
  at("curve").replaceChildren();
  at("standings").replaceChildren();
  chart = drawn = null;
  let found;
  try {
    found = await tuning();
  } catch (error) {
    at("tuned").textContent = error.message;
    return;
  }
  if (!found.report) {
    at("tuned").textContent = `${found.reason} Make one with: ${found.command}`;
    return;
  }
  const { report, settings } = found;
  const floor = report.curves.find((curve) => curve.delta_floor === settings.delta_floor);
  const curve = floor ?? report.curves[0];
  const { low, high } = curve.strength_interval;
  at("tuned").textContent = `${report.questions} questions, ${report.positions} positions. With a floor of ${curve.delta_floor} the best strength is `
    + `${curve.strength.toFixed(2)} (${low.toFixed(2)} – ${high.toFixed(2)}); ${settings.strength.toFixed(2)} is in force. `
    + (report.proposal ? "" : "Nothing is proposed: with no strength does steering come nearer beyond doubt.");
  drawn = { curve, settings };
  draw();
  at("standings").append(standings(report));
}

new ResizeObserver(() => chart?.setSize({ width: at("curve").clientWidth, height: HEIGHT })).observe(at("curve"));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  if (drawn) draw();
});
