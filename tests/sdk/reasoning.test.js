// A big model that thinks, read by the AI SDK and by the openai package.
const assert = require("node:assert/strict");
const { before, test } = require("node:test");
const { createOpenAICompatible } = require("@ai-sdk/openai-compatible");
const { generateText, streamText } = require("ai");
const OpenAI = require("openai");

const STEER = { "X-CoSteer-Context": "I am vegan. My dog is called Ziggy." };
const THOUGHT = process.env.COSTEER_TEST_THOUGHT;
const baseURL = `${process.env.COSTEER_TEST_THINKING_PROXY}/v1`;
const prompt = "Can you suggest a dinner?";
const provider = createOpenAICompatible({ name: "costeer", baseURL, headers: STEER, includeUsage: true });
const ask = { model: provider("tiny-llm"), prompt, temperature: 0, maxRetries: 0 };

let text;
before(async () => {
  const client = new OpenAI({ apiKey: "unused", maxRetries: 0, timeout: 30_000, baseURL: `${process.env.COSTEER_TEST_PROXY}/v1` });
  const question = { model: "tiny-llm", messages: [{ role: "user", content: prompt }], temperature: 0 };
  const answer = await client.chat.completions.create(question, { headers: STEER });
  text = answer.choices[0].message.content;
});

test("the AI SDK reads reasoning and text", async () => {
  const answer = await generateText(ask);
  assert.equal(answer.reasoningText, THOUGHT);
  assert.equal(answer.text, text);
  assert.ok(answer.usage.reasoningTokens > 0);
});

test("the AI SDK streams reasoning before text", async () => {
  const parts = { reasoning: "", text: "" };
  const order = [];
  for await (const part of streamText(ask).fullStream) {
    assert.notEqual(part.type, "error", String(part.error));
    const kind = { "reasoning-delta": "reasoning", "text-delta": "text" }[part.type];
    if (!kind) continue;
    parts[kind] += part.text;
    if (order.at(-1) !== kind) order.push(kind);
  }
  assert.deepEqual(parts, { reasoning: THOUGHT, text });
  assert.deepEqual(order, ["reasoning", "text"]);
});

test("the openai package hands both fields on", async () => {
  const client = new OpenAI({ apiKey: "unused", maxRetries: 0, timeout: 30_000, baseURL });
  const question = { model: "tiny-llm", messages: [{ role: "user", content: prompt }], temperature: 0 };
  const { choices } = await client.chat.completions.create(question, { headers: STEER });
  const { content, reasoning, reasoning_content } = choices[0].message;
  assert.deepEqual({ content, reasoning, reasoning_content }, { content: text, reasoning: THOUGHT, reasoning_content: THOUGHT });
});
