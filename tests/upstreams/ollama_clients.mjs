// Reads the double's answers with Ollama's own client for JavaScript. ollama_clients.mjs FOLDER-WITH-NODE_MODULES URL MODEL
import assert from "node:assert";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [folder, host, model] = process.argv.slice(2);
const found = createRequire(`${folder}/package.json`).resolve("ollama");
const { Ollama } = await import(pathToFileURL(found));
const client = new Ollama({ host });
const asked = { model, prompt: "Hello", raw: true, logprobs: true, top_logprobs: 3, options: { num_predict: 5, temperature: 0 } };
const check = (entries) => {
    for (const entry of entries) {
        assert(entry.token && entry.logprob <= 0 && entry.top_logprobs.length === 3, JSON.stringify(entry));
    }
};

const whole = await client.generate({ ...asked, stream: false });
assert(whole.done && ["stop", "length"].includes(whole.done_reason), JSON.stringify(whole));
check(whole.logprobs);
let text = "";
let count = 0;
for await (const part of await client.generate({ ...asked, stream: true })) {
    count += 1;
    text += part.response;
    check(part.logprobs ?? []);
}
assert.equal(text, whole.response);
assert.equal((await client.list()).models[0].model, model);
console.log(`the JavaScript client reads ${count} lines`);
