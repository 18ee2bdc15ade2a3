// An answer as tokens, coloured by how far steering moved each.

import { Thought } from "./thought.js";
import { isChanged, shiftOf } from "./trace.js";

/** Nats from which on a token gets the next deeper colour; the same as in the terminal. */
const STEPS = [0.25, 1, 2.5, 5];

export class Tokens {
  #element;
  #choose;
  #spans = [];
  #waiting = [];
  #frame = 0;
  #chosen = -1;
  /** Tokens that may be marks: they stand where the next decided one does. */
  #undecided = [];
  /** The call of a tool that is being written. */
  #call = null;
  // Characters may be split over tokens.
  #decoder = new TextDecoder();
  #thought;

  /** `choose` is called with the number of the token that is pointed at or focused. */
  constructor(element, choose) {
    this.#element = element;
    this.#choose = choose;
    this.#thought = new Thought(element);
    const pointed = (event) => {
      const index = this.#spans.indexOf(event.target);
      if (index >= 0) this.choose(index);
    };
    element.addEventListener("pointerover", pointed);
    element.addEventListener("focusin", pointed);
    element.addEventListener("keydown", (event) => this.#move(event));
  }

  clear() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#spans = [];
    this.#waiting = [];
    this.#chosen = -1;
    this.#undecided = [];
    this.#call = null;
    this.#decoder = new TextDecoder();
    this.#thought.clear();
    this.#element.replaceChildren();
  }

  /** Adds tokens; they are drawn with the next frame, however many come until then. */
  append(positions) {
    this.#waiting.push(...positions);
    this.#frame ||= requestAnimationFrame(() => this.#draw());
  }

  /** Marks the token as the one that is looked at. */
  choose(index) {
    if (index === this.#chosen || !this.#spans[index]) return;
    this.#spans[this.#chosen]?.classList.remove("chosen");
    this.#spans[this.#chosen]?.setAttribute("tabindex", "-1");
    this.#spans[index].classList.add("chosen");
    this.#spans[index].setAttribute("tabindex", "0");
    this.#chosen = index;
    this.#choose(index);
  }

  /** No more will come: marks that were begun are text. */
  end() {
    cancelAnimationFrame(this.#frame);
    this.#draw();
    this.#element.append(...this.#undecided.splice(0));
  }

  #draw() {
    this.#frame = 0;
    for (const position of this.#waiting.splice(0)) {
      const span = this.#span(position);
      this.#spans.push(span);
      this.#undecided.push(span);
      if (position.phase !== "undecided") this.#place(position.phase, this.#undecided.splice(0));
    }
    // One token can be reached with Tab, the others from it with arrow keys.
    if (this.#chosen >= 0 || this.#element.querySelector("[tabindex='0']")) return;
    this.#spans.find((span) => span.isConnected && !span.closest(".thought"))?.setAttribute("tabindex", "0");
  }

  #place(phase, spans) {
    if (phase === "reasoning") {
      for (const span of spans) this.#thought.append(span);
    } else if (phase === "call") {
      if (!this.#call) {
        this.#call = document.createElement("div");
        this.#call.className = "call";
        this.#element.append(this.#call);
      }
      this.#call.append(...spans);
      return;
    } else {
      this.#element.append(...spans);
    }
    this.#call = null;
  }

  #span(position) {
    const span = document.createElement("span");
    span.tabIndex = -1;
    if (position.bytes.length > 0) {
      span.textContent = this.#decoder.decode(new Uint8Array(position.bytes), { stream: true });
    } else {
      // No text: what it is called stands behind the answer, as a note.
      span.dataset.name = position.text;
      span.classList.add("silent");
    }
    const shift = shiftOf(position);
    const depth = STEPS.filter((step) => Math.abs(shift) >= step).length;
    if (depth > 0) span.classList.add(`${shift > 0 ? "towards" : "away"}-${depth}`);
    if (isChanged(position)) span.classList.add("changed");
    if (position.forced) span.classList.add("forced");
    if (position.certainty === "uncertified") span.classList.add("uncertain");
    return span;
  }

  #move(event) {
    // Those of a folded thought are passed over.
    const shown = this.#spans.filter((span) => span.checkVisibility());
    const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
    const ends = { Home: 0, End: shown.length - 1 };
    const from = shown.indexOf(document.activeElement);
    const to = event.key in steps ? from + steps[event.key] : ends[event.key];
    if (to === undefined || !shown[to]) return;
    event.preventDefault();
    shown[to].focus();
  }
}
