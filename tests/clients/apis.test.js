// Responses and messages: the AI SDK's providers as they are without further words, and the packages of OpenAI and Anthropic.
const assert = require("node:assert/strict");
const { before, test } = require("node:test");
const { createAnthropic } = require("@ai-sdk/anthropic");
const { createOpenAI } = require("@ai-sdk/openai");
const Anthropic = require("@anthropic-ai/sdk");
const { APICallError, generateText, streamText } = require("ai");
const OpenAI = require("openai");
const { QUESTION, STEERED, askedDirectly, baseURL } = require("./support.js");

const options = { apiKey: "unused", maxRetries: 0, timeout: 60_000 };
const providers = {
  "@ai-sdk/openai on responses": createOpenAI({ baseURL, apiKey: "unused" }),
  "@ai-sdk/anthropic": createAnthropic({ baseURL, apiKey: "unused" }),
};

let text;
before(async () => {
  text = await askedDirectly();
});

for (const [name, provider] of Object.entries(providers)) {
  const ask = { model: provider(STEERED), prompt: QUESTION, temperature: 0, maxOutputTokens: 200, maxRetries: 0 };

  test(name, async () => {
    const answer = await generateText(ask);
    assert.equal(answer.text, text);
    assert.equal(answer.finishReason, "stop");
    const pieces = [];
    for await (const part of streamText(ask).fullStream) {
      assert.notEqual(part.type, "error", String(part.error));
      if (part.type === "text-delta") pieces.push(part.text);
    }
    assert.equal(pieces.join(""), text);
    assert.ok(pieces.length > 10);
    const nobody = { ...ask, model: provider(`${STEERED}-is-nobody`) };
    await assert.rejects(generateText(nobody), (error) => APICallError.isInstance(error) && error.statusCode === 404);
  });
}

test("the openai package on responses", async () => {
  const client = new OpenAI({ ...options, baseURL });
  const ask = { model: STEERED, input: QUESTION, temperature: 0 };
  assert.equal((await client.responses.create(ask)).output_text, text);
  let streamed = "";
  for await (const event of await client.responses.create({ ...ask, stream: true })) {
    if (event.type === "response.output_text.delta") streamed += event.delta;
  }
  assert.equal(streamed, text);
  await assert.rejects(client.responses.create({ ...ask, temperature: 3 }), OpenAI.BadRequestError);
});

test("Anthropic's package", async () => {
  const client = new Anthropic({ ...options, baseURL: process.env.COSTEER_TEST_PROXY });
  const ask = { model: STEERED, messages: [{ role: "user", content: QUESTION }], max_tokens: 200, temperature: 0 };
  const message = await client.messages.create(ask);
  assert.equal(message.content[0].text, text);
  assert.equal(message.stop_reason, "end_turn");
  assert.equal(await client.messages.stream(ask).finalText(), text);
  await assert.rejects(client.messages.create({ ...ask, temperature: 3 }), Anthropic.BadRequestError);
});
