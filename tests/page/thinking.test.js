// The page where the big model thinks.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { ask, launch, newest, open } from "./browser.js";
import { pair } from "./servers.js";

const THOUGHT = "They want a dinner. I could say soup.";

const STEERED = newest("steered");

let browser;
let servers;

before(async () => {
  const marks = { COSTEER__UPSTREAM__THINKING_MARKERS: "<think>,</think>" };
  servers = await pair(marks, ["--thought", `<think>\n${THOUGHT}\n</think>\n\n`]);
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await servers?.stop();
});

test("reasoning is folded above the steered answer", async () => {
  const { page, noted, close } = await open(browser, servers.origin);
  await ask(page, "Can you suggest a dinner?", "I am vegan. My dog is called Ziggy.");
  const shown = await page.locator(STEERED).innerText();
  assert.match(shown, /Ziggy/);
  assert.match(shown, /Reasoning/);
  assert.ok(!shown.includes("They want"), shown);
  // What can be reached with Tab is a token of the answer.
  assert.equal(await page.locator(`${STEERED} > [tabindex='0']`).count(), 1);
  await page.locator(`${STEERED} .thought summary`).click();
  assert.ok((await page.locator(`${STEERED} .thought`).innerText()).includes(THOUGHT));
  assert.equal(await page.locator(`${STEERED} .thought .changed`).count(), 0);
  assert.match(await page.locator("#totals").innerText(), /reasoning/);
  assert.deepEqual(await page.evaluate(() => globalThis.violations), []);
  assert.deepEqual(noted.console, []);
  await close();
});
