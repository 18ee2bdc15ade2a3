// Files on their way into a profile, one after the other.

import { importing } from "./api.js";
import { button, counted, field, make } from "./dom.js";
import { dropped, picked } from "./files.js";

/** Messages about single entries that are shown. */
const SHOWN = 50;

export class Importer {
  #into = null;
  #done;
  #controller = null;
  #bar = make("progress", { max: 1, value: 0, hidden: true, ariaLabel: "Import" });
  #state = make("p", { role: "status" });
  #problems = make("ul", { className: "error" });
  #cancel = button("Stop", () => this.#controller?.abort(), { hidden: true });
  #me = make("input", {});
  #everyone = make("input", { type: "checkbox" });

  /** `done` is called when there may be more documents, with the names of profiles that the files made or changed. */
  constructor(done) {
    this.#done = done;
    const input = (properties) => {
      const files = make("input", { type: "file", multiple: true, hidden: true, ...properties });
      files.addEventListener("change", () => this.#all(picked(files.files)).finally(() => { files.value = ""; }));
      return files;
    };
    const [files, folder] = [input({ ariaLabel: "Files to import" }), input({ webkitdirectory: true, ariaLabel: "A folder to import" })];
    this.element = make("section", { ariaLabel: "Import", className: "drop" },
      make("h3", {}, "Import"),
      make("p", {}, "Drop files or folders here: notes, mail, chats that you have exported, records, or what was exported from here."),
      make("div", { className: "row" }, button("Choose files…", () => files.click()), button("Choose a folder…", () => folder.click()), this.#cancel, files, folder),
      make("details", {}, make("summary", {}, "Chats and mail"),
        field("How they call you, with commas between", this.#me, "Only what you have written is kept."),
        make("label", {}, this.#everyone, " Keep what others say in chats, too")),
      this.#bar, this.#state, this.#problems);
    this.element.addEventListener("dragover", () => this.element.classList.add("over"));
    for (const end of ["dragleave", "drop"]) this.element.addEventListener(end, () => this.element.classList.remove("over"));
  }

  /** Whose the documents will be. */
  into(name) {
    if (name === this.#into) return;
    this.#into = name;
    this.#controller?.abort();
    this.#state.textContent = "";
    this.#problems.replaceChildren();
  }

  dropped(transfer) {
    this.#all(dropped(transfer));
  }

  async #all(coming) {
    if (this.#controller) return;
    const [controller, profile] = [new AbortController(), this.#into];
    this.#controller = controller;
    this.#problems.replaceChildren();
    this.#state.textContent = "Looking at the files…";
    const sum = { added: 0, updated: 0, unchanged: 0, problems: 0, skipped: new Map(), profiles: new Set() };
    let failed = null;
    let files = [];
    let index = 0;
    try {
      files = await coming;
      this.#bar.max = files.reduce((size, { file }) => size + file.size, 0) || 1;
      this.#bar.value = 0;
      this.#bar.hidden = this.#cancel.hidden = false;
      let before = 0;
      for (const { path, file } of files) {
        try {
          await this.#one(path, file, profile, sum, before, controller.signal, `${index} of ${counted(files.length, "file")}: `);
        } catch (error) {
          // One that is too large does not keep the others out.
          if (error.status !== 413) throw error;
          sum.problems += 1;
          this.#problem(`${path}: ${error.message}`);
        }
        before += file.size;
        this.#bar.value = before;
        index += 1;
      }
    } catch (error) {
      failed = error;
    }
    this.#controller = null;
    this.#bar.hidden = this.#cancel.hidden = true;
    if (this.#into !== profile) return;
    // Told after the profile was shown anew with what has come.
    await this.#done(sum.profiles);
    const stopped = failed?.name === "AbortError" ? "Stopped. " : "";
    this.#state.textContent = `${stopped}${index} of ${counted(files.length, "file")}: ${inWords(sum)}.`;
    if (failed && !stopped) this.#problem(failed.message);
  }

  async #one(path, file, profile, sum, before, signal, title) {
    const me = this.#me.value.split(",").map((name) => name.trim()).filter(Boolean);
    const head = { path, profile, modified: file.lastModified, me, everyone: this.#everyone.checked };
    for await (const told of importing(file, head, signal)) {
      const { added, updated, unchanged } = told;
      const now = { ...sum, added: sum.added + added, updated: sum.updated + updated, unchanged: sum.unchanged + unchanged };
      if (told.done) {
        Object.assign(sum, now);
        sum.problems += told.problems;
        for (const [kind, count] of Object.entries(told.skipped)) sum.skipped.set(kind, (sum.skipped.get(kind) ?? 0) + count);
        for (const name of told.profiles) sum.profiles.add(name);
        for (const problem of told.told) this.#problem(problem);
      } else {
        this.#bar.value = before + told.read;
      }
      this.#state.textContent = title + inWords(now);
    }
  }

  #problem(text) {
    if (this.#problems.children.length < SHOWN) this.#problems.append(make("li", {}, text));
  }
}

/** What an import came to. */
function inWords({ added, updated, unchanged, problems, skipped }) {
  const words = [`${added} added`, `${updated} updated`, `${unchanged} unchanged`];
  if (problems) words.push(`${problems} left out`);
  if (skipped.size) words.push(`skipped ${[...skipped].map(([kind, count]) => `${count} ${kind}`).join(", ")}`);
  return words.join(", ");
}
