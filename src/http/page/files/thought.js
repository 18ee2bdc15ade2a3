// What a model has thought before it answered, folded above its answer.

export class Thought {
  #element;
  #folded = null;
  #text = null;
  #count = 0;

  /** `element` is the answer's. */
  constructor(element) {
    this.#element = element;
  }

  clear() {
    this.#folded?.remove();
    this.#folded = null;
    this.#count = 0;
  }

  /** Adds a token or a text. */
  append(node) {
    this.#folded ??= this.#made();
    this.#count += 1;
    this.#folded.firstChild.textContent = `Reasoning, not steered (${this.#count})`;
    this.#text.append(node);
  }

  #made() {
    const folded = document.createElement("details");
    folded.className = "thought";
    this.#text = document.createElement("div");
    folded.append(document.createElement("summary"), this.#text);
    this.#element.prepend(folded);
    return folded;
  }
}
