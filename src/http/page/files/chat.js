// The chat: what is asked, with which history and settings, and what is shown of the answers.

import { preview } from "./api.js";
import { showCandidates } from "./candidates.js";
import { at, download } from "./dom.js";
import { previewed } from "./preview.js";
import { asCurl, asPython } from "./snippets.js";
import { Strip } from "./strip.js";
import { showTotals } from "./totals.js";
import { Trace } from "./trace.js";
import { Turn } from "./turn.js";

const EXAMPLE = {
  question: "Can you suggest a dinner?",
  context: "I am vegan. I live in Trondheim. My dog is called Ziggy. Keep it casual with me.",
};
/** Milliseconds a strength must rest before it is tried, and a question before it is previewed. */
const REST = 150;

const value = (id) => at(id).value.trim();
const number = (id) => Number(at(id).value);

/** What the status says that matters here. */
export const served = { model: "", suffix: false };

let turns = [];
/** The turn whose trace is shown. */
let shown = null;
let tell = () => {};

const strip = new Strip(at("strip"), (index) => shown?.tokens.choose(index));

function request(model, messages, costeer) {
  return {
    ...(model && { model }),
    messages,
    stream: true,
    stream_options: { include_usage: true },
    max_tokens: number("max-tokens"),
    temperature: number("temperature"),
    seed: number("seed"),
    costeer,
  };
}

/** What was said at a side before a turn, and the turn's question. */
function messages(side, before, question) {
  return [...before.flatMap((turn) => turn.messages(side)), { role: "user", content: question }];
}

function steeredRequest(before, question) {
  const [context, profile] = [value("context"), value("profile")];
  return request(served.model, messages("steered", before, question), {
    ...(context && { context }),
    ...(profile && { profile }),
    strength: number("strength-number"),
    trace: true,
  });
}

function plainRequest(before, question) {
  // The suffix also takes out what a question marks as private, without steering by it; a blank context declines what is configured.
  const model = served.suffix && served.model ? `${served.model}@plain` : served.model;
  return request(model, messages("plain", before, question), { context: "" });
}

function running() {
  const is = turns.some((turn) => turn.isRunning);
  at("stop").disabled = !is;
  if (!is) {
    at("status").textContent = "";
    const failed = turns.at(-1)?.steered.failed ?? turns.at(-1)?.plain.failed;
    if (failed?.status === 401) tell(failed);
  }
}

/** Shows the trace of a turn, over the answer and in numbers. */
function show(turn) {
  shown = turn;
  strip.clear();
  at("candidates").replaceChildren();
  at("totals").replaceChildren();
  strip.append(turn.trace.positions);
  if (turn.trace.report) showTotals(at("totals"), turn.trace.report);
  const has = turn.trace.positions.length > 0;
  at("legend").hidden = !has;
  at("details").hidden = !has;
  at("save").disabled = !turn.trace.report;
}

function looked(turn, index) {
  if (shown !== turn) show(turn);
  showCandidates(at("candidates"), turn.trace.positions[index]);
}

function grown(turn, positions) {
  // An older one may be looked at meanwhile.
  if (shown !== turn) return;
  strip.append(positions);
  at("legend").hidden = at("details").hidden = turn.trace.positions.length === 0;
  if (turn.trace.report) showTotals(at("totals"), turn.trace.report);
  at("save").disabled = !turn.trace.report;
}

function add(question) {
  const turn = new Turn(question, { looked, begun: show, grown });
  turns.push(turn);
  at("turns").append(turn.element);
  at("new").disabled = false;
  return turn;
}

function ask() {
  const question = value("question");
  stop();
  const before = [...turns];
  const turn = add(question);
  at("question").value = "";
  at("status").textContent = "Answering…";
  turn.element.scrollIntoView({ block: "nearest" });
  // First the one that takes longer.
  turn.askSteered(steeredRequest(before, question)).finally(running);
  turn.askPlain(plainRequest(before, question)).finally(running);
  running();
}

function stop() {
  for (const turn of turns) turn.stop();
  at("stop").disabled = true;
}

function clear() {
  stop();
  turns = [];
  shown = null;
  at("turns").replaceChildren();
  at("details").hidden = true;
  at("legend").hidden = true;
  at("new").disabled = true;
  at("save").disabled = true;
}

let resting = 0;
function strengthChanged(from, to) {
  at(to).value = at(from).value;
  clearTimeout(resting);
  const turn = turns.at(-1);
  if (!turn?.trace.positions.length || !at("strength-number").checkValidity()) return;
  resting = setTimeout(() => {
    if (!turn.question) return;
    turn.askSteered(steeredRequest(turns.slice(0, -1), turn.question)).finally(running);
    running();
  }, REST);
}

let previewing = null;
/** What the small model would read for the next question, or for the last one where there is none yet. */
async function showPreview() {
  previewing?.abort();
  if (!at("told").open) return;
  const next = value("question");
  const question = next || turns.at(-1)?.question;
  if (!question) {
    at("told-counts").textContent = "Write a question first: what fits it best is taken.";
    at("told-text").textContent = "";
    return;
  }
  previewing = new AbortController();
  try {
    const told = await preview(steeredRequest(next ? turns : turns.slice(0, -1), question), previewing.signal);
    at("told-counts").textContent = previewed(told);
    at("told-text").textContent = told.text ?? "";
  } catch (error) {
    if (error.name === "AbortError") return;
    at("told-counts").textContent = error.message;
    at("told-text").textContent = "";
  }
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    at("status").textContent = "Copied.";
  } catch {
    at("status").textContent = "The browser does not let this page copy.";
  }
}

/** The request to be taken elsewhere: the next one, or the last. */
function toCopy() {
  const next = value("question");
  return steeredRequest(next ? turns : turns.slice(0, -1), next || turns.at(-1)?.question || "");
}

async function load(file) {
  let trace;
  try {
    trace = Trace.read(await file.text());
  } catch (error) {
    tell(error);
    return;
  }
  clear();
  tell(null);
  const turn = add("");
  show(turn);
  turn.load(trace);
  at("status").textContent = `${trace.positions.length} tokens loaded.`;
}

/** Begins to listen. `told` shows what belongs to no answer. */
export function listen(told) {
  tell = told;
  const keyed = () => value("key") !== "";
  at("form").addEventListener("submit", (event) => {
    event.preventDefault();
    tell(null);
    ask();
  });
  at("question").addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    at("form").requestSubmit();
  });
  at("stop").addEventListener("click", () => {
    stop();
    at("status").textContent = "Stopped.";
  });
  at("new").addEventListener("click", () => {
    clear();
    at("question").focus();
  });
  at("example").addEventListener("click", () => {
    at("question").value = EXAMPLE.question;
    at("context").value = EXAMPLE.context;
    at("ask").focus();
    showPreview();
  });
  at("strength").addEventListener("input", () => { at("strength-number").value = at("strength").value; });
  at("strength").addEventListener("change", () => strengthChanged("strength", "strength-number"));
  at("strength-number").addEventListener("change", () => strengthChanged("strength-number", "strength"));
  for (const id of ["profile", "question", "context", "max-tokens"]) at(id).addEventListener("change", showPreview);
  at("told").addEventListener("toggle", showPreview);
  at("copy-curl").addEventListener("click", () => copy(asCurl(location.origin, toCopy(), keyed())));
  at("copy-python").addEventListener("click", () => copy(asPython(location.origin, toCopy(), keyed())));
  at("save").addEventListener("click", () => download("costeer-trace.json", shown.trace.saved(), "application/json"));
  at("load").addEventListener("click", () => at("file").click());
  at("file").addEventListener("change", () => {
    const [file] = at("file").files;
    // So that the same file can be loaded again.
    if (file) load(file).finally(() => { at("file").value = ""; });
  });
}
