// What the page asks of the proxy: always the server it came from, and private text in bodies alone.

export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

const UNREACHABLE = "The proxy does not answer. Is it still running?";
const PROFILES = "/costeer/v1/profiles";

let key = () => "";

/** `read` gives the key or token, or nothing. It is asked each time, so that it is kept in one place. */
export function keyFrom(read) {
  key = read;
}

async function call(path, { headers: own, ...options } = {}) {
  const headers = { "content-type": "application/json", ...own };
  if (key()) headers.authorization = `Bearer ${key()}`;
  let response;
  try {
    response = await fetch(path, { ...options, headers, cache: "no-store" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, UNREACHABLE);
  }
  if (response.ok) return response;
  let message = `The proxy answered with status ${response.status}.`;
  try {
    message = (await response.json()).error.message;
  } catch {
    // A body that is not the API's says nothing that helps.
  }
  throw new ApiError(response.status, message);
}

async function json(path, method = "GET", body = undefined, signal = undefined) {
  const response = await call(path, { method, signal, body: body && JSON.stringify(body) });
  return response.status === 204 ? null : response.json();
}

/** The lines of a body, as they come. */
async function* lines(response) {
  let rest = "";
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    let piece;
    try {
      piece = await reader.read();
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new ApiError(0, UNREACHABLE);
    }
    if (piece.done) return;
    const whole = (rest + piece.value).split("\n");
    rest = whole.pop();
    yield* whole;
  }
}

/** The id of the first model that the upstream serves. */
export async function firstModel() {
  return (await json("/v1/models")).data?.[0]?.id ?? "";
}

/** Whether it is ready, and what the two models are. */
export const status = () => json("/costeer/v1/status");

/** What `costeer tune` has found for this pair. */
export const tuning = () => json("/costeer/v1/tuning");

/** What the small model would read for a request. */
export const preview = (request, signal) => json("/costeer/v1/preview", "POST", request, signal);

/** Asks for an answer: whether it is steered, why not, and the chunks of the API, one by one. These throw when they end in an error, or too early. */
export async function answer(request, signal) {
  const response = await call("/v1/chat/completions", { method: "POST", body: JSON.stringify(request), signal });
  return {
    steered: response.headers.get("x-costeer-steered") === "true",
    reason: response.headers.get("x-costeer-reason"),
    chunks: chunks(response),
  };
}

async function* chunks(response) {
  for await (const line of lines(response)) {
    if (!line.startsWith("data:")) continue;
    const data = line.slice(5).trim();
    if (data === "[DONE]") return;
    const chunk = JSON.parse(data);
    if (chunk.error) throw new ApiError(200, chunk.error.message);
    yield chunk;
  }
  throw new ApiError(0, "The answer broke off.");
}

const named = (name) => `${PROFILES}/${encodeURIComponent(name)}`;

export const profiles = {
  list: async () => (await json(PROFILES)).data,
  make: (name) => json(PROFILES, "POST", { name }),
  show: (name) => json(named(name)),
  edit: (name, patch) => json(named(name), "PATCH", patch),
  remove: (name) => json(named(name), "DELETE"),
  exported: async (name) => (await call(`${named(name)}/export`)).blob(),
};

export const documents = {
  list: (name, after, limit) => json(`${named(name)}/documents?after=${after}&limit=${limit}`),
  search: async (name, query, limit) => (await json(`${named(name)}/search`, "POST", { query, limit })).data.map((hit) => hit.document),
  put: (name, document) => json(`${named(name)}/documents`, "POST", document),
  remove: (name, id) => json(`${named(name)}/documents/${id}`, "DELETE"),
};

/** Hands a file over to be read into a profile; `head` says what it is. Gives how far it is, and at last what it came to. */
export async function* importing(file, head, signal) {
  const headers = { "content-type": "application/octet-stream" };
  const body = new Blob([JSON.stringify(head), "\n", file]);
  for await (const line of lines(await call("/costeer/v1/import", { method: "POST", headers, body, signal }))) {
    const told = JSON.parse(line);
    if (told.error) throw new ApiError(200, told.error.message);
    yield told;
    if (told.done) return;
  }
  throw new ApiError(0, "The import broke off.");
}
