// Tools: the model calls, gets the result, and its answer is steered.
const assert = require("node:assert/strict");
const { test } = require("node:test");
const { createAnthropic } = require("@ai-sdk/anthropic");
const { createOpenAI } = require("@ai-sdk/openai");
const { createOpenAICompatible } = require("@ai-sdk/openai-compatible");
const Anthropic = require("@anthropic-ai/sdk");
const { generateText, jsonSchema, stepCountIs, streamText, tool } = require("ai");
const OpenAI = require("openai");
const { CALLED, FOUND, NAME, QUESTION, STEERED, callerURL } = require("./support.js");

const parameters = {
  type: "object",
  properties: { what: { type: "string", enum: ["leeks", "rice"] } },
  required: ["what"],
  additionalProperties: false,
};
const options = { apiKey: "unused", maxRetries: 0, timeout: 60_000 };
const baseURL = `${callerURL}/v1`;
const said = [{ role: "user", content: QUESTION }];
const isCall = (call) => ["leeks", "rice"].includes(call.what);

const openai = createOpenAI({ baseURL, apiKey: "unused" });
const models = {
  "@ai-sdk/openai on chats": openai.chat(STEERED),
  "@ai-sdk/openai on responses": openai(STEERED),
  "@ai-sdk/openai-compatible": createOpenAICompatible({ name: "costeer", baseURL })(STEERED),
  "@ai-sdk/anthropic": createAnthropic({ baseURL, apiKey: "unused" })(STEERED),
};

for (const [name, model] of Object.entries(models)) {
  test(`tools of ${name}`, async () => {
    const calls = [];
    const shop = tool({
      description: "What there is in the shop.",
      inputSchema: jsonSchema(parameters),
      execute: (input) => {
        calls.push(input);
        return FOUND;
      },
    });
    const ask = { model, tools: { shop }, prompt: QUESTION, temperature: 0, maxOutputTokens: 300, maxRetries: 0 };
    const answer = await generateText({ ...ask, stopWhen: stepCountIs(2) });
    assert.match(answer.text, new RegExp(NAME));
    const stream = streamText({ ...ask, stopWhen: stepCountIs(2) });
    for await (const part of stream.fullStream) assert.notEqual(part.type, "error", String(part.error));
    assert.match(await stream.text, new RegExp(NAME));
    assert.deepEqual(calls, [CALLED, CALLED]);
    const forced = await generateText({ ...ask, toolChoice: { type: "tool", toolName: "shop" } });
    assert.equal(forced.toolCalls.length, 1);
    assert.ok(isCall(forced.toolCalls[0].input));
  });
}

test("tools of the openai package on chats", async () => {
  const client = new OpenAI({ ...options, baseURL });
  const calls = [];
  const shop = {
    type: "function",
    function: {
      name: "shop",
      parameters,
      parse: JSON.parse,
      function: (input) => {
        calls.push(input);
        return FOUND;
      },
    },
  };
  const ask = { model: STEERED, messages: said, tools: [shop], temperature: 0, max_tokens: 300 };
  for (const stream of [false, true]) {
    const runner = client.chat.completions.runTools({ ...ask, stream });
    assert.match(await runner.finalContent(), new RegExp(NAME));
  }
  assert.deepEqual(calls, [CALLED, CALLED]);
  const plain = { type: "function", function: { name: "shop", parameters } };
  const choice = { type: "function", function: { name: "shop" } };
  const forced = await client.chat.completions.create({ ...ask, tools: [plain], tool_choice: choice });
  assert.ok(isCall(JSON.parse(forced.choices[0].message.tool_calls[0].function.arguments)));
  const missing = { type: "function", function: { name: "bake" } };
  const refused = client.chat.completions.create({ ...ask, tools: [plain], tool_choice: missing });
  await assert.rejects(refused, (error) => error instanceof OpenAI.BadRequestError && error.param === "tool_choice");
});

test("tools of the openai package on responses", async () => {
  const client = new OpenAI({ ...options, baseURL });
  const tools = [{ type: "function", name: "shop", parameters, strict: true }];
  const ask = { model: STEERED, tools, temperature: 0, max_output_tokens: 300 };
  const first = await client.responses.create({ ...ask, input: said });
  const call = first.output.find((item) => item.type === "function_call");
  assert.deepEqual(JSON.parse(call.arguments), CALLED);
  const result = { type: "function_call_output", call_id: call.call_id, output: FOUND };
  const events = [];
  let text = "";
  for await (const event of await client.responses.create({ ...ask, input: [...said, ...first.output, result], stream: true })) {
    events.push(event.type);
    if (event.type === "response.output_text.delta") text += event.delta;
  }
  assert.match(text, new RegExp(NAME));
  assert.equal(events.at(-1), "response.completed");
});

test("tools of Anthropic's package", async () => {
  const client = new Anthropic({ ...options, baseURL: callerURL });
  const tools = [{ name: "shop", input_schema: parameters }];
  const ask = { model: STEERED, tools, max_tokens: 300, temperature: 0 };
  const message = await client.messages.create({ ...ask, messages: said });
  assert.equal(message.stop_reason, "tool_use");
  assert.deepEqual(message.content[0].input, CALLED);
  const streamed = await client.messages.stream({ ...ask, messages: said }).finalMessage();
  assert.deepEqual(streamed.content[0].input, CALLED);
  const result = { type: "tool_result", tool_use_id: message.content[0].id, content: FOUND };
  const messages = [...said, { role: "assistant", content: message.content }, { role: "user", content: [result] }];
  assert.match((await client.messages.create({ ...ask, messages })).content[0].text, new RegExp(NAME));
  const forced = await client.messages.create({ ...ask, messages: said, tool_choice: { type: "tool", name: "shop" } });
  assert.ok(isCall(forced.content[0].input));
});
