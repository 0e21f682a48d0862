// Chat, whole and streamed, images, and the model list.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import OpenAI from "openai";
import { clientOptions, startBoth } from "../harness.mjs";
import { checkChunks, checkUsage, collect, GENERATION_ID, user } from "../wire.mjs";

const MODELS = ["openai/gpt-4o", "openai/gpt-5.4-mini", "anthropic/claude-haiku-4.5"];
const PIXEL =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";
let both, client;

before(async () => {
  both = await startBoth();
  client = new OpenAI(clientOptions(both));
});
after(() => both?.close());

for (const model of MODELS) {
  test(`whole answer of ${model}`, async () => {
    const answer = await client.chat.completions.create({ model, messages: [user("Why is the sky blue?")] });
    const { message, finish_reason } = answer.choices[0];
    assert.ok(message.content);
    assert.equal(finish_reason, "stop");
    assert.equal(answer.model, model);
    assert.match(answer.id, GENERATION_ID);
    assert.equal(answer.generationId, answer.id);
    assert.equal(message.provider_metadata.gateway.generationId, answer.id);
    checkUsage(answer.usage);
  });

  test(`streamed answer of ${model}`, async () => {
    const stream = await client.chat.completions.create({
      model,
      messages: [user("Why is the sky blue?")],
      stream: true,
    });
    const chunks = await collect(stream);
    const final = checkChunks(chunks, model);
    assert.equal(final.choices[0].finish_reason, "stop");
    assert.ok(chunks.some((chunk) => chunk.choices[0].delta.content));
  });
}

test("the stream helper accumulates the answer", async () => {
  const stream = client.chat.completions.stream({ model: "openai/gpt-4o", messages: [user("Hello.")] });
  const answer = await stream.finalChatCompletion();
  assert.ok(answer.choices[0].message.content);
  assert.equal(answer.choices[0].finish_reason, "stop");
});

test("the generation record equals the inline usage right away", async () => {
  const answer = await client.chat.completions.create({ model: "openai/echo", messages: [user("Hello.")] });
  const { data } = await client.get(`/generation?id=${answer.id}`);
  assert.equal(data.total_cost, answer.usage.cost);
  assert.equal(data.tokens_prompt, answer.usage.prompt_tokens);
  assert.equal(data.tokens_completion, answer.usage.completion_tokens);
  const { prompt_tokens: read, completion_tokens: written } = answer.usage;
  // The configured price in nanodollars a token, so that this is whole-number arithmetic.
  assert.equal(Math.round(answer.usage.cost * 1e9), read * 1000 + written * 2000);
});

test("an image reaches both kinds of provider", async () => {
  for (const model of ["openai/gpt-4o", "anthropic/claude-haiku-4.5"]) {
    const content = [
      { type: "text", text: `What is this? Marker node-image ${model}.` },
      { type: "image_url", image_url: { url: PIXEL } },
    ];
    const answer = await client.chat.completions.create({ model, messages: [user(content)] });
    assert.ok(answer.choices[0].message.content);
    const seen = await both.simulator.request(`node-image ${model}`);
    assert.ok(JSON.stringify(seen.body).includes(PIXEL.split(",")[1]));
  }
});

test("the model list, and one model by an id with a slash", async () => {
  const ids = (await collect(client.models.list())).map((model) => model.id);
  assert.ok(ids.includes("openai/gpt-4o") && ids.includes("openai/echo"));
  assert.equal((await client.models.retrieve("anthropic/claude-haiku-4.5")).id, "anthropic/claude-haiku-4.5");
});
