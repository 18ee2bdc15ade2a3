// Answers in a form that a schema gives.
const assert = require("node:assert/strict");
const { test } = require("node:test");
const { createOpenAI } = require("@ai-sdk/openai");
const { createOpenAICompatible } = require("@ai-sdk/openai-compatible");
const { generateObject, jsonSchema } = require("ai");
const { QUESTION, STEERED, baseURL } = require("./support.js");

const schema = jsonSchema({
  type: "object",
  properties: { diet: { enum: ["vegan", "fish", "meat"], type: "string" }, guests: { enum: [1, 2, 3], type: "integer" } },
  required: ["diet", "guests"],
  additionalProperties: false,
});
const openai = createOpenAI({ baseURL, apiKey: "unused" });
const compatible = createOpenAICompatible({ name: "costeer", baseURL, supportsStructuredOutputs: true });

for (const [name, model] of Object.entries({ chat: openai.chat(STEERED), responses: openai(STEERED), compatible: compatible(STEERED) })) {
  test(`generateObject: ${name}`, async () => {
    const { object } = await generateObject({ model, schema, prompt: QUESTION, temperature: 0, maxRetries: 0 });
    assert.deepEqual(Object.keys(object), ["diet", "guests"]);
    assert.ok(["vegan", "fish", "meat"].includes(object.diet) && [1, 2, 3].includes(object.guests), JSON.stringify(object));
  });
}
