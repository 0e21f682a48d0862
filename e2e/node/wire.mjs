// What holds for each chat answer, whichever client received it (gateway-api §5, §7.1).

import assert from "node:assert/strict";

export const GENERATION_ID = /^gen_[0-9A-HJKMNP-TV-Z]{26}$/;

/** A user message. */
export const user = (content) => ({ role: "user", content });

/** The usage members that clients read, with their types. */
export function checkUsage(usage) {
  assert.equal(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens);
  assert.equal(typeof usage.cost, "number");
  assert.ok(usage.cost > 0);
  assert.equal(typeof usage.prompt_tokens_details.cached_tokens, "number");
  assert.equal(typeof usage.cache_creation_input_tokens, "number");
  assert.ok(!usage.cost_details.upstream_inference_cost, "Cline adds it to the cost");
}

/** The shape and the order of a chat stream. Returns the final chunk. */
export function checkChunks(chunks, model) {
  const final = chunks.at(-1);
  assert.match(final.id, GENERATION_ID);
  assert.equal(final.generationId, final.id);
  assert.deepEqual(chunks[0].choices[0].delta, { role: "assistant" });
  for (const [index, chunk] of chunks.entries()) {
    assert.equal(chunk.id, final.id);
    assert.equal(chunk.model, model);
    assert.equal(chunk.choices.length, 1);
    assert.equal(typeof chunk.choices[0].delta, "object");
    if (index > 0) assert.ok(!("role" in chunk.choices[0].delta), "the role comes once, first");
    if (chunk !== final) {
      assert.equal(chunk.choices[0].finish_reason, null);
      assert.ok(!chunk.usage, "usage belongs to the last chunk alone");
    }
  }
  assert.ok(final.choices[0].finish_reason);
  checkUsage(final.usage);
  const { gateway } = final.choices[0].delta.provider_metadata;
  assert.equal(gateway.generationId, final.id);
  assert.equal(typeof gateway.cost, "string");
  assert.equal(Number(gateway.cost), final.usage.cost);
  return final;
}

/** Everything that an async iterator yields. */
export async function collect(stream) {
  const items = [];
  for await (const item of stream) items.push(item);
  return items;
}
