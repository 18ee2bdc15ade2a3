// The question as a command or a program, to be copied.

function quoted(text) {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** A command line for a POSIX shell. The key is read from a variable. */
export function asCurl(origin, request, keyed) {
  const parts = [`curl -sN ${origin}/v1/chat/completions -H 'content-type: application/json'`];
  if (keyed) parts.push(`-H "Authorization: Bearer $COSTEER_API_KEY"`);
  parts.push(`-d ${quoted(JSON.stringify(request))}`);
  return `${parts.join(" \\\n  ")} | costeer explain\n`;
}

/** A value as Python writes it. JSON's strings and numbers are Python's, too. */
function literal(value) {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`;
  if (typeof value === "object") {
    return `{${Object.entries(value).map(([name, field]) => `${JSON.stringify(name)}: ${literal(field)}`).join(", ")}}`;
  }
  return JSON.stringify(value);
}

/** A program for OpenAI's package for Python. The key is read from a variable. */
export function asPython(origin, request, keyed) {
  const { model, messages, max_tokens, temperature, seed, costeer } = request;
  const fields = { model, messages, max_tokens, temperature, seed, extra_body: { costeer } };
  return [
    ...(keyed ? ["import os"] : []),
    "from openai import OpenAI",
    "",
    `client = OpenAI(base_url="${origin}/v1", api_key=${keyed ? 'os.environ["COSTEER_API_KEY"]' : '"unused"'})`,
    "answer = client.chat.completions.create(",
    ...Object.entries(fields).map(([name, value]) => `    ${name}=${literal(value)},`),
    ")",
    "print(answer.choices[0].message.content)",
    "",
  ].join("\n");
}
