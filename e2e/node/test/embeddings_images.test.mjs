// Embeddings and images with the `openai` package (gateway-api §9, §10).

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import OpenAI, { toFile } from "openai";
import { checkGateway, checkRecord } from "../accounts.mjs";
import { clientOptions, gatewayKey, startBoth } from "../harness.mjs";

const EMBEDDING = "openai/text-embedding-3-small";
const IMAGE = "openai/gpt-image-1-mini";
const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47]);
const EMBEDDERS = { [EMBEDDING]: "openai", "google/gemini-embedding-001": "google", "cohere/embed-v4.0": "cohere" };
let both, client;

before(async () => {
  both = await startBoth();
  client = new OpenAI(clientOptions(both));
});
after(() => both?.close());

for (const [model, provider] of Object.entries(EMBEDDERS)) {
  test(`${model} embeds one text, which the client asks for in base64`, async () => {
    const answer = await client.embeddings.create({ model, input: `One text for ${provider}.` });
    assert.equal(answer.object, "list");
    assert.equal(answer.data.length, 1);
    assert.ok(answer.data[0].embedding.length > 8);
    assert.ok(answer.data[0].embedding.every((number) => typeof number === "number" && Number.isFinite(number)));
    assert.ok(answer.usage.prompt_tokens > 0);
    assert.equal(answer.usage.total_tokens, answer.usage.prompt_tokens);
    const { cost, generationId } = checkGateway(answer.providerMetadata, { model, provider });
    await checkRecord(both, generationId, { prompt: answer.usage.prompt_tokens, completion: 0, model, cost });
  });

  test(`${model} embeds a list in its order, and the same text alike`, async () => {
    const input = ["harbour", "lock", "harbour"];
    const base64 = await client.embeddings.create({ model, input });
    const float = await client.embeddings.create({ model, input, encoding_format: "float" });
    assert.deepEqual(base64.data.map((entry) => entry.index), [0, 1, 2]);
    const [first, second, third] = float.data.map((entry) => entry.embedding);
    assert.deepEqual(first, third);
    assert.notDeepEqual(first, second);
    for (const [index, number] of base64.data[1].embedding.entries()) {
      assert.ok(Math.abs(number - second[index]) < 1e-6, "both encodings are the same vector");
    }
  });
}

test("dimensions reach the provider", async () => {
  const answer = await client.embeddings.create({ model: EMBEDDING, input: "Short.", dimensions: 64 });
  assert.equal(answer.data[0].embedding.length, 64);
});

test("images are made, in base64, and are paid for", async () => {
  const answer = await client.images.generate({ model: IMAGE, prompt: "A lighthouse at dusk.", n: 2, size: "1024x1024" });
  assert.equal(answer.data.length, 2);
  for (const image of answer.data) {
    assert.deepEqual(Buffer.from(image.b64_json, "base64").subarray(0, 4), PNG);
    assert.ok(!image.url, "no addresses");
  }
  const { cost, generationId } = checkGateway(answer.provider_metadata, { model: IMAGE, provider: "openai" });
  const response = await fetch(`${both.gateway.url}/v1/generation?id=${generationId}`, {
    headers: { authorization: `Bearer ${both.key}` },
  });
  assert.equal((await response.json()).data.total_cost, Number(cost));
});

test("an image is edited, sent as a form", async () => {
  const made = await client.images.generate({ model: IMAGE, prompt: "A boat." });
  const image = await toFile(Buffer.from(made.data[0].b64_json, "base64"), "boat.png", { type: "image/png" });
  const edited = await client.images.edit({ model: IMAGE, image, prompt: "Make it red." });
  assert.deepEqual(Buffer.from(edited.data[0].b64_json, "base64").subarray(0, 4), PNG);
});

for (const [what, call] of [
  ["embeddings", (one, model) => one.embeddings.create({ model, input: "x" })],
  ["images", (one, model) => one.images.generate({ model, prompt: "x" })],
]) {
  test(`${what} of an unknown model or with a wrong key are refused as such`, async () => {
    await assert.rejects(call(client, "openai/no-such-model"), OpenAI.NotFoundError);
    const stranger = new OpenAI(clientOptions(both, { apiKey: gatewayKey() }));
    await assert.rejects(call(stranger, what === "images" ? IMAGE : EMBEDDING), OpenAI.AuthenticationError);
  });
}

test("a language model makes no embeddings", async () => {
  const wrong = client.embeddings.create({ model: "openai/gpt-4o", input: "x" });
  await assert.rejects(wrong, (error) => error.status >= 400 && error.status < 500 && error.message.length > 0);
});
