// What the two models are, how long a token waits for them, and whether the proxy is ready.

import { status } from "./api.js";
import { at } from "./dom.js";
import { served } from "./chat.js";

/** Milliseconds between two looks. */
const PACE = 5000;

function inWords({ ready, readiness, upstream, local }) {
  const big = upstream ? [upstream.model, upstream.server].filter(Boolean).join(" at ") : "unknown";
  const state = ready ? readiness[0].toUpperCase() + readiness.slice(1) : `Not ready: ${readiness}`;
  return `${state}. Big model: ${big}. Small model: ${local.model}.`;
}

function waitingInWords(waiting) {
  if (!waiting) return "";
  const rounded = (ms) => (ms < 10 ? ms.toFixed(1) : String(Math.round(ms)));
  return `A steered token waits ${rounded(waiting.upstream)} ms for the big one and ${rounded(waiting.local)} ms more for the small one.`;
}

/** Looks once. Errors are what there is to be said. */
export async function look() {
  let text;
  let waiting = "";
  let ready = false;
  try {
    const now = await status();
    served.suffix = now.model_suffix;
    ready = now.ready;
    text = inWords(now);
    waiting = waitingInWords(now.waiting_ms_per_token);
  } catch (error) {
    text = error.message;
  }
  at("state").classList.toggle("error", !ready);
  // What is new is said aloud; how long tokens wait is new all the time, and is not.
  if (at("state").textContent !== text) at("state").textContent = text;
  at("waiting").textContent = waiting;
}

/** Looks now and then, while anybody sees the page. */
export function watch() {
  look();
  setInterval(() => {
    if (!document.hidden) look();
  }, PACE);
}
