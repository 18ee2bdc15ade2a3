// A profile's history: listed or searched, and each document opened, changed and removed.

import { documents } from "./api.js";
import { button, field, make, sure } from "./dom.js";

const PAGE = 50;
const FOUND = 100;
const TITLE = 80;

/** A document in a line. */
function summary({ title, text, time, source }) {
  const name = title || text.trim().split("\n", 1)[0].slice(0, TITLE);
  const about = [time?.slice(0, 10), source].filter(Boolean).join(" · ");
  return make("summary", {}, make("span", {}, name), about && make("small", {}, about));
}

export class Documents {
  #name;
  #tried;
  #changed;
  #list = make("ul", { className: "documents" });
  #count = make("p", { role: "status" });
  #more = button("Show more", () => this.#tried(() => this.#next()), { hidden: true });
  #query = make("input", { type: "search" });
  #after = 0;

  /** `tried` runs what the server may refuse, `changed` is called when there are more or fewer. */
  constructor(name, tried, changed) {
    this.#name = name;
    this.#tried = tried;
    this.#changed = changed;
    const search = make("form", { role: "search", className: "row" }, field("Search the documents", this.#query), make("button", { type: "submit" }, "Search"),
      button("All", () => {
        this.#query.value = "";
        this.#tried(() => this.list());
      }),
      button("New note", () => this.#begin()));
    search.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#tried(() => this.list());
    });
    this.element = make("section", { ariaLabel: "Documents" }, make("h3", {}, "Documents and notes"), search, this.#count, this.#list, this.#more);
  }

  /** What fits the search best, or all from the first on. */
  async list() {
    const query = this.#query.value.trim();
    this.#after = 0;
    if (!query) {
      this.#list.replaceChildren();
      await this.#next();
      return;
    }
    const found = await documents.search(this.#name, query, FOUND);
    this.#more.hidden = true;
    this.#list.replaceChildren(...found.map((document) => this.#item(document)));
    this.#count.textContent = found.length ? `${found.length} found, the best first.` : "Nothing found.";
  }

  async #next() {
    const { data, has_more: hasMore } = await documents.list(this.#name, this.#after, PAGE);
    this.#after = data.at(-1)?.id ?? this.#after;
    this.#list.append(...data.map((document) => this.#item(document)));
    this.#more.hidden = !hasMore;
    const count = this.#list.children.length;
    this.#count.textContent = count ? `${count} shown${hasMore ? ", and there are more" : ""}.` : "There are none yet.";
  }

  #item(document) {
    const folded = make("details", {}, summary(document));
    const item = make("li", {}, folded);
    // Editors are made when they are wanted: there may be thousands of documents.
    folded.addEventListener("toggle", () => {
      if (folded.open && folded.children.length === 1) folded.append(this.#editor(document, item));
    });
    return item;
  }

  #begin() {
    const item = this.#item({ title: "", text: "", tags: [] });
    this.#list.prepend(item);
    const folded = item.firstChild;
    folded.firstChild.firstChild.textContent = "New note";
    folded.open = true;
    folded.append(this.#editor({ title: "", text: "", tags: [] }, item));
    folded.querySelector("textarea").focus();
  }

  #editor(document, item) {
    const title = make("input", { value: document.title });
    const text = make("textarea", { value: document.text, rows: 8 });
    const saved = make("span", { role: "status" });
    const before = { title: title.value, text: text.value };
    const save = button("Save", () => this.#tried(async () => {
      // Only what was changed: a text field writes ends of lines in its own way.
      const changed = { title: title.value === before.title ? document.title : title.value, text: text.value === before.text ? document.text : text.value };
      const { id, object, ...kept } = document;
      await documents.put(this.#name, { ...kept, ...changed, ...(id === undefined && { time: new Date().toISOString(), source: "the page" }) });
      Object.assign(document, changed);
      Object.assign(before, { title: title.value, text: text.value });
      saved.textContent = "Saved.";
      if (id === undefined) {
        this.#query.value = "";
        await this.list();
        await this.#changed();
      } else {
        item.firstChild.firstChild.replaceWith(summary(document));
      }
    }));
    const remove = button("Remove", async () => {
      if (document.id === undefined) {
        item.remove();
        return;
      }
      if (!(await sure("Remove this document? It cannot be brought back.", "Remove it"))) return;
      await this.#tried(async () => {
        await documents.remove(this.#name, document.id);
        item.remove();
        await this.#changed();
      });
    });
    const editor = make("div", { className: "editor" }, field("Title", title), field("Text", text), make("div", { className: "row" }, save, remove, saved));
    editor.addEventListener("input", () => { saved.textContent = "Not saved yet."; });
    return editor;
  }
}
