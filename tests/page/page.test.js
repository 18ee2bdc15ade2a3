// The page in a real browser, in front of the real binary and the pair that ships.

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { ask, didNoHarm, done, launch, newest, open, problem, reason, steered } from "./browser.js";
import { makeAda, pair } from "./servers.js";

const QUESTION = "Can you suggest a dinner?";
const CONTEXT = "I am vegan. I live in Trondheim. My dog is called Ziggy. Keep it casual with me.";
const FIRST_TOKEN_WITHIN = 300;
const LONGEST_TASK = 200;
const screenshots = process.env.COSTEER_SCREENSHOTS;
const STEERED = newest("steered");
const PLAIN = newest("plain");

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

/** Runs `work` on a fresh page, and checks what no page may do whatever happens on it. */
function onPage(name, work, options = {}) {
  test(name, async () => {
    const opened = await open(browser, servers.origin, options);
    try {
      await work(opened.page, opened);
      await didNoHarm(opened, servers.origin);
    } finally {
      await opened.close();
    }
  });
}

onPage("both answers stream side by side, and tokens show what they were picked from", async (page) => {
  await ask(page, QUESTION, CONTEXT);
  assert.match(await steered(page), /Ziggy/);
  assert.match(await page.locator(PLAIN).innerText(), /dinner/);
  assert.doesNotMatch(await page.locator(PLAIN).innerText(), /Ziggy/);
  assert.ok(await page.locator(`${STEERED} .changed`).count() > 3);
  assert.ok(await page.locator(`${STEERED} [class*=towards]`).count() > 3);
  await page.locator(`${STEERED} .changed`).first().hover();
  assert.match(await page.locator("#candidates").innerText(), /instead of/);
  assert.ok(await page.locator("#candidates tbody tr").count() > 5);
  assert.equal(await page.locator("#candidates tr.picked").count(), 1);
  assert.ok(await page.locator("#strip canvas").isVisible());
  assert.match(await page.locator("#totals").innerText(), /changed by steering/);
  if (screenshots) {
    await page.setViewportSize({ width: 1100, height: 1300 });
    await page.screenshot({ path: `${screenshots}/page-light.png` });
    await page.emulateMedia({ colorScheme: "dark" });
    await page.waitForTimeout(300);
    await page.screenshot({ path: `${screenshots}/page-dark.png` });
  }
});

onPage("everything works with the keyboard", async (page) => {
  await page.focus("#context");
  await page.keyboard.type(CONTEXT);
  for (let step = 0; step < 20 && await page.evaluate(() => document.activeElement.id) !== "question"; step += 1) await page.keyboard.press("Tab");
  await page.keyboard.type("Can you");
  await page.keyboard.press("Shift+Enter");
  await page.keyboard.type("suggest a dinner?");
  await page.keyboard.press("Enter");
  await done(page);
  await page.locator(`${STEERED} [tabindex='0']`).focus();
  const first = await page.locator("#candidates").innerText();
  assert.match(first, /Token 1:/);
  await page.keyboard.press("ArrowRight");
  assert.match(await page.locator("#candidates").innerText(), /Token 2:/);
  await page.keyboard.press("End");
  assert.doesNotMatch(await page.locator("#candidates").innerText(), /Token 2:/);
  await page.keyboard.press("Home");
  assert.equal(await page.locator("#candidates").innerText(), first);
  assert.equal(await page.locator(`${STEERED} [tabindex='0']`).count(), 1);
});

onPage("another strength is another answer", async (page) => {
  await ask(page, QUESTION, CONTEXT);
  const strong = await steered(page);
  const asked = page.waitForRequest((request) => request.url().endsWith("/v1/chat/completions"));
  await page.locator("#strength").fill("0");
  await page.locator("#strength").dispatchEvent("change");
  assert.equal(JSON.parse((await asked).postData()).costeer.strength, 0);
  await page.waitForFunction(() => document.querySelector("#totals").children.length === 0);
  await done(page);
  assert.notEqual(await steered(page), strong);
  assert.equal((await steered(page)), await page.locator(PLAIN).innerText());
  assert.equal(await page.locator("#strength-number").inputValue(), "0");
});

onPage("nothing is left after a reload", async (page) => {
  await ask(page, QUESTION, CONTEXT);
  await page.reload();
  assert.equal(await page.inputValue("#context"), "");
  assert.equal(await page.inputValue("#question"), "");
  assert.equal(await page.locator("#turns").innerText(), "");
});

onPage("a saved trace is the same picture, and does not hold the context", async (page) => {
  await ask(page, QUESTION, CONTEXT);
  const picture = () => page.locator(STEERED).innerHTML();
  const seen = await picture();
  const [download] = await Promise.all([page.waitForEvent("download"), page.click("#save")]);
  const saved = await readFile(await download.path(), "utf8");
  assert.ok(!saved.includes("I am vegan") && !saved.includes(QUESTION));
  await page.reload();
  await page.setInputFiles("#file", { name: "trace.json", mimeType: "application/json", buffer: Buffer.from(saved) });
  await page.waitForSelector(`${STEERED} span`);
  assert.equal(await picture(), seen);
  await page.setInputFiles("#file", { name: "no.json", mimeType: "application/json", buffer: Buffer.from("{}") });
  await page.waitForSelector("#notice:not([hidden])");
  assert.match(await page.locator("#notice").innerText(), /no trace/);
  assert.equal(await picture(), seen);
});

onPage("a profile steers, and shows what the small model is told", async (page) => {
  await page.waitForSelector("#profile-field:not([hidden])");
  await page.selectOption("#profile", "ada");
  await page.fill("#question", QUESTION);
  await page.locator("#told summary").click();
  await page.waitForFunction(() => document.querySelector("#told-text").textContent.includes("Ziggy"));
  assert.match(await page.locator("#told-counts").innerText(), /tokens/);
  await page.click("#ask");
  await done(page);
  assert.match(await steered(page), /Ziggy/);
});

onPage("mistakes are told where they matter", async (page) => {
  await page.fill("#question", QUESTION);
  await page.click("#ask");
  await page.waitForSelector(`${reason("steered")}:not([hidden])`);
  assert.match(await page.locator(reason("steered")).innerText(), /Not steered: .*context.*profile/);
  await page.waitForFunction(() => document.querySelector("#stop").disabled);
  assert.equal(await steered(page), await page.locator(PLAIN).innerText());
  await page.fill("#question", QUESTION);
  await page.fill("#context", CONTEXT);
  await page.locator("#strength-number").fill("1000");
  await page.click("#ask");
  assert.equal(await page.locator("#strength-number:invalid").count(), 1);
  await page.locator("#strength-number").fill("1");
  await page.evaluate(() => {
    document.querySelector("#profile").append(new Option("nobody", "nobody"));
    document.querySelector("#profile-field").hidden = false;
  });
  await page.selectOption("#profile", "nobody");
  await page.click("#ask");
  await page.waitForSelector(`${problem("steered")}:not([hidden])`);
  assert.match(await page.locator(problem("steered")).innerText(), /nobody/);
});

test("a key is asked for, and kept in memory alone", async () => {
  const keyed = await pair({ COSTEER__SERVER__API_KEY: "open sesame" });
  const { page, close } = await open(browser, keyed.origin);
  try {
    await page.waitForSelector("#notice:not([hidden])");
    assert.ok(await page.locator("#key").isVisible());
    await page.fill("#key", "open sesame");
    await ask(page, QUESTION, CONTEXT);
    assert.match(await steered(page), /Ziggy/);
  } finally {
    await close();
    await keyed.stop();
  }
});

test("a big model that is down is said, and the page goes on", async () => {
  const own = await pair();
  const { page, close } = await open(browser, own.origin);
  try {
    await ask(page, QUESTION, CONTEXT);
    await own.killUpstream();
    await page.fill("#question", QUESTION);
    await page.click("#ask");
    await page.waitForSelector(`${problem("steered")}:not([hidden])`, { timeout: 60_000 });
    assert.match(await page.locator(problem("steered")).innerText(), /127\.0\.0\.1/);
    await page.waitForFunction(() => document.querySelector("#stop").disabled);
  } finally {
    await close();
    await own.stop();
  }
});

onPage("a question can be taken elsewhere", async (page) => {
  await page.fill("#question", "What's for \"dinner\"?");
  await page.fill("#context", "I'm vegan.");
  await page.click("#copy-curl");
  await page.waitForFunction(() => document.querySelector("#status").textContent === "Copied.");
  const curl = await page.evaluate(() => navigator.clipboard.readText());
  assert.ok(curl.includes(`curl -sN ${servers.origin}/v1/chat/completions`) && curl.includes("costeer explain"));
  const body = /-d '(.*)' \| costeer/s.exec(curl)[1].replaceAll("'\\''", "'");
  assert.equal(JSON.parse(body).costeer.context, "I'm vegan.");
  await page.click("#copy-python");
  await page.waitForFunction(async () => (await navigator.clipboard.readText()).includes("import"));
  const python = await page.evaluate(() => navigator.clipboard.readText());
  assert.ok(python.includes('extra_body={"costeer": {"context": "I\'m vegan.", "strength": 1, "trace": True}}'), python);
});

onPage("every control has a name, and nothing is wider than a phone", async (page) => {
  await ask(page, QUESTION, CONTEXT);
  await page.locator("#more summary").click();
  await page.locator(`${STEERED} .changed`).first().hover();
  const nameless = await page.evaluate(() => [...document.querySelectorAll("input, select, textarea, button")]
    .filter((control) => !control.labels?.length && !control.getAttribute("aria-label") && !control.textContent.trim())
    .map((control) => control.outerHTML));
  assert.deepEqual(nameless, []);
  const [wide, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(wide <= window, `${wide} > ${window}`);
  if (screenshots) await page.screenshot({ path: `${screenshots}/page-phone.png` });
}, { viewport: { width: 360, height: 740 } });

/** The contrast of two colours as WCAG 2.2 defines it. */
function contrast(one, other) {
  const light = (colour) => {
    const [red, green, blue] = colour.match(/[\d.]+/g).map((part) => {
      const share = Number(part) / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const [low, high] = [light(one), light(other)].sort((left, right) => left - right);
  return (high + 0.05) / (low + 0.05);
}

for (const colorScheme of ["light", "dark"]) {
  onPage(`text can be read on every colour (${colorScheme})`, async (page) => {
    const pairs = await page.evaluate(() => {
      const body = getComputedStyle(document.body);
      const found = [];
      for (const name of ["towards", "away"]) {
        for (const depth of [1, 2, 3, 4]) {
          const span = document.createElement("span");
          span.className = `${name}-${depth}`;
          document.querySelector("#chat-part").append(span);
          found.push([body.color, getComputedStyle(span).backgroundColor]);
          span.remove();
        }
      }
      for (const selector of ["small", "header p", "h1"]) found.push([getComputedStyle(document.querySelector(selector)).color, body.backgroundColor]);
      return found;
    });
    for (const [ink, ground] of pairs) assert.ok(contrast(ink, ground) >= 4.5, `${ink} on ${ground}`);
  }, { colorScheme });
}

test("the first steered token is on the screen at once", async () => {
  const times = [];
  for (let round = 0; round < 7; round += 1) {
    const { page, close } = await open(browser, servers.origin);
    await page.fill("#question", QUESTION);
    await page.fill("#context", CONTEXT);
    await page.waitForLoadState("networkidle");
    await page.evaluate(() => {
      globalThis.firstToken = new Promise((resolve) => {
        document.querySelector("#form").addEventListener("submit", () => {
          const began = performance.now();
          const observer = new MutationObserver(() => {
            observer.disconnect();
            requestAnimationFrame(() => resolve(performance.now() - began));
          });
          observer.observe(document.querySelector("#turns .text.steered"), { childList: true });
        }, { once: true });
      });
    });
    await page.click("#ask");
    times.push(await page.evaluate(() => globalThis.firstToken));
    await done(page);
    await close();
  }
  times.sort((left, right) => left - right);
  const median = times[times.length >> 1];
  console.log(`first steered token: ${Math.round(median)} ms (median of ${times.length}; longest ${Math.round(times.at(-1))})`);
  assert.ok(median <= FIRST_TOKEN_WITHIN);
});

function longTrace(length) {
  const words = ["vegan", " dinner", " the", " tofu", ".\n", " Ziggy"];
  const positions = Array.from({ length }, (_, index) => {
    const candidates = Array.from({ length: 20 }, (_, rank) => ({
      id: 20 * index + rank, text: words[(index + rank) % words.length], logprob: -rank - 0.123456789, delta: 1.23456789 - rank,
      shift: 7 * Math.sin(index / 9) - rank, score: 1 - rank, probability: 0.5 ** (rank + 1), noise: 0,
    }));
    const text = candidates[0].text;
    return {
      position: index, id: candidates[0].id, text, bytes: [...Buffer.from(text)], steered: true, request: 1 + (index >> 4), candidates,
      upstream: { id: candidates[index % 3].id, text: candidates[index % 3].text }, certainty: index % 50 ? "certified" : "uncertified",
      seconds: { at: index / 80, upstream_wait: 0.01, local_wait: 0.001, local_compute: 0.006, arithmetic: 0.0001 },
    };
  });
  return JSON.stringify({ object: "costeer.trace", version: 1, index: 0, settings: {}, positions, report: null });
}

onPage("calls of tools and forced tokens are shown as what they are", async (page) => {
  const trace = JSON.parse(longTrace(8));
  const phases = ["prose", "undecided", "call", "call", "undecided", "prose", "prose", "undecided"];
  trace.positions.forEach((position, index) => {
    const phase = phases[index];
    const text = index < 3 ? ["Well. ", "<tool", "_call>{"][index] : position.text;
    const own = phase === "call" || phase === "undecided";
    Object.assign(position, { phase, text, bytes: [...Buffer.from(text)], steered: !own && index !== 6, forced: index === 6 });
  });
  await page.setInputFiles("#file", { name: "calls.json", mimeType: "application/json", buffer: Buffer.from(JSON.stringify(trace)) });
  await page.waitForFunction(() => document.querySelectorAll("#turns .text.steered span").length === 8);
  // A mark goes with what it begins, and one that began nothing is text.
  assert.equal(await page.locator(`${STEERED} .call`).count(), 1);
  assert.equal(await page.locator(`${STEERED} .call span`).count(), 3);
  assert.ok((await page.locator(`${STEERED} .call`).textContent()).startsWith("<tool_call>{"));
  assert.equal(await page.locator(`${STEERED} .call .changed`).count(), 0);
  assert.equal(await page.locator(`${STEERED} .forced`).count(), 1);
  await page.locator(`${STEERED} .call span`).last().hover();
  assert.match(await page.locator("#candidates").innerText(), /a call of a tool is the big model's own/);
  await page.locator(`${STEERED} .forced`).hover();
  assert.match(await page.locator("#candidates").innerText(), /forced: the answer's format leaves no other token/);
  assert.deepEqual(await page.locator(`${STEERED} span`).allTextContents(), trace.positions.map(({ text }) => text));
});

onPage("2,000 tokens stay smooth", async (page) => {
  await page.waitForLoadState("networkidle");
  const folder = await mkdtemp(join(tmpdir(), "costeer-page-"));
  const file = join(folder, "long.json");
  const trace = longTrace(2000);
  // As a file of the disk, like a person's: handing the text over would be a long task of the test's own.
  await writeFile(file, trace);
  await page.evaluate(() => { globalThis.longest = 0; });
  await page.setInputFiles("#file", file);
  await page.waitForFunction(() => document.querySelectorAll("#turns .text.steered span").length === 2000);
  await page.waitForSelector("#strip canvas");
  for (let index = 0; index < 2000; index += 100) await page.locator(`${STEERED} span`).nth(index).hover();
  for (let step = 0; step < 20; step += 1) await page.mouse.wheel(0, step < 10 ? 400 : -400);
  await page.locator("#strip").hover();
  await page.locator(`${STEERED} span`).first().focus();
  for (let step = 0; step < 30; step += 1) await page.keyboard.press("ArrowRight");
  await page.waitForTimeout(500);
  const longest = await page.evaluate(() => globalThis.longest);
  console.log(`2,000 tokens, ${(trace.length / 1e6).toFixed(1)} MB: longest task ${Math.round(longest)} ms`);
  await rm(folder, { recursive: true });
  assert.ok(longest <= LONGEST_TASK);
});
