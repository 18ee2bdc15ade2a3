// A question with its two answers, side by side. Each side has what was said there before.

import { ApiError, answer } from "./api.js";
import { make } from "./dom.js";
import { Thought } from "./thought.js";
import { Tokens } from "./tokens.js";
import { Trace } from "./trace.js";

const NOTHING = "no private context was written and no profile chosen";

/** One answer of a turn. */
class Side {
  #text;
  #note = make("p", { className: "reason", hidden: true });
  #error = make("p", { className: "error", role: "alert", hidden: true });
  #controller = null;
  /** What was said, without thoughts; empty where nothing was. */
  said = "";

  constructor(name, title) {
    this.#text = make("div", { className: `text ${name}`, ariaLive: "polite" });
    this.element = make("section", { className: "side", ariaLabel: title }, make("h3", {}, title), this.#error, this.#note, this.#text);
  }

  get text() {
    return this.#text;
  }

  get isRunning() {
    return this.#controller !== null;
  }

  /** Asks, and hands the chunks to `take`, after `begin` has been told whether the answer is steered, and why not. */
  async ask(request, begin, take) {
    this.stop();
    const controller = new AbortController();
    this.#controller = controller;
    this.said = "";
    this.tell(null);
    this.note(null);
    // Whoever cannot see it is read the answer when it is whole.
    this.#text.ariaBusy = "true";
    try {
      const { steered, reason, chunks } = await answer(request, controller.signal);
      begin(steered, reason);
      for await (const chunk of chunks) {
        if (this.#controller !== controller) return;
        this.said += chunk.choices?.[0]?.delta?.content ?? "";
        take(chunk);
      }
    } catch (error) {
      if (error.name === "AbortError" || this.#controller !== controller) return;
      if (!(error instanceof ApiError)) throw error;
      this.tell(error);
    } finally {
      // Somebody else may have stopped it, or asked again.
      if (this.#controller === controller) this.#end();
    }
  }

  stop() {
    this.#controller?.abort();
    this.#end();
  }

  #end() {
    this.#controller = null;
    this.#text.ariaBusy = "false";
  }

  tell(error) {
    this.#error.textContent = error?.message ?? "";
    this.#error.hidden = !error;
    this.failed = error ?? null;
  }

  note(text) {
    this.#note.textContent = text ?? "";
    this.#note.hidden = !text;
  }
}

/** Writes chunks of an answer that has no trace. */
function writer(element) {
  const text = document.createTextNode("");
  element.replaceChildren(text);
  const thought = new Thought(element);
  return (chunk) => {
    const said = chunk.choices?.[0]?.delta ?? {};
    const reasoning = said.reasoning_content ?? said.reasoning;
    if (reasoning) thought.append(reasoning);
    for (const call of said.tool_calls ?? []) text.appendData(`${call.function?.name ?? ""}${call.function?.arguments ?? ""}`);
    text.appendData(said.content ?? "");
  };
}

export class Turn {
  trace = new Trace();

  #on;

  /** `on.looked` is called with the turn and the number of the token that is looked at, `on.begun` when its trace begins anew, `on.grown` with
   * new positions, and with none at the end. */
  constructor(question, on) {
    this.question = question;
    this.plain = new Side("plain", "The big model alone");
    this.steered = new Side("steered", "Steered");
    this.tokens = new Tokens(this.steered.text, (index) => on.looked(this, index));
    this.#on = on;
    const asked = make("p", { className: "you" }, question);
    this.element = make("article", { className: "turn", ariaLabel: question }, asked, make("div", { className: "pair" }, this.plain.element, this.steered.element));
  }

  get isRunning() {
    return this.plain.isRunning || this.steered.isRunning;
  }

  stop() {
    this.plain.stop();
    this.steered.stop();
    this.tokens.end();
  }

  askPlain(request) {
    const write = writer(this.plain.text);
    return this.plain.ask(request, (steered) => {
      this.plain.note(steered ? "Steered all the same, by what the question marks as private." : null);
    }, write);
  }

  async askSteered(request) {
    this.trace = new Trace();
    this.tokens.clear();
    this.#on.begun(this);
    let write = null;
    await this.steered.ask(request, (steered, reason) => {
      if (steered) return;
      this.steered.note(`Not steered: ${reason ?? NOTHING}.`);
      write = writer(this.steered.text);
    }, (chunk) => {
      if (write) write(chunk);
      if (chunk.costeer?.trace) this.#add(this.trace.add(chunk.costeer.trace));
      if (chunk.costeer?.positions) this.trace.report = chunk.costeer;
    });
    this.tokens.end();
    this.#on.grown(this, []);
  }

  #add(positions) {
    this.tokens.append(positions);
    this.#on.grown(this, positions);
  }

  /** Shows a trace instead of asking. */
  load(trace) {
    this.trace = trace;
    this.#add(trace.positions);
    this.tokens.end();
  }

  /** What was asked and said at one side, as messages; none where nothing was said. */
  messages(side) {
    const { said } = this[side];
    return said ? [{ role: "user", content: this.question }, { role: "assistant", content: said }] : [];
  }
}
