// The AI SDK with both of its providers for such servers, on chat completions.
const assert = require("node:assert/strict");
const { before, test } = require("node:test");
const { createOpenAI } = require("@ai-sdk/openai");
const { createOpenAICompatible } = require("@ai-sdk/openai-compatible");
const { APICallError, generateText, streamText } = require("ai");
const { NAME, PLAIN, QUESTION, STEERED, askedDirectly, baseURL } = require("./support.js");

const providers = {
  "@ai-sdk/openai": createOpenAI({ baseURL, apiKey: "unused" }).chat,
  "@ai-sdk/openai-compatible": createOpenAICompatible({ name: "costeer", baseURL, includeUsage: true }),
};

let text;
before(async () => {
  text = await askedDirectly();
});

for (const [name, provider] of Object.entries(providers)) {
  const ask = (model) => ({ model: provider(model), prompt: QUESTION, temperature: 0, maxRetries: 0 });

  test(`${name}: generateText is steered`, async () => {
    const answer = await generateText(ask(STEERED));
    assert.equal(answer.text, text);
    assert.equal(answer.finishReason, "stop");
    assert.ok(answer.usage.outputTokens > 10);
    assert.ok(!(await generateText(ask(PLAIN))).text.includes(NAME));
  });

  test(`${name}: streamText`, async () => {
    const pieces = [];
    for await (const part of streamText(ask(STEERED)).fullStream) {
      assert.notEqual(part.type, "error", String(part.error));
      if (part.type === "text-delta") pieces.push(part.text);
    }
    assert.equal(pieces.join(""), text);
    assert.ok(pieces.length > 10);
  });

  test(`${name}: an error`, async () => {
    await assert.rejects(generateText({ ...ask(`${STEERED}-is-nobody`) }), (error) => {
      assert.ok(APICallError.isInstance(error));
      assert.equal(error.statusCode, 404);
      assert.match(error.message, /costeer profile list/);
      return true;
    });
  });
}
