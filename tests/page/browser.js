// Pages of a real browser that note whatever they should not do.

import assert from "node:assert/strict";

import { chromium } from "playwright-core";

export function launch(args = []) {
  // Whoever is root in a container has no sandbox.
  return chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox", "--disable-gpu", ...args] });
}

/** A fresh page at `origin`, with all it has said and asked for. `fragment` is what its address ends in. */
export async function open(browser, origin, options = {}, fragment = "") {
  const context = await browser.newContext({ permissions: ["clipboard-read", "clipboard-write"], ...options });
  const page = await context.newPage();
  const noted = { console: [], urls: [], bodies: [] };
  page.on("console", (message) => noted.console.push(message.text()));
  page.on("pageerror", (error) => noted.console.push(String(error)));
  page.on("request", (request) => {
    noted.urls.push(request.url());
    noted.bodies.push(request.postData() ?? "");
  });
  await page.addInitScript(() => {
    globalThis.longest = 0;
    new PerformanceObserver((list) => {
      for (const task of list.getEntries()) globalThis.longest = Math.max(globalThis.longest, task.duration);
    }).observe({ type: "longtask", buffered: true });
    globalThis.violations = [];
    document.addEventListener("securitypolicyviolation", (event) => globalThis.violations.push(event.violatedDirective));
  });
  await page.goto(`${origin}/costeer/${fragment}`);
  return { page, noted, close: () => context.close() };
}

/** Checks what no page at `origin` may do, whatever happens on it. */
export async function didNoHarm({ page, noted }, origin) {
  assert.deepEqual(await page.evaluate(() => globalThis.violations), []);
  const kept = await page.evaluate(async () => [
    localStorage.length, sessionStorage.length, document.cookie, (await indexedDB.databases()).length,
  ]);
  assert.deepEqual(kept, [0, 0, "", 0]);
  for (const url of noted.urls) {
    assert.ok(url.startsWith(origin) || /^(blob|data):/.test(url), url);
    assert.ok(!decodeURIComponent(url).includes("Ziggy") && !decodeURIComponent(url).includes("dinner"), url);
  }
  assert.ok(!noted.console.join("\n").includes("Ziggy"));
}

/** Fills the form in and submits it; resolves when both answers are there. */
export async function ask(page, question, context) {
  await page.fill("#question", question);
  await page.fill("#context", context);
  await page.click("#ask");
  await done(page);
}

/** The newest answer of a side, "plain" or "steered". */
export const newest = (side) => `#turns .turn:last-child .text.${side}`;

/** What has gone wrong with the newest answer of a side, and why it is not steered. */
export const problem = (side) => `#turns .turn:last-child .side:has(.${side}) .error`;
export const reason = (side) => `#turns .turn:last-child .side:has(.${side}) .reason`;

/** Waits until nothing is being answered and the totals are there. */
export async function done(page) {
  await page.waitForFunction(() => document.querySelector("#stop").disabled && document.querySelector("#totals").children.length > 0);
  // Tokens are drawn with the next frame.
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
}

export function steered(page) {
  return page.locator(newest("steered")).innerText();
}
