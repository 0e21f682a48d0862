// What an answer cost, whichever surface it came over: the record of its generation (gateway-api §14.2).

import assert from "node:assert/strict";
import { GENERATION_ID } from "./wire.mjs";

/** The record of a generation. */
export async function generation({ gateway, key }, id) {
  assert.match(id, GENERATION_ID);
  const response = await fetch(`${gateway.url}/v1/generation?id=${id}`, {
    headers: { authorization: `Bearer ${key}` },
  });
  assert.equal(response.status, 200, await response.clone().text());
  return (await response.json()).data;
}

/** The record says what the client was told: tokens (of which the prompt includes cached ones), model and cost. */
export async function checkRecord(both, id, { prompt, completion, model, cost, streamed }) {
  const record = await generation(both, id);
  assert.equal(record.tokens_prompt, prompt);
  assert.equal(record.tokens_completion, completion);
  assert.ok(record.total_cost > 0);
  if (model !== undefined) assert.equal(record.model, model);
  if (streamed !== undefined) assert.equal(record.streamed, streamed);
  if (cost !== undefined) assert.equal(Number(cost), record.total_cost);
  return record;
}

/** The gateway's part of an answer's metadata (gateway-api §5): a cost in text, and the attempt that succeeded. */
export function checkGateway(metadata, { model, provider }) {
  const { gateway } = metadata;
  assert.match(gateway.generationId, GENERATION_ID);
  assert.equal(typeof gateway.cost, "string", "a string here, a number in chat usage");
  assert.ok(Number(gateway.cost) > 0);
  assert.equal(gateway.routing.originalModelId, model);
  if (provider) assert.equal(gateway.routing.finalProvider, provider);
  return gateway;
}
