// The openai package for Node.
const assert = require("node:assert/strict");
const { before, test } = require("node:test");
const OpenAI = require("openai");

const NAME = "Ziggy";
const CONTEXT = `I am vegan. My dog is called ${NAME}.`;
const STEER = { headers: { "X-CoSteer-Context": CONTEXT } };
const QUESTION = {
  model: "tiny-llm",
  messages: [{ role: "user", content: "Can you suggest a dinner?" }],
  temperature: 0,
};

// Without the SDK's retries, which would hide errors.
const options = { apiKey: "unused", maxRetries: 0, timeout: 30_000 };
const client = new OpenAI({ ...options, baseURL: `${process.env.COSTEER_TEST_PROXY}/v1` });
// One slot, no queue, and a big model that takes 0.1 s for a token.
const slow = new OpenAI({ ...options, baseURL: `${process.env.COSTEER_TEST_SLOW_PROXY}/v1` });

let text;
before(async () => {
  const answer = await client.chat.completions.create(QUESTION, STEER);
  text = answer.choices[0].message.content;
});

// The texts and finish reasons of a stream, by choice.
async function streamed(stream) {
  const texts = {};
  const reasons = {};
  for await (const chunk of stream) {
    for (const choice of chunk.choices) {
      texts[choice.index] = (texts[choice.index] ?? "") + (choice.delta.content ?? "");
      if (choice.finish_reason) reasons[choice.index] = choice.finish_reason;
    }
  }
  return { texts, reasons };
}

// Asks for one token as soon as the only slot is free; a slot that stays taken fails the test.
async function askWhenFree() {
  const deadline = Date.now() + 2000;
  for (;;) {
    try {
      return await slow.chat.completions.create({ ...QUESTION, max_tokens: 1 }, STEER);
    } catch (error) {
      if (!(error instanceof OpenAI.RateLimitError) || Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

test("a steered answer", async () => {
  const { data, response } = await client.chat.completions.create(QUESTION, STEER).withResponse();
  assert.equal(response.headers.get("x-costeer-steered"), "true");
  assert.match(data.choices[0].message.content, new RegExp(NAME));
  assert.equal(data.choices[0].finish_reason, "stop");
  assert.equal(data.costeer.positions, data.usage.completion_tokens);
});

test("no context, no steering", async () => {
  const { data, response } = await client.chat.completions.create(QUESTION).withResponse();
  assert.equal(response.headers.get("x-costeer-steered"), "false");
  assert.doesNotMatch(data.choices[0].message.content, new RegExp(NAME));
});

test("the context in the body", async () => {
  const answer = await client.chat.completions.create({ ...QUESTION, costeer: { context: CONTEXT } });
  assert.equal(answer.choices[0].message.content, text);
});

test("a stream", async () => {
  const stream = await client.chat.completions.create({ ...QUESTION, stream: true }, STEER);
  assert.deepEqual(await streamed(stream), { texts: { 0: text }, reasons: { 0: "stop" } });
});

test("the stream helper and its usage", async () => {
  const body = { ...QUESTION, stream_options: { include_usage: true } };
  const runner = client.chat.completions.stream(body, STEER);
  assert.equal(await runner.finalContent(), text);
  const usage = await runner.totalUsage();
  assert.ok(usage.completion_tokens > 10);
  assert.equal(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens);
});

test("several choices, whole and in a stream", async () => {
  const body = { ...QUESTION, temperature: 1.5, seed: 7, n: 3 };
  const whole = await client.chat.completions.create(body, STEER);
  assert.deepEqual(whole.choices.map((choice) => choice.index), [0, 1, 2]);
  const contents = whole.choices.map((choice) => choice.message.content);
  assert.ok(new Set(contents).size > 1);
  const stream = await client.chat.completions.create({ ...body, stream: true }, STEER);
  const { texts, reasons } = await streamed(stream);
  assert.deepEqual(Object.values(texts), contents);
  assert.deepEqual(reasons, { 0: "stop", 1: "stop", 2: "stop" });
});

test("a stop string across tokens", async () => {
  const body = { ...QUESTION, stop: "gan din" };
  const expected = text.slice(0, text.indexOf("gan din"));
  const whole = await client.chat.completions.create(body, STEER);
  assert.equal(whole.choices[0].message.content, expected);
  const stream = await client.chat.completions.create({ ...body, stream: true }, STEER);
  assert.deepEqual(await streamed(stream), { texts: { 0: expected }, reasons: { 0: "stop" } });
});

test("log-probabilities", async () => {
  const body = { ...QUESTION, logprobs: true, top_logprobs: 3 };
  const answer = await client.chat.completions.create(body, STEER);
  const positions = answer.choices[0].logprobs.content;
  assert.ok(Math.abs(positions.length - answer.usage.completion_tokens) <= 1);
  for (const { logprob, top_logprobs: top } of positions) {
    assert.equal(top.length, 3);
    assert.ok(logprob <= 0);
    assert.ok(top.reduce((sum, one) => sum + Math.exp(one.logprob), 0) <= 1.0001);
  }
});

test("models", async () => {
  const names = [];
  for await (const model of client.models.list()) names.push(model.id);
  assert.deepEqual(names, ["tiny-llm"]);
});

test("errors", async () => {
  await assert.rejects(client.chat.completions.create({ ...QUESTION, temperature: 3 }, STEER), (error) => {
    assert.ok(error instanceof OpenAI.BadRequestError);
    assert.equal(error.param, "temperature");
    return true;
  });
  const parameters = { type: "object", properties: {} };
  const tools = [{ type: "function", function: { name: "look_up", parameters } }];
  await assert.rejects(client.chat.completions.create({ ...QUESTION, tools }, STEER), {
    status: 400,
    code: "unsupported_parameter",
  });
  const unknown = { ...QUESTION, model: "no-such-model", stream: true };
  await assert.rejects(client.chat.completions.create(unknown, STEER), OpenAI.NotFoundError);
});

test("a busy proxy, and an aborted stream that frees its slot", async () => {
  await askWhenFree();
  const controller = new AbortController();
  const aborted = { ...STEER, signal: controller.signal };
  const stream = await slow.chat.completions.create({ ...QUESTION, stream: true }, aborted);
  let chunks = 0;
  // The SDK ends the loop quietly where its user aborted.
  for await (const chunk of stream) {
    assert.ok(!chunk.choices[0].finish_reason, "it was not aborted in the middle");
    chunks += 1;
    if (chunks === 2) {
      await assert.rejects(slow.chat.completions.create(QUESTION, STEER), OpenAI.RateLimitError);
      controller.abort();
    }
  }
  assert.ok(chunks >= 2);
  await askWhenFree();
});

test("an aborted request and one that took too long free the slot", async () => {
  await askWhenFree();
  const signal = AbortSignal.timeout(500);
  await assert.rejects(slow.chat.completions.create(QUESTION, { ...STEER, signal }), OpenAI.APIUserAbortError);
  await askWhenFree();
  await assert.rejects(
    slow.chat.completions.create(QUESTION, { ...STEER, timeout: 500 }),
    OpenAI.APIConnectionTimeoutError,
  );
  await askWhenFree();
});
