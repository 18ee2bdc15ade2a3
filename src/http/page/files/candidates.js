// What one token was picked from: the candidates with their chances before and after steering.

import { isChanged, visible } from "./trace.js";

const SHOWN = 12;

function cell(text) {
  const cell = document.createElement("td");
  cell.textContent = text;
  return cell;
}

function signed(nats) {
  return (nats < 0 ? "−" : "+") + Math.abs(nats).toFixed(2);
}

function percent(share) {
  return `${(100 * share).toFixed(1)} %`;
}

function bars(plain, steered) {
  const cell = document.createElement("td");
  cell.className = "bars";
  for (const [kind, share] of [["plain", plain], ["steered", steered]]) {
    const bar = document.createElement("div");
    bar.className = `bar ${kind}`;
    bar.style.setProperty("--percent", (100 * share).toFixed(2));
    cell.append(bar);
  }
  return cell;
}

function row(candidate, position) {
  const row = document.createElement("tr");
  const marks = [];
  if (candidate.id === position.id) {
    row.className = "picked";
    marks.push("picked");
  }
  if (candidate.id === position.upstream.id) marks.push("the big model's");
  const plain = Math.exp(candidate.logprob);
  row.append(
    cell(visible(candidate.text) + (marks.length ? ` (${marks.join(", ")})` : "")),
    bars(plain, candidate.probability),
    cell(percent(plain)),
    cell(percent(candidate.probability)),
    cell(signed(candidate.delta)),
    cell(signed(candidate.shift)),
  );
  return row;
}

/** Why a token is not steered, where it is not. */
function unsteered(position) {
  if (position.forced) return "forced: the answer's format leaves no other token";
  if (position.steered) return null;
  if (position.phase === "reasoning") return "not steered: the big model is thinking";
  if (position.phase === "call") return "not steered: a call of a tool is the big model's own";
  if (position.phase === "undecided") return "not steered: it may begin a thought or a call of a tool";
  return "not steered: the big model was sure of itself";
}

function sentence(position) {
  const parts = [`Token ${position.position + 1}: “${visible(position.text)}”`];
  if (isChanged(position)) parts.push(`instead of “${visible(position.upstream.text)}”`);
  const why = unsteered(position);
  if (why) parts.push(why);
  if (position.certainty === "uncertified") parts.push("a token outside the list might have won");
  if (position.certainty === "refetched") parts.push("proved with a longer list");
  if (position.certainty === "certified") parts.push("proved to be the whole vocabulary's pick");
  parts.push(`request ${position.request}, after ${Math.round(1000 * position.seconds.at)} ms`);
  return `${parts.join("; ")}.`;
}

/** Fills `element` with the candidates of a position. */
export function showCandidates(element, position) {
  const text = document.createElement("p");
  text.textContent = sentence(position);
  const table = document.createElement("table");
  const head = table.createTHead().insertRow();
  for (const title of ["token", "chances", "plain", "steered", "Δ", "c·Δ"]) {
    const cell = document.createElement("th");
    cell.scope = "col";
    cell.textContent = title;
    head.append(cell);
  }
  const best = position.candidates.slice(0, SHOWN);
  const others = position.candidates.slice(SHOWN);
  const named = others.filter((candidate) => candidate.id === position.id || candidate.id === position.upstream.id);
  table.createTBody().append(...[...best, ...named].map((candidate) => row(candidate, position)));
  const scroll = document.createElement("div");
  scroll.className = "scroll";
  scroll.append(table);
  element.replaceChildren(text, scroll);
}
