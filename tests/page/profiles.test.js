// Profiles on the page: made, filled, looked at, changed and deleted, and what hostile names and texts do to it.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { ask, didNoHarm, launch, open, steered } from "./browser.js";
import { pair } from "./servers.js";

const HOSTILE = "<img src=x onerror=globalThis.pwned=1>";

let browser;
let servers;
let folder;

before(async () => {
  servers = await pair();
  browser = await launch();
  folder = mkdtempSync(join(tmpdir(), "costeer-page-"));
});

after(async () => {
  await browser?.close();
  await servers?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs `work` on a fresh page where profiles are shown; no text becomes markup there, whatever it says. */
function onProfiles(name, work, options = {}) {
  test(name, async () => {
    const opened = await open(browser, servers.origin, options);
    const { page, noted, close } = opened;
    try {
      await page.click("#part-profiles");
      await work(page, noted);
      await didNoHarm(opened, servers.origin);
      assert.deepEqual(await page.evaluate(() => [globalThis.pwned ?? null, document.images.length]), [null, 0]);
      for (const url of noted.urls) assert.ok(!/Ziggy|leek|img/.test(decodeURIComponent(url)), url);
    } finally {
      await close();
    }
  });
}

async function make(page, name) {
  await page.fill("#profile-name", name);
  await page.keyboard.press("Enter");
  await page.waitForSelector(`#profile-open h2:text-is("${name}")`);
}

function api(path, method = "GET", body = undefined) {
  const headers = { "content-type": "application/json" };
  return fetch(`${servers.origin}/costeer/v1${path}`, { method, headers, body: body && JSON.stringify(body) });
}

const said = async (name) => (await api(`/profiles/${name}`)).json();
const kept = async (name) => (await (await api(`/profiles/${name}/documents`)).json()).data;

function file(name, text) {
  const path = join(folder, name);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, text);
  return path;
}

/** Waits for what an import came to. */
async function imported(page, pattern) {
  await page.waitForFunction((source) => new RegExp(source).test(document.querySelector(".drop [role=status]")?.textContent), pattern.source);
}

onProfiles("a profile is made and edited, and steers in the chat", async (page) => {
  assert.ok(await page.locator("#no-profiles").isVisible());
  await make(page, "ada");
  await page.getByLabel("Preferences").fill("Be formal.");
  await page.getByLabel("Facts").fill("I am vegan.\nMy dog is called Ziggy.\n  He is old.");
  await page.locator("#profile-open button:text-is('Save')").first().click();
  await page.waitForSelector("text=Saved.");
  const { preferences, facts } = await said("ada");
  assert.deepEqual([preferences, facts], [["Be formal."], ["I am vegan.", "My dog is called Ziggy.\nHe is old."]]);
  assert.match(await page.locator("#profiles").innerText(), /ada[^]*2 facts, 1 preference, 0 documents/);
  // Somebody else's change of what was not touched here stays.
  await api("/profiles/ada", "PATCH", { description: "cook" });
  await page.getByLabel("Facts").fill("I am vegan.\nMy dog is called Ziggy.");
  await page.locator("#profile-open button:text-is('Save')").first().click();
  await page.waitForFunction(async () => (await (await fetch("/costeer/v1/profiles/ada")).json()).facts.length === 2);
  assert.equal((await said("ada")).description, "cook");
  await page.click("text=Use it in the chat");
  assert.equal(await page.inputValue("#profile"), "ada");
  await ask(page, "Can you suggest a dinner?", "");
  assert.match(await steered(page), /Ziggy/);
});

onProfiles("a name that is taken or none is said as the server says it", async (page) => {
  await page.fill("#profile-name", "ada");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#notice:not([hidden])");
  const taken = (await (await api("/profiles", "POST", { name: "ada" })).json()).error.message;
  assert.equal(await page.locator("#notice").innerText(), taken);
  await page.fill("#profile-name", HOSTILE);
  await page.keyboard.press("Enter");
  // It is empty while the server is asked.
  await page.waitForFunction((before) => !["", before].includes(document.querySelector("#notice").textContent), taken);
  assert.match(await page.locator("#notice").innerText(), /letters, digits/);
});

onProfiles("files come in by the button, with what they came to, and again", async (page) => {
  await make(page, "bob");
  const files = [
    file("soup.md", "# Soup\nI made soup with leeks."),
    file("trip.md", `# ${HOSTILE}\nWe went to Oslo with Ziggy.`),
    file(`${HOSTILE.replaceAll("/", "")}.txt`, "A note with a strange name."),
    file("picture.png", "no note"),
    file("broken.jsonl", '{"text": "one"}\n{"text": \n{"text": "two"}\n'),
  ];
  const input = page.locator("input[type=file][aria-label='Files to import']");
  await input.setInputFiles(files);
  await imported(page, /5 of 5 files: 5 added, 0 updated, 0 unchanged, 1 left out, skipped 1 .png/);
  assert.match(await page.locator(".drop ul.error").innerText(), /broken\.jsonl, line 2/);
  assert.equal((await kept("bob")).length, 5);
  assert.match(await page.locator(".documents").innerText(), /<img src=x/);
  assert.match(await page.locator("#profiles").innerText(), /bob[^]*5 documents/);
  // More than are listed at once.
  await make(page, "max");
  const many = file("many.jsonl", Array.from({ length: 60 }, (_, index) => JSON.stringify({ text: `Note ${index}` })).join("\n"));
  await input.setInputFiles(many);
  await imported(page, /1 of 1 file: 60 added/);
  assert.equal(await page.locator(".documents li").count(), 50);
  await page.click("text=Show more");
  await page.waitForFunction(() => document.querySelectorAll(".documents li").length === 60);
  await page.click("#profiles button:text-is('bob')");
  await page.waitForSelector("#profile-open h2:text-is('bob')");
  await input.setInputFiles(files.slice(0, 2));
  await imported(page, /2 of 2 files: 0 added, 0 updated, 2 unchanged/);
});

onProfiles("folders and files are dropped, and beside their place they do not take the page away", async (page) => {
  await make(page, "eve");
  const drop = (selector, name, text) => page.evaluate(async ([selector, name, text]) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([text], name, { type: "text/plain", lastModified: 1714557600000 }));
    for (const kind of ["dragover", "drop"]) {
      document.querySelector(selector).dispatchEvent(new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer: transfer }));
    }
  }, [selector, name, text]);
  await drop(".drop", "dog.txt", "Ziggy sleeps all day.");
  await imported(page, /1 of 1 file: 1 added/);
  const [dog] = await kept("eve");
  assert.deepEqual([dog.title, dog.text, dog.time, dog.key], ["dog", "Ziggy sleeps all day.", "2024-05-01T10:00:00Z", "file:/dog.txt"]);
  await drop("h1", "cat.txt", "There is a cat, too.");
  await imported(page, /1 of 1 file: 1 added/);
  await page.waitForFunction(async () => (await (await fetch("/costeer/v1/profiles/eve/documents")).json()).data.length === 2);
  // A folder, with its places.
  for (const name of ["notes/a.md", "notes/deep/b.md", "notes/.hidden/c.md"]) file(name, `Text of ${name}`);
  await page.locator("input[webkitdirectory]").setInputFiles(join(folder, "notes"));
  await imported(page, /2 of 2 files: 2 added/);
  assert.deepEqual((await kept("eve")).map(({ key }) => key).slice(2).sort(), ["file:/notes/a.md", "file:/notes/deep/b.md"]);
});

onProfiles("documents are searched, opened, changed, added and removed", async (page) => {
  await page.click("#profiles button:text-is('bob')");
  await page.fill("input[type=search]", "What did I cook with leeks?");
  await page.keyboard.press("Enter");
  await page.waitForSelector("text=1 found");
  await page.locator(".documents summary").click();
  const text = page.locator(".documents textarea");
  assert.match(await text.inputValue(), /leeks/);
  await text.fill("I made soup with onions.");
  await page.locator(".documents button:text-is('Save')").click();
  await page.waitForSelector(".documents :text-is('Saved.')");
  const before = await kept("bob");
  assert.equal(before.length, 5);
  assert.ok(before.some(({ text, title }) => text === "I made soup with onions." && title === "Soup"));

  await page.click("text=New note");
  await page.locator(".documents textarea").first().fill("A new thought about Ziggy.");
  await page.locator(".documents button:text-is('Save')").first().click();
  await page.waitForFunction(() => document.querySelectorAll(".documents li").length === 6);

  await page.locator(".documents summary", { hasText: "A new thought" }).click();
  await page.locator(".documents li", { hasText: "A new thought" }).locator("button:text-is('Remove')").click();
  await page.click("dialog button:text-is('Keep it')");
  assert.equal((await kept("bob")).length, 6);
  await page.locator(".documents li", { hasText: "A new thought" }).locator("button:text-is('Remove')").click();
  await page.click("dialog button:text-is('Remove it')");
  await page.waitForFunction(() => document.querySelectorAll(".documents li").length === 5);
  assert.equal((await kept("bob")).length, 5);
});

onProfiles("the preview is what a request would use", async (page) => {
  await page.click("#profiles button:text-is('bob')");
  await page.click(".preview summary");
  await page.getByLabel("A question").fill("Which soup did I make?");
  await page.click("text=Show what the small model would read");
  await page.waitForSelector(".preview pre:not([hidden])");
  const body = { messages: [{ role: "user", content: "Which soup did I make?" }], max_tokens: 256, costeer: { profile: "bob" } };
  const told = await (await api("/preview", "POST", body)).json();
  assert.match(told.text, /onions/);
  assert.equal(await page.locator(".preview pre").textContent(), told.text);
  assert.ok((await page.locator(".preview").innerText()).includes(`${told.tokens} of ${told.budget} tokens`));
});

onProfiles("what is exported comes back, and a profile is deleted only when that was meant", async (page) => {
  await page.click("#profiles button:text-is('bob')");
  const [download] = await Promise.all([page.waitForEvent("download"), page.click("text=Export")]);
  const exported = readFileSync(await download.path(), "utf8");
  assert.equal(download.suggestedFilename(), "bob.jsonl");
  assert.equal(exported.trim().split("\n").length, 6);
  await page.click("#profile-open button:text-is('Delete')");
  await page.keyboard.press("Escape");
  assert.equal((await api("/profiles/bob")).status, 200);
  await page.click("#profile-open button:text-is('Delete')");
  await page.click("dialog button:text-is('Delete it')");
  await page.waitForFunction(() => ![...document.querySelectorAll("#profiles button")].some((button) => button.textContent === "bob"));
  assert.equal((await api("/profiles/bob")).status, 404);
  assert.equal(await page.locator("#profile-open").innerText(), "");
  await page.click("#profiles button:text-is('eve')");
  await page.locator("input[aria-label='Files to import']").setInputFiles({ name: "bob.jsonl", mimeType: "", buffer: Buffer.from(exported) });
  await page.waitForSelector("#profiles button:text-is('bob')");
  assert.equal((await kept("bob")).length, 5);
});

onProfiles("a profile is handled with the keyboard, on a phone", async (page) => {
  await page.focus("#profile-name");
  await page.keyboard.type("kay");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#profile-open h2:text-is('kay')");
  // The focus is at the profile, and each control after it can be reached and seen to have it.
  const reached = [];
  for (let step = 0; step < 14; step += 1) {
    await page.keyboard.press("Tab");
    reached.push(await page.evaluate(() => {
      const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
      return [document.activeElement.textContent || document.activeElement.labels?.[0]?.textContent, outlineStyle === "solid" && outlineWidth !== "0px"];
    }));
  }
  const names = reached.map(([name]) => name).join("|");
  for (const name of ["Use it in the chat", "Export", "Delete", "Description", "Facts", "Save", "Choose files", "Search"]) assert.ok(names.includes(name), `${name}: ${names}`);
  assert.ok(reached.every(([, visible]) => visible), names);
  const nameless = await page.evaluate(() => [...document.querySelectorAll("#profiles-part :is(input, select, textarea, button)")]
    .filter((control) => !control.labels?.length && !control.getAttribute("aria-label") && !control.textContent.trim()).map((control) => control.outerHTML));
  assert.deepEqual(nameless, []);
  const [wide, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(wide <= window, `${wide} > ${window}`);
}, { viewport: { width: 360, height: 740 } });
