// What costeer tune has found, on the page.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { launch, open } from "./browser.js";
import { pair } from "./servers.js";

test("the curve is drawn where there is one, and otherwise it is said how to make it", async () => {
  const state = mkdtempSync(join(tmpdir(), "costeer-page-"));
  const servers = await pair({ XDG_STATE_HOME: state });
  const browser = await launch();
  const { page, close } = await open(browser, servers.origin, { viewport: { width: 360, height: 740 } });
  try {
    await page.click("#part-tuning");
    await page.waitForFunction(() => /Make one with: costeer tune/.test(document.querySelector("#tuned").textContent));
    assert.equal(await page.locator("#curve canvas").count(), 0);
    const report = JSON.parse(execFileSync(process.env.COSTEER_BIN, ["tune", "--questions", "2", "--json"], servers.child).toString()).report;
    await page.click("#part-chat");
    await page.click("#part-tuning");
    await page.waitForSelector("#curve canvas");
    const [best] = report.curves.filter((curve) => curve.delta_floor === 0.0001);
    const said = await page.locator("#tuned").innerText();
    assert.ok(said.includes(`the best strength is ${best.strength.toFixed(2)}`) && said.includes("1.00 is in force"), said);
    assert.equal(await page.locator("#standings tbody tr").count(), report.standings.length);
    // The line in force is in a colour that nothing else of the chart has.
    const marked = await page.evaluate(() => {
      const canvas = document.querySelector("#curve canvas");
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      let count = 0;
      for (let at = 0; at < data.length; at += 4) if (data[at] > 140 && data[at + 1] < 60 && data[at + 2] < 60 && data[at + 3] > 200) count += 1;
      return count;
    });
    assert.ok(marked > 50, `${marked} red points`);
    const [wide, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    assert.ok(wide <= window, `${wide} > ${window}`);
    assert.deepEqual(await page.evaluate(() => globalThis.violations), []);
  } finally {
    await close();
    await browser.close();
    await servers.stop();
    rmSync(state, { recursive: true, force: true });
  }
});
