// A big model and the proxy in front of it, from the real binary.

import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = `${process.env.COSTEER_ROOT}/`;
const READY_WITHIN = 60_000;

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function variables(settings) {
  // What suits the tiny pair.
  const usual = {
    COSTEER__LOCAL__MODEL: `${ROOT}models/tiny/slm`,
    COSTEER__STEERING__STRENGTH: "1",
    COSTEER__STEERING__DELTA_FLOOR: "0.0001",
  };
  return { PATH: process.env.PATH, HOME: process.env.HOME, ...usual, ...settings };
}

function start(args, settings) {
  return spawn(process.env.COSTEER_BIN, args, { cwd: ROOT, env: variables(settings), stdio: "ignore" });
}

async function ready(url) {
  const deadline = Date.now() + READY_WITHIN;
  for (;;) {
    try {
      if ((await fetch(url)).status !== 503) return;
    } catch {
      // Not listening yet.
    }
    if (Date.now() > deadline) throw new Error(`${url} was not ready within ${READY_WITHIN} ms`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function stop(process) {
  if (process.exitCode !== null || process.signalCode !== null) return;
  process.kill();
  await new Promise((resolve) => process.once("exit", resolve));
}

/** Starts a proxy in front of the server at `upstream`. */
export async function proxy(upstream, settings = {}) {
  const folder = mkdtempSync(join(tmpdir(), "costeer-page-"));
  const listen = `127.0.0.1:${await freePort()}`;
  const own = {
    COSTEER__SERVER__LISTEN: listen,
    COSTEER__UPSTREAM__URL: `${upstream}/v1`,
    COSTEER__STORE__PATH: join(folder, "profiles.db"),
    ...settings,
  };
  const served = start(["serve"], own);
  await ready(`http://${listen}/readyz`);
  return {
    origin: `http://${listen}`,
    /** How other commands of the program are run with the same settings. */
    child: { cwd: ROOT, env: variables(own) },
    /** The page's address with the token in it, as a person gets it. */
    pageWithToken: () => execFileSync(process.env.COSTEER_BIN, ["token", "--page"], { cwd: ROOT, env: variables(own) }).toString().trim(),
    stop: async () => {
      await stop(served);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Starts the big model's server, with further flags. */
export async function bigModel(flags = []) {
  const listen = `127.0.0.1:${await freePort()}`;
  const served = start(["upstream", "--model", "models/tiny/llm", "--slots", "2", "--listen", listen, ...flags], {});
  await ready(`http://${listen}/v1/models`);
  return { origin: `http://${listen}`, stop: () => stop(served) };
}

/** Starts a pair; settings are those of the proxy, flags those of the big model's server. */
export async function pair(settings = {}, flags = []) {
  const upstream = await bigModel(flags);
  const front = await proxy(upstream.origin, settings);
  return {
    ...front,
    killUpstream: upstream.stop,
    stop: async () => {
      await Promise.all([upstream.stop(), front.stop()]);
    },
  };
}

/** Makes the profile `ada` at a proxy. */
export async function makeAda(origin) {
  const made = await fetch(`${origin}/costeer/v1/profiles`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name: "ada", facts: ["I am vegan.", "My dog is called Ziggy."] }),
  });
  if (!made.ok) throw new Error(await made.text());
}
