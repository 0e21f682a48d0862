// Rerank with the `cohere-ai` package, both versions of the interface (gateway-api §11).

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { CohereClient, CohereClientV2, CohereError } from "cohere-ai";
import { generation } from "../accounts.mjs";
import { gatewayKey, startBoth } from "../harness.mjs";
import { GENERATION_ID } from "../wire.mjs";

const MODEL = "cohere/rerank-v3.5";
const QUERY = "Which city has a harbour?";
const DOCUMENTS = ["Bread is made of flour.", "Hamburg is a city and has a harbour.", "A harbour shelters ships."];
let both;

before(async () => {
  both = await startBoth();
});
after(() => both?.close());

const options = (token = both.key) => ({ token, environment: both.gateway.url, maxRetries: 0 });

/** Best first, each document at most once. */
function checkResults(results, count) {
  assert.equal(results.length, count);
  assert.equal(new Set(results.map((result) => result.index)).size, count);
  for (const [place, result] of results.entries()) {
    assert.ok(result.index >= 0 && result.index < DOCUMENTS.length);
    assert.ok(result.relevanceScore >= 0 && result.relevanceScore <= 1);
    if (place > 0) assert.ok(result.relevanceScore <= results[place - 1].relevanceScore);
  }
}

test("version 2 ranks texts, and the record has the cost", async () => {
  const client = new CohereClientV2(options());
  const answer = await client.rerank({ model: MODEL, query: QUERY, documents: DOCUMENTS });
  assert.match(answer.id, GENERATION_ID);
  checkResults(answer.results, 3);
  assert.equal(answer.results[0].index, 1, "the document that answers the question is first");
  assert.ok(answer.meta.billedUnits.searchUnits >= 1);
  const record = await generation(both, answer.id);
  assert.equal(record.model, MODEL);
  assert.ok(record.total_cost > 0);
});

test("version 2 gives no more than asked for", async () => {
  const client = new CohereClientV2(options());
  checkResults((await client.rerank({ model: MODEL, query: QUERY, documents: DOCUMENTS, topN: 2 })).results, 2);
});

test("version 1 takes objects and gives documents back", async () => {
  const client = new CohereClient(options());
  const documents = DOCUMENTS.map((text) => ({ text }));
  const answer = await client.rerank({ model: MODEL, query: QUERY, documents, returnDocuments: true });
  checkResults(answer.results, 3);
  for (const result of answer.results) assert.equal(result.document.text, DOCUMENTS[result.index]);
});

test("another provider's reranker answers in the same form", async () => {
  const client = new CohereClientV2(options());
  const answer = await client.rerank({ model: "voyage/rerank-2.5", query: QUERY, documents: DOCUMENTS });
  checkResults(answer.results, 3);
});

for (const [what, model, status] of [
  ["an unknown model", "cohere/no-such-model", 404],
  ["a wrong key", MODEL, 401],
]) {
  test(`${what} is an error with a sentence`, async () => {
    const client = new CohereClientV2(options(status === 401 ? gatewayKey() : both.key));
    await assert.rejects(client.rerank({ model, query: QUERY, documents: DOCUMENTS }), (error) => {
      assert.ok(error instanceof CohereError, error);
      assert.equal(error.statusCode, status);
      assert.equal(typeof error.body.message, "string");
      return true;
    });
  });
}
