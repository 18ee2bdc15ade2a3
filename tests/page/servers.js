// A big model and the proxy in front of it, from the real binary.

import { spawn } from "node:child_process";
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

function start(args, settings) {
  // What suits the tiny pair.
  const usual = {
    COSTEER__LOCAL__MODEL: `${ROOT}models/tiny/slm`,
    COSTEER__STEERING__STRENGTH: "1",
    COSTEER__STEERING__DELTA_FLOOR: "0.0001",
  };
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, ...usual, ...settings };
  return spawn(process.env.COSTEER_BIN, args, { cwd: ROOT, env, stdio: "ignore" });
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

function ended(process) {
  if (process.exitCode !== null || process.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => process.once("exit", resolve));
}

/** Starts a pair; settings are those of the proxy. */
export async function pair(settings = {}) {
  const folder = mkdtempSync(join(tmpdir(), "costeer-page-"));
  const [big, own] = [await freePort(), await freePort()];
  const upstream = start(["upstream", "--model", "models/tiny/llm", "--slots", "2", "--listen", `127.0.0.1:${big}`], {});
  const proxy = start(["serve", "--listen", `127.0.0.1:${own}`], {
    COSTEER__UPSTREAM__URL: `http://127.0.0.1:${big}/v1`,
    COSTEER__STORE__PATH: join(folder, "profiles.db"),
    ...settings,
  });
  const origin = `http://127.0.0.1:${own}`;
  const stop = async (process) => {
    process.kill();
    await ended(process);
  };
  await Promise.all([ready(`http://127.0.0.1:${big}/v1/models`), ready(`${origin}/readyz`)]);
  return {
    origin,
    killUpstream: () => stop(upstream),
    stop: async () => {
      await Promise.all([stop(upstream), stop(proxy)]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
