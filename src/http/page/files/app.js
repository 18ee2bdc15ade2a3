// The page: reads the form, asks twice, and shows what comes. Nothing is kept when it is closed.

import { ApiError, answer, firstModel, preview, profiles } from "./api.js";
import { showCandidates } from "./candidates.js";
import { asCurl, asPython } from "./snippets.js";
import { Strip } from "./strip.js";
import { Thought } from "./thought.js";
import { Tokens } from "./tokens.js";
import { showTotals } from "./totals.js";
import { Trace } from "./trace.js";

const EXAMPLE = {
  question: "Can you suggest a dinner?",
  context: "I am vegan. I live in Trondheim. My dog is called Ziggy. Keep it casual with me.",
};
/** Milliseconds a strength must rest before it is tried. */
const REST = 150;

const at = (id) => document.getElementById(id);
const value = (id) => at(id).value.trim();
const number = (id) => Number(at(id).value);

const tokens = new Tokens(at("steered"), (index) => showCandidates(at("candidates"), trace.positions[index]));
const strip = new Strip(at("strip"), (index) => tokens.choose(index));
let trace = new Trace();
let model = "";
/** Ends what is being asked, by side. */
const running = { plain: null, steered: null };

function question(costeer) {
  return {
    ...(model && { model }),
    messages: [{ role: "user", content: value("question") }],
    stream: true,
    stream_options: { include_usage: true },
    max_tokens: number("max-tokens"),
    temperature: number("temperature"),
    seed: number("seed"),
    costeer,
  };
}

function steeredQuestion() {
  const [context, profile] = [value("context"), value("profile")];
  return question({
    ...(context && { context }),
    ...(profile && { profile }),
    strength: number("strength-number"),
    trace: true,
  });
}

function tell(side, error) {
  const place = at(`${side}-error`);
  place.textContent = error ? error.message : "";
  place.hidden = !error;
  if (error?.status === 401) {
    at("more").open = true;
    at("key").focus();
  }
}

/** Asks one side and hands its chunks to `take`; what is still being asked there is ended. */
async function run(side, request, take) {
  running[side]?.abort();
  const controller = new AbortController();
  running[side] = controller;
  at("stop").disabled = false;
  tell(side, null);
  try {
    for await (const chunk of answer(request, value("key"), controller.signal)) {
      if (running[side] !== controller) return;
      take(chunk);
    }
  } catch (error) {
    if (error.name === "AbortError") return;
    if (!(error instanceof ApiError)) throw error;
    tell(side, error);
  } finally {
    // Somebody else may have stopped it, or asked again.
    if (running[side] === controller) {
      running[side] = null;
      at("stop").disabled = !running.plain && !running.steered;
      if (at("stop").disabled) at("status").textContent = "";
    }
  }
}

function askPlain() {
  const text = document.createTextNode("");
  at("plain").replaceChildren(text);
  const thought = new Thought(at("plain"));
  // Blank: declines whatever context is configured.
  return run("plain", question({ context: "" }), (chunk) => {
    const said = chunk.choices[0]?.delta ?? {};
    const reasoning = said.reasoning_content ?? said.reasoning;
    if (reasoning) thought.append(reasoning);
    text.appendData(said.content ?? "");
  });
}

function clearTrace() {
  trace = new Trace();
  tokens.clear();
  strip.clear();
  at("candidates").replaceChildren();
  at("totals").replaceChildren();
  at("save").disabled = true;
}

function show(positions) {
  at("legend").hidden = false;
  at("details").hidden = false;
  tokens.append(positions);
  strip.append(positions);
}

function askSteered() {
  clearTrace();
  return run("steered", steeredQuestion(), (chunk) => {
    if (chunk.costeer?.trace) show(trace.add(chunk.costeer.trace));
    if (chunk.costeer?.positions) finish(chunk.costeer);
  });
}

function finish(report) {
  trace.report = report;
  showTotals(at("totals"), report);
  at("save").disabled = false;
}

function ask() {
  if (!value("context") && !value("profile")) {
    tell("steered", { message: "Write a private context or choose a profile: without one there is nothing to steer by." });
    askPlain();
    return;
  }
  at("status").textContent = "Answering…";
  // First the one that takes longer.
  askSteered();
  askPlain();
}

function stop() {
  for (const side of ["plain", "steered"]) {
    running[side]?.abort();
    running[side] = null;
  }
  at("stop").disabled = true;
  at("status").textContent = "Stopped.";
}

let resting = 0;
function strengthChanged(from, to) {
  at(to).value = at(from).value;
  clearTimeout(resting);
  if (trace.positions.length > 0 && at("form").checkValidity()) resting = setTimeout(askSteered, REST);
}

async function listProfiles() {
  const found = await profiles(value("key"));
  at("profile").replaceChildren(new Option("none", ""), ...found.map(({ name, facts, documents }) => new Option(`${name} (${facts} facts, ${documents} documents)`, name)));
  at("profile-field").hidden = found.length === 0;
}

let previewing = null;
async function showPreview() {
  previewing?.abort();
  at("told").hidden = !value("profile");
  if (!value("profile") || !at("told").open || !value("question")) return;
  previewing = new AbortController();
  try {
    const told = await preview(value("profile"), value("question"), value("context"), value("key"), previewing.signal);
    at("told-counts").textContent = `${told.tokens} of ${told.budget} tokens; ${told.documents.kept} of ${told.documents.found} documents found, `
      + `${told.facts.kept} of ${told.facts.found} facts.`;
    at("told-text").textContent = told.text;
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

function save() {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([trace.saved()], { type: "application/json" }));
  link.download = "costeer-trace.json";
  link.click();
  URL.revokeObjectURL(link.href);
}

async function load(file) {
  let loaded;
  try {
    loaded = Trace.read(await file.text());
  } catch (error) {
    tell("steered", error);
    return;
  }
  stop();
  tell("steered", null);
  clearTrace();
  at("plain").replaceChildren();
  trace = loaded;
  show(trace.positions);
  if (trace.report) finish(trace.report);
  at("status").textContent = `${trace.positions.length} tokens loaded.`;
}

/** What the page needs before anybody asks. Errors are told when somebody does. */
async function start() {
  tell("steered", null);
  const quietly = (work) => work.catch((error) => {
    if (error.status === 401) tell("steered", error);
  });
  await Promise.all([
    quietly(firstModel(value("key")).then((id) => { model = id; })),
    quietly(listProfiles()),
  ]);
}

/** The token of `costeer token --page`. What is behind the # never leaves the browser; out of the address it stays out of the history, too. */
function takeToken() {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (!token) return;
  at("key").value = token;
  history.replaceState(null, "", location.pathname);
}

takeToken();
addEventListener("hashchange", () => {
  takeToken();
  start();
});
at("form").addEventListener("submit", (event) => {
  event.preventDefault();
  ask();
});
at("stop").addEventListener("click", stop);
at("example").addEventListener("click", () => {
  at("question").value = EXAMPLE.question;
  at("context").value = EXAMPLE.context;
  at("ask").focus();
});
at("strength").addEventListener("input", () => { at("strength-number").value = at("strength").value; });
at("strength").addEventListener("change", () => strengthChanged("strength", "strength-number"));
at("strength-number").addEventListener("change", () => strengthChanged("strength-number", "strength"));
for (const id of ["profile", "question", "context"]) at(id).addEventListener("change", showPreview);
at("told").addEventListener("toggle", showPreview);
at("key").addEventListener("change", start);
at("copy-curl").addEventListener("click", () => copy(asCurl(location.origin, steeredQuestion(), value("key") !== "")));
at("copy-python").addEventListener("click", () => copy(asPython(location.origin, steeredQuestion(), value("key") !== "")));
at("save").addEventListener("click", save);
at("load").addEventListener("click", () => at("file").click());
at("file").addEventListener("change", () => {
  const [file] = at("file").files;
  // So that the same file can be loaded again.
  if (file) load(file).finally(() => { at("file").value = ""; });
});
start();
