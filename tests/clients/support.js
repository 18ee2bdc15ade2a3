// What the tests share. No client here sets a header: the profile stands behind the model's name.
const baseURL = `${process.env.COSTEER_TEST_PROXY}/v1`;
// Before this proxy's server, the big model calls the function "shop" first, and answers when it has the result.
const callerURL = process.env.COSTEER_TEST_CALLER;
const CALLED = { what: "leeks" };
const FOUND = "There are leeks.";
const STEERED = "tiny-llm@ada";
const PLAIN = "tiny-llm@plain";
const NAME = "Ziggy";
const QUESTION = "Can you suggest a dinner?";

// The steered answer at temperature 0, by nothing but fetch.
async function askedDirectly() {
  const body = JSON.stringify({ model: STEERED, messages: [{ role: "user", content: QUESTION }], temperature: 0 });
  const answer = await fetch(`${baseURL}/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
  });
  return (await answer.json()).choices[0].message.content;
}

module.exports = { CALLED, FOUND, NAME, PLAIN, QUESTION, STEERED, askedDirectly, baseURL, callerURL };
