// The list of profiles, and the one that is open.

import { profiles } from "./api.js";
import { Documents } from "./documents.js";
import { at, button, counted, download, make, sure } from "./dom.js";
import { Importer } from "./importer.js";
import { showProfile } from "./profile.js";

/** The name and the documents of the one that is open. */
let open = null;
let history = null;
let tell = () => {};
let importer = null;

/** Runs what the server may refuse, and says so. What was said before is over, unless it is `said` just now. */
async function tried(work, said = false) {
  if (!said) tell(null);
  try {
    return await work();
  } catch (error) {
    if (error.name !== "AbortError") tell(error);
    return undefined;
  }
}

function line({ name, facts, preferences, documents }) {
  const counts = [counted(facts, "fact"), counted(preferences, "preference"), counted(documents, "document")].join(", ");
  const opener = button(name, () => tried(() => show(name)));
  opener.setAttribute("aria-pressed", String(name === open));
  return make("li", {}, opener, make("small", {}, counts));
}

/** Lists them, here and where one is chosen for a chat. */
export async function listProfiles() {
  const found = await profiles.list();
  const chosen = at("profile").value;
  const options = found.map(({ name, facts, documents }) => new Option(`${name} (${counted(facts, "fact")}, ${counted(documents, "document")})`, name));
  at("profile").replaceChildren(new Option("none", ""), ...options);
  at("profile").value = found.some(({ name }) => name === chosen) ? chosen : "";
  at("profile-field").hidden = found.length === 0;
  at("profiles").replaceChildren(...found.map(line));
  at("no-profiles").hidden = found.length > 0;
  if (open && !found.some(({ name }) => name === open)) close();
}

function close() {
  open = null;
  at("profile-open").replaceChildren();
  importer?.into(null);
}

async function show(name) {
  const profile = await profiles.show(name);
  open = name;
  for (const opener of at("profiles").querySelectorAll("button")) opener.setAttribute("aria-pressed", String(opener.textContent === name));
  history = new Documents(name, tried, listProfiles);
  importer.into(name);
  const tools = make("div", { className: "row" },
    button("Use it in the chat", () => {
      at("profile").value = name;
      at("profile").dispatchEvent(new Event("change"));
      at("part-chat").click();
    }),
    button("Export", () => tried(async () => download(`${name}.jsonl`, await profiles.exported(name), "application/x-ndjson"))),
    button("Delete", () => remove(name)));
  const heading = make("h2", { tabIndex: -1 }, name);
  at("profile-open").replaceChildren(heading, tools, showProfile(profile, tried, listProfiles), importer.element, history.element);
  heading.focus();
  await history.list();
}

async function remove(name) {
  if (!(await sure(`Delete the profile ${name} with all its documents? It cannot be brought back.`, "Delete it"))) return;
  await tried(() => profiles.remove(name));
  // It may be gone although something is to be said about it.
  await tried(listProfiles, true);
  at("profile-name").focus();
}

/** Begins to listen. `told` shows what went wrong. */
export function listen(told) {
  tell = told;
  importer = new Importer(async (told) => {
    await tried(listProfiles);
    if (told.has(open)) await tried(() => show(open));
    else if (open) await tried(() => history.list());
  });
  at("profile-make").addEventListener("submit", (event) => {
    event.preventDefault();
    const name = at("profile-name").value.trim();
    tried(async () => {
      await profiles.make(name);
      at("profile-name").value = "";
      await listProfiles();
      await show(name);
    });
  });
  document.addEventListener("dragover", (event) => event.preventDefault());
  // Whatever is dropped beside its place must not take this page away.
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    if (open && !at("profiles-part").hidden) importer.dropped(event.dataTransfer);
  });
}
