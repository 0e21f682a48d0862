// Every error class of the SDK, and leaving in the middle.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import OpenAI from "openai";
import { clientOptions, gatewayKey, startBoth, waitUntil } from "../harness.mjs";
import { user } from "../wire.mjs";

const messages = [user("Hello.")];
let both, client;

before(async () => {
  both = await startBoth();
  client = new OpenAI(clientOptions(both));
});
after(() => both?.close());

/** The error that a chat ends in. */
async function refused(body, options = {}) {
  const with_ = new OpenAI(clientOptions(both, options));
  try {
    await with_.chat.completions.create({ model: "openai/gpt-4o", messages, ...body });
  } catch (error) {
    return error;
  }
  throw new assert.AssertionError({ message: "the request was answered" });
}

test("a wrong key is an AuthenticationError", async () => {
  for (const apiKey of [gatewayKey(), "tgk_short", "sk-not-ours"]) {
    const error = await refused({}, { apiKey });
    assert.ok(error instanceof OpenAI.AuthenticationError, error);
    assert.equal(error.type, "authentication_error");
    assert.ok(!error.message.includes(apiKey));
  }
});

test("an unknown model is a NotFoundError that names near ones", async () => {
  const error = await refused({ model: "openai/gtp-4o" });
  assert.ok(error instanceof OpenAI.NotFoundError, error);
  assert.equal(error.type, "model_not_found");
  assert.match(error.message, /openai\/gpt-4o/);
});

test("a wrong type is a BadRequestError that says where", async () => {
  const error = await refused({ messages: [{ role: "user", content: 7 }] });
  assert.ok(error instanceof OpenAI.BadRequestError, error);
  assert.match(error.message, /messages\[0\]\.content/);
});

test("an unknown path is a NotFoundError", async () => {
  await assert.rejects(client.get("/nothing/here"), (error) => {
    assert.ok(error instanceof OpenAI.NotFoundError, error);
    assert.equal(error.type, "not_found_error");
    return true;
  });
});

for (const [model, kind, status] of [
  ["openai/fail-429", "RateLimitError", 429],
  ["openai/fail-500", "InternalServerError", 502],
  ["openai/fail-503", "InternalServerError", 503],
  ["openai/fail-401", "InternalServerError", 502],
]) {
  for (const stream of [false, true]) {
    test(`${model} is a ${kind}${stream ? " in a stream" : ""}`, async () => {
      const error = await refused({ model, stream });
      assert.ok(error instanceof OpenAI[kind], error);
      assert.equal(error.status, status);
    });
  }
}

for (const model of ["openai/cut-in-mid-stream", "openai/error-in-mid-stream"]) {
  test(`${model} raises and never ends cleanly`, async () => {
    const stream = await client.chat.completions.create({ model, messages, stream: true });
    let content = "";
    let finish = null;
    await assert.rejects(
      (async () => {
        for await (const chunk of stream) {
          content += chunk.choices[0].delta.content ?? "";
          finish = chunk.choices[0].finish_reason ?? finish;
        }
      })(),
      OpenAI.APIError,
    );
    assert.ok(content, "what had arrived was delivered");
    assert.equal(finish, null);
  });
}

test("a context overflow keeps the provider's sentence and its code", async () => {
  const marker = "node-overflow";
  const sentence = "This model's maximum context length is 128000 tokens. Please reduce the length.";
  const fault = { kind: "status", status: 400, body: { message: sentence } };
  await both.simulator.script(marker, { fault });
  const error = await refused({ user: marker });
  assert.ok(error instanceof OpenAI.BadRequestError, error);
  assert.ok(error.message.includes(sentence));
  assert.equal(error.code, "context_length_exceeded");
});

test("a second endpoint answers for the first, and the metadata shows both attempts", async () => {
  const gateway = { order: ["faulty", "backup"] };
  const answer = await client.chat.completions.create({
    model: "openai/failover",
    messages,
    providerOptions: { gateway },
  });
  const { routing } = answer.choices[0].message.provider_metadata.gateway;
  const attempts = routing.modelAttempts[0].providerAttempts.map((one) => [one.provider, one.success]);
  assert.deepEqual(attempts[0], ["faulty", false]);
  assert.deepEqual(attempts.at(-1), ["backup", true]);
  assert.equal(routing.finalProvider, "backup");
});

test("leaving in mid-stream closes the provider's connection within 100 ms", async () => {
  const taken = [];
  for (let number = 0; number < 4; number++) {
    const marker = `node-abort-${number}`;
    const stream = await client.chat.completions.create({
      model: "openai/slow-stream",
      messages,
      user: marker,
      stream: true,
    });
    for await (const chunk of stream) if (chunk.choices[0].delta.content) break;
    // Leaving the loop aborts the request. The simulator counts from its receipt of the request,
    // which is before the content came, so this is an upper bound.
    const after = await waitUntil(() => both.simulator.leftAfter(marker), 5000);
    assert.ok(after, "the provider's side is still open five seconds later");
    taken.push(after);
  }
  // The bound is on the gateway; the best try is the one the machine disturbed least.
  assert.ok(Math.min(...taken) <= 100, `${taken} ms`);
});

test("an abort signal before the headers reaches the provider", async () => {
  const marker = "node-abort-early";
  const abort = new AbortController();
  const request = client.chat.completions.create(
    { model: "openai/never-starts", messages, user: marker },
    { signal: abort.signal },
  );
  const ended = assert.rejects(request, OpenAI.APIUserAbortError);
  assert.ok(await waitUntil(async () => (await both.simulator.requests(marker)).length, 5000));
  abort.abort();
  await ended;
  assert.ok(await waitUntil(() => both.simulator.leftAfter(marker), 5000));
});
