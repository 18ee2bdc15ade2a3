// What the page asks of the proxy: always the server it came from, and private text in bodies alone.

export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

const UNREACHABLE = "The proxy does not answer. Is it still running?";

async function call(path, key, options = {}) {
  const headers = { "content-type": "application/json" };
  if (key) headers.authorization = `Bearer ${key}`;
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

/** The id of the first model that the upstream serves. */
export async function firstModel(key) {
  const models = await (await call("/v1/models", key)).json();
  return models.data?.[0]?.id ?? "";
}

/** Names and numbers of all profiles. */
export async function profiles(key) {
  return (await (await call("/costeer/v1/profiles", key)).json()).data;
}

/** The private text that a question would get. */
export async function preview(profile, question, context, key, signal) {
  const body = JSON.stringify({ question, ...(context && { context }) });
  const path = `/costeer/v1/profiles/${encodeURIComponent(profile)}/preview`;
  return (await call(path, key, { method: "POST", body, signal })).json();
}

/** Streams an answer: the chunks of the API, one by one. Throws when it ends in an error, or too early. */
export async function* answer(request, key, signal) {
  const response = await call("/v1/chat/completions", key, { method: "POST", body: JSON.stringify(request), signal });
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
    if (piece.done) throw new ApiError(0, "The answer broke off.");
    const lines = (rest + piece.value).split("\n");
    rest = lines.pop();
    for (const line of lines) {
      if (!line.startsWith("data:")) continue;
      const data = line.slice(5).trim();
      if (data === "[DONE]") return;
      const chunk = JSON.parse(data);
      if (chunk.error) throw new ApiError(200, chunk.error.message);
      yield chunk;
    }
  }
}
