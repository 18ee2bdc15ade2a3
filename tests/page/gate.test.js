// What other people's pages, and an upstream that attacks, get out of the proxy in a real browser: nothing. And what a person gets with the
// token.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { ask, launch, open, steered } from "./browser.js";
import { hostile, relay } from "./others.js";
import { bigModel, makeAda, proxy } from "./servers.js";

const QUESTION = "Can you suggest a dinner?";
const CONTEXT = "I am vegan. I live in Trondheim. My dog is called Ziggy. Keep it casual with me.";
const ELSEWHERE = "http://other.example/start";
const BY_PROFILE = JSON.stringify({ messages: [{ role: "user", content: QUESTION }], costeer: { profile: "ada" } });
/** Milliseconds in which what should not happen would have happened. */
const MEANWHILE = 500;

let browser;
let upstream;
let front;

before(async () => {
  // Names that lead to this machine, as a name does after DNS rebinding. Chromium's own checks of pages that call this machine
  // (Local Network Access) are off: other browsers have none.
  browser = await launch([
    "--host-resolver-rules=MAP evil.example 127.0.0.1, MAP other.example 127.0.0.1",
    "--disable-features=LocalNetworkAccessChecks,LocalNetworkAccessChecksWebRTC,BlockInsecurePrivateNetworkRequests",
  ]);
  upstream = await hostile();
  front = await proxy(upstream.origin, { COSTEER__UPSTREAM__DRIVER: "vllm" });
  await makeAda(front.origin);
});

after(async () => {
  await browser?.close();
  await front?.stop();
  await upstream?.stop();
});

/** A page at `address` whose HTML comes from here. */
async function pageAt(context, address, body = "") {
  const page = await context.newPage();
  await page.route(address, (route) => route.fulfill({ contentType: "text/html", body: `<!doctype html><title>elsewhere</title>${body}` }));
  await page.goto(address);
  // While anything is routed, Playwright answers preflights itself.
  await page.unroute(address);
  return page;
}

function frame(page, address) {
  return page.evaluate((src) => document.body.append(Object.assign(document.createElement("iframe"), { src })), address);
}

function workers(page) {
  return page.evaluate(async () => (await navigator.serviceWorker.getRegistrations()).map(({ scope }) => scope));
}

/** The proxy's page at `origin` is still its own, and nothing stands before it. */
async function checkOwnPage(context, origin) {
  const page = await context.newPage();
  await page.goto(`${origin}/costeer/`);
  assert.equal(await page.title(), "CoSteer proxy");
  assert.deepEqual(await workers(page), []);
}

/**
 * Runs `work` in a fresh context of the browser, for which the proxy is at `wire`: a relay with the headers as `change` leaves them.
 * Afterwards no service worker stands before the proxy, and the upstream knows nothing private and was asked for nothing but `harmless`.
 */
function attack(name, work, { change, harmless = [] } = {}) {
  test(name, async () => {
    const context = await browser.newContext();
    const wire = await relay(front.origin, change);
    const earlier = upstream.seen.length;
    try {
      await work(context, wire);
      await new Promise((resolve) => setTimeout(resolve, MEANWHILE));
      const asked = upstream.seen.slice(earlier);
      assert.doesNotMatch(JSON.stringify(asked), /Ziggy|vegan/);
      // The proxy itself looks whether its upstream is well.
      const usual = ["GET /v1/models", ...harmless];
      assert.deepEqual(asked.map(({ what }) => what).filter((what) => !usual.includes(what)), []);
      await checkOwnPage(context, wire.origin);
    } finally {
      await context.close();
      await wire.stop();
    }
  });
}

test("the upstream's page does what it wants on its own origin, and programs reach the upstream", async () => {
  // So that nothing below passes only because nothing works.
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${upstream.origin}/v1/hello`);
  await page.waitForFunction(() => document.title === "done");
  assert.deepEqual(await workers(page), [`${upstream.origin}/`]);
  await context.close();
  await fetch(`${front.origin}/v1/embeddings`, { method: "POST", headers: { "content-type": "application/json" }, body: '{"input": "a program"}' });
  assert.equal(upstream.seen.filter(({ what }) => what === "POST /v1/embeddings").length, 2);
});

attack("a link to a page of the upstream leads nowhere", async (context, wire) => {
  const address = `${wire.origin}/v1/hello`;
  const page = await pageAt(context, ELSEWHERE, `<a href="${address}">cute cats</a>`);
  const [answer] = await Promise.all([page.waitForResponse(address), page.click("a")]);
  assert.equal(answer.status(), 403);
  await page.waitForTimeout(MEANWHILE);
  assert.equal(await page.title(), "");
  // Nor does its address, typed in.
  assert.equal((await (await context.newPage()).goto(address)).status(), 403);
});

attack("a page of the upstream cannot be framed", async (context, wire) => {
  const page = await pageAt(context, ELSEWHERE);
  const answered = page.waitForResponse(`${wire.origin}/v1/hello`);
  await frame(page, `${wire.origin}/v1/hello`);
  assert.equal((await answered).status(), 403);
});

// Safari before 16.4 does not say what a request is for (Fetch Metadata).
const withoutMetadata = (headers) => {
  for (const name of Object.keys(headers)) if (name.startsWith("sec-fetch-")) delete headers[name];
};

attack("a browser that does not say that it navigates runs nothing of the upstream's", async (context, wire) => {
  const address = `${wire.origin}/v1/hello`;
  const page = await context.newPage();
  const answer = await page.goto(address);
  assert.equal(answer.status(), 200);
  assert.match(answer.headers()["content-security-policy"], /^sandbox;/);
  await page.waitForTimeout(MEANWHILE);
  assert.equal(await page.title(), "waiting");
  const framing = await pageAt(context, ELSEWHERE);
  await frame(framing, address);
  await framing.waitForTimeout(MEANWHILE);
  assert.ok(!(await Promise.all(framing.frames().map((inner) => inner.title()))).includes("waiting"));
}, { change: withoutMetadata, harmless: ["GET /v1/hello"] });

attack("a script of the upstream's cannot stand before the proxy's page", async (context, wire) => {
  const page = await context.newPage();
  await page.goto(`${wire.origin}/costeer/`);
  const outcome = await page.evaluate(() => navigator.serviceWorker.register("/v1/sw.js", { scope: "/" }).then(() => "registered", () => "refused"));
  assert.equal(outcome, "refused");
}, { harmless: ["GET /v1/sw.js"] });

attack("a page whose name is given this machine's address gets nothing", async (context, wire) => {
  const { port } = new URL(wire.origin);
  const page = await pageAt(context, `http://evil.example:${port}/start`);
  const statuses = await page.evaluate(async (body) => {
    const json = { method: "POST", headers: { "content-type": "application/json" }, body };
    const asked = [fetch("/costeer/v1/profiles"), fetch("/v1/chat/completions", json), fetch("/v1/models"), fetch("/metrics"), fetch("/costeer/")];
    return (await Promise.all(asked)).map(({ status }) => status);
  }, BY_PROFILE);
  assert.deepEqual(statuses, [403, 403, 403, 403, 403]);
  assert.ok(wire.seen.every(({ headers }) => headers.host === `evil.example:${port}`));
});

attack("a form of another page reaches nobody", async (context, wire) => {
  // Its one field, written as name=value, makes JSON of it.
  const name = `${BY_PROFILE.slice(0, -1)},"user":"`;
  const form = `<form method="post" enctype="text/plain" action="${wire.origin}/v1/chat/completions"><input name='${name}' value='"}'></form>`;
  const page = await pageAt(context, ELSEWHERE, form);
  const answered = page.waitForResponse((answer) => answer.url().startsWith(wire.origin));
  await page.evaluate(() => document.forms[0].submit());
  const answer = await answered;
  assert.equal(answer.status(), 403);
  assert.deepEqual(JSON.parse(answer.request().postData()).costeer, { profile: "ada" });
});

attack("another page cannot call without asking, nor after asking", async (context, wire) => {
  const page = await pageAt(context, ELSEWHERE);
  const failed = await page.evaluate(async ({ origin, body }) => {
    const json = { "content-type": "application/json" };
    const asked = [
      fetch(`${origin}/v1/chat/completions`, { method: "POST", mode: "no-cors", body }),
      fetch(`${origin}/v1/chat/completions`, { method: "POST", body }),
      fetch(`${origin}/v1/chat/completions`, { method: "POST", headers: json, body }),
      fetch(`${origin}/v1/models`, { mode: "no-cors" }),
      fetch(`${origin}/costeer/v1/profiles`),
    ];
    return (await Promise.allSettled(asked)).map(({ status }) => status);
  }, { origin: wire.origin, body: BY_PROFILE });
  assert.deepEqual(failed, Array(5).fill("rejected"));
  const came = wire.seen.map(({ what, status }) => `${what} ${status}`).sort();
  assert.deepEqual(came, [
    "GET /costeer/v1/profiles 403", "GET /v1/models 403", "OPTIONS /v1/chat/completions 403", "POST /v1/chat/completions 403",
    "POST /v1/chat/completions 403",
  ]);
});

/** A pair behind a relay that says for whom it asks, and with another before the big model; `work` gets the address with the token. */
async function relayed(work) {
  const big = await bigModel();
  const inner = await relay(big.origin);
  const own = await proxy(inner.origin);
  const outer = await relay(own.origin, (headers) => { headers["x-forwarded-for"] = "192.0.2.1"; });
  try {
    await makeAda(own.origin);
    await work(outer, new URL(own.pageWithToken()).hash, inner);
  } finally {
    await Promise.all([outer, own, inner, big].map((server) => server.stop()));
  }
}

test("behind a relay the page says that profiles need the token, and takes it out of its address", () => relayed(async (outer, fragment) => {
  const { page, close } = await open(browser, outer.origin);
  try {
    await page.waitForSelector("#notice:not([hidden])");
    assert.match(await page.locator("#notice").innerText(), /costeer token/);
    assert.ok(await page.locator("#profile-field").isHidden());
    await ask(page, QUESTION, CONTEXT);
    assert.match(await steered(page), /Ziggy/);

    await page.goto(`${outer.origin}/costeer/${fragment}`);
    await page.waitForSelector("#profile-field:not([hidden])");
    await page.selectOption("#profile", "ada");
    await ask(page, QUESTION, "");
    assert.match(await steered(page), /Ziggy/);
    assert.equal(await page.evaluate(() => location.href), `${outer.origin}/costeer/`);

    await page.reload();
    await page.waitForSelector("#notice:not([hidden])");
    assert.equal(await page.inputValue("#key"), "");
    assert.ok(await page.locator("#profile-field").isHidden());
  } finally {
    await close();
  }
}));

test("the token's address opens profiles at once, and the token goes nowhere but into a header", () => relayed(async (outer, fragment, inner) => {
  const token = fragment.slice("#token=".length);
  const { page, close } = await open(browser, outer.origin, {}, fragment);
  try {
    await page.waitForSelector("#profile-field:not([hidden])");
    await page.selectOption("#profile", "ada");
    await ask(page, QUESTION, "");
    assert.match(await steered(page), /Ziggy/);
    const left = await page.evaluate(() => [location.href, document.cookie, localStorage.length, sessionStorage.length]);
    assert.deepEqual(left, [`${outer.origin}/costeer/`, "", 0, 0]);
    await page.goto("about:blank");
    await page.goBack();
    assert.equal(page.url(), `${outer.origin}/costeer/`);
    assert.ok(outer.seen.some(({ headers }) => headers.authorization === `Bearer ${token}`));
    for (const { what, headers: { authorization, ...rest } } of outer.seen) assert.ok(!JSON.stringify([what, rest]).includes(token), what);
    assert.ok(!JSON.stringify(inner.seen).includes(token));
  } finally {
    await close();
  }
}));
