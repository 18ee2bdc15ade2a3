// A chat of several turns, with two histories, and the line about the proxy.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { ask, didNoHarm, done, launch, newest, open, reason } from "./browser.js";
import { makeAda, pair } from "./servers.js";

const CONTEXT = "I am vegan. I live in Trondheim. My dog is called Ziggy. Keep it casual with me.";

let browser;
let servers;

before(async () => {
  servers = await pair();
  browser = await launch();
  await makeAda(servers.origin);
});

after(async () => {
  await browser?.close();
  await servers?.stop();
});

function onPage(name, work) {
  test(name, async () => {
    const opened = await open(browser, servers.origin);
    const { page, noted, close } = opened;
    try {
      // What the model is called comes first.
      await page.waitForFunction(() => document.querySelector("#state").textContent.includes("Big model: llm"));
      await work(page, noted);
      await didNoHarm(opened, servers.origin);
    } finally {
      await close();
    }
  });
}

/** Bodies of the chats that were asked for since `from`, by side. */
function asked(noted, from = 0) {
  const bodies = noted.bodies.filter((_, index) => noted.urls[index].endsWith("/v1/chat/completions")).slice(from).map((body) => JSON.parse(body));
  return { plain: bodies.find(({ model }) => model.endsWith("@plain")), steered: bodies.find(({ model }) => !model.endsWith("@plain")) };
}

onPage("each side goes on with what was said there", async (page, noted) => {
  await ask(page, "Can you suggest a dinner?", CONTEXT);
  const answers = {};
  for (const side of ["plain", "steered"]) answers[side] = await page.locator(newest(side)).textContent();
  assert.notEqual(answers.plain, answers.steered);
  await page.fill("#question", "And for tomorrow?");
  await page.keyboard.press("Enter");
  await done(page);
  assert.equal(await page.locator("#turns .turn").count(), 2);
  const second = asked(noted, 2);
  for (const side of ["plain", "steered"]) {
    const { messages } = second[side];
    assert.deepEqual(messages.map(({ role }) => role), ["user", "assistant", "user"]);
    // What ends the turn is shown behind it, and is no text of it.
    assert.ok(answers[side].startsWith(messages[1].content) && messages[1].content.length > 5, side);
    assert.equal(messages[2].content, "And for tomorrow?");
  }
  assert.ok(!JSON.stringify(second.plain).includes("Ziggy"));
  // The trace of an older turn is still there to be looked at.
  await page.locator("#turns .turn:first-child .text.steered .changed").first().hover();
  assert.match(await page.locator("#candidates").innerText(), /instead of/);
  await page.click("#new");
  assert.equal(await page.locator("#turns .turn").count(), 0);
  await ask(page, "Can you suggest a dinner?", CONTEXT);
  assert.equal(asked(noted, 4).steered.messages.length, 1);
});

onPage("what is marked as private steers one side and reaches nobody at the other", async (page, noted) => {
  await ask(page, "Can you suggest a dinner? <private>My dog is called Ziggy.</private>", "");
  assert.match(await page.locator(newest("steered")).innerText(), /Ziggy/);
  assert.doesNotMatch(await page.locator(newest("plain")).innerText(), /Ziggy/);
  assert.ok(asked(noted).plain);
  assert.ok(await page.locator(reason("plain")).isHidden());
});

onPage("an answer that was not steered says why", async (page) => {
  await fetch(`${servers.origin}/costeer/v1/profiles`, { method: "POST", headers: { "content-type": "application/json" }, body: '{"name": "blank"}' });
  await page.reload();
  await page.waitForSelector("#profile option[value=blank]", { state: "attached" });
  await page.selectOption("#profile", "blank");
  await page.fill("#question", "Can you suggest a dinner?");
  await page.click("#ask");
  await page.waitForSelector(`${reason("steered")}:not([hidden])`);
  assert.equal(await page.locator(reason("steered")).innerText(), "Not steered: there is nothing private to steer by.");
  await page.waitForFunction(() => document.querySelector("#stop").disabled);
  assert.match(await page.locator(newest("steered")).innerText(), /dinner/);
});

onPage("an answer is stopped, and the chat goes on", async (page, noted) => {
  await page.fill("#context", CONTEXT);
  await page.fill("#question", "Can you suggest a dinner?");
  await page.click("#ask");
  await page.waitForSelector(`${newest("steered")} span`);
  assert.equal(await page.locator(newest("steered")).getAttribute("aria-live"), "polite");
  if (await page.locator("#stop").isEnabled()) await page.click("#stop");
  await page.waitForFunction(() => document.querySelector("#stop").disabled);
  assert.equal(await page.locator(newest("steered")).getAttribute("aria-busy"), "false");
  await page.fill("#question", "And for tomorrow?");
  await page.click("#ask");
  await done(page);
  const { messages } = asked(noted, 2).steered;
  assert.equal(messages.at(-1).content, "And for tomorrow?");
  // Never two questions in a row.
  messages.forEach(({ role }, index) => assert.equal(role, index % 2 ? "assistant" : "user"));
});

onPage("what the small model is told is what the next request has, the chat included", async (page) => {
  await page.selectOption("#profile", "ada");
  await ask(page, "Can you suggest a dinner?", "I live in Trondheim.");
  await page.fill("#question", "What about my dog?");
  const [request] = await Promise.all([page.waitForRequest(/\/costeer\/v1\/preview$/), page.click("#told summary")]);
  await page.waitForFunction(() => document.querySelector("#told-text").textContent.includes("Ziggy"));
  assert.match(await page.locator("#told-text").textContent(), /Trondheim/);
  const previewed = JSON.parse(request.postData());
  const [sent] = await Promise.all([
    page.waitForRequest((one) => one.url().endsWith("/v1/chat/completions") && one.postData().includes("trace")), page.click("#ask"),
  ]);
  assert.deepEqual(JSON.parse(sent.postData()), previewed);
  await done(page);
});

onPage("a line says what the models are, how long they are waited for, and when they are gone", async (page) => {
  assert.match(await page.locator("#state").innerText(), /^Ready\. Big model: llm at .*\. Small model: slm\.$/);
  await ask(page, "Can you suggest a dinner?", CONTEXT);
  await page.waitForFunction(() => /waits [\d.]+ ms .* and [\d.]+ ms/.test(document.querySelector("#waiting").textContent), null, { timeout: 10_000 });
});

test("a big model that is gone shows in the line", async () => {
  const own = await pair();
  const { page, close } = await open(browser, own.origin);
  try {
    await page.waitForFunction(() => document.querySelector("#state").textContent.startsWith("Ready."));
    await own.killUpstream();
    await fetch(`${own.origin}/v1/models`);
    await page.waitForFunction(() => document.querySelector("#state").textContent.startsWith("Not ready:"), null, { timeout: 30_000 });
  } finally {
    await close();
    await own.stop();
  }
});
