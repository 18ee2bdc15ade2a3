// What a profile says: description, preferences, facts, and what the small model would read of it.

import { preview, profiles } from "./api.js";
import { at, button, field, make } from "./dom.js";
import { previewed } from "./preview.js";
import { readTexts, survives, written } from "./texts.js";

const LINES = "One a line. A line that begins with two blanks goes on with the one before.";

function area(text, rows) {
  return make("textarea", { value: text, rows, spellcheck: true });
}

/** A list of texts to be edited; not where it would not come back as it was. */
function lines(title, texts, help) {
  const input = area(written(texts), Math.min(12, Math.max(3, texts.length + 1)));
  const safe = survives(texts, input.value);
  input.readOnly = !safe;
  return { input, element: field(title, input, safe ? help : "It has lines that this page cannot write as they are; costeer profile edit can.") };
}

/** The profile as a form. `tried` runs what the server may refuse, `changed` is called after it has been saved. */
export function showProfile(profile, tried, changed) {
  const { name } = profile;
  const description = area(profile.description, 2);
  const preferences = lines("Preferences: how answers should be", profile.preferences, LINES);
  const facts = lines("Facts: what is so, the most important first", profile.facts, LINES);
  const saved = make("span", { role: "status" });
  let known = { description: description.value, preferences: preferences.input.value, facts: facts.input.value };

  const save = button("Save", () => tried(async () => {
    const now = { description: description.value, preferences: preferences.input.value, facts: facts.input.value };
    const patch = {};
    if (now.description !== known.description) patch.description = now.description;
    // Only what was changed, so that nothing else is written anew.
    for (const list of ["preferences", "facts"]) if (now[list] !== known[list]) patch[list] = readTexts(now[list]);
    if (Object.keys(patch).length > 0) await profiles.edit(name, patch);
    known = now;
    saved.textContent = "Saved.";
    await changed();
  }));
  const form = make("div", {},
    field("Description: who or what it is for", description), preferences.element, facts.element, make("div", { className: "row" }, save, saved));
  form.addEventListener("input", () => { saved.textContent = "Not saved yet."; });
  return make("div", {}, form, previewer(name, tried));
}

/** What the small model would read for a question, by this profile alone. */
function previewer(name, tried) {
  const question = make("textarea", { rows: 1 });
  const counts = make("p", { role: "status" });
  const text = make("pre", { tabIndex: 0, hidden: true });
  const show = button("Show what the small model would read", () => tried(async () => {
    const told = await preview({
      messages: [{ role: "user", content: question.value }], max_tokens: Number(at("max-tokens").value), costeer: { profile: name },
    });
    counts.textContent = previewed(told);
    text.textContent = told.text ?? "";
    text.hidden = !told.steered;
  }));
  return make("details", { className: "preview" }, make("summary", {}, "Preview"),
    field("A question", question, "As it would be the first of a chat. What is not saved yet is not in it."), show, counts, text);
}
