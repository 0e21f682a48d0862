// The `@anthropic-ai/sdk` package: Messages for Anthropic unchanged, for others through translation (gateway-api §8).

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import Anthropic from "@anthropic-ai/sdk";
import { checkGateway, checkRecord } from "../accounts.mjs";
import { gatewayKey, startBoth, waitUntil } from "../harness.mjs";
import { collect, GENERATION_ID, user } from "../wire.mjs";

const OWN = "anthropic/claude-haiku-4.5";
const PROVIDERS = { [OWN]: "anthropic", "openai/gpt-5.4-mini": "openai", "google/gemini-2.5-flash": "google" };
const MODELS = Object.keys(PROVIDERS);
const WEATHER = {
  name: "get_weather",
  description: "The weather in a city",
  input_schema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
};
const THINKING = { type: "enabled", budget_tokens: 1024 };
let both, client;

/** A client; retries are off, so that a test sees the first answer. */
function anthropic(changes = {}) {
  return new Anthropic({ baseURL: both.gateway.url, apiKey: both.key, maxRetries: 0, timeout: 30_000, ...changes });
}

before(async () => {
  both = await startBoth();
  client = anthropic();
});
after(() => both?.close());

/** What the record calls the prompt: here the cached tokens are not in `input_tokens`. */
function counts(usage) {
  const cached = (usage.cache_read_input_tokens ?? 0) + (usage.cache_creation_input_tokens ?? 0);
  return { prompt: usage.input_tokens + cached, completion: usage.output_tokens };
}

const textOf = (message) => message.content.filter((block) => block.type === "text").map((block) => block.text).join("");

for (const model of MODELS) {
  const marker = (name) => `${name}-${PROVIDERS[model]}`;

  test(`a whole message of ${model}`, async () => {
    const question = `Tell me about ${marker("harbours")}.`;
    const message = await client.messages.create({ model, max_tokens: 512, messages: [user(question)] });
    assert.match(message.id, GENERATION_ID);
    assert.equal(message.type, "message");
    assert.equal(message.role, "assistant");
    assert.equal(message.stop_reason, "end_turn");
    assert.equal(message.stop_sequence, null);
    assert.ok(textOf(message));
    const { cost } = checkGateway(message.provider_metadata, { model, provider: PROVIDERS[model] });
    await checkRecord(both, message.id, { ...counts(message.usage), model, cost, streamed: false });
    assert.equal((await both.simulator.requests(marker("harbours"))).length, 1);
  });

  test(`a streamed message of ${model}`, async () => {
    const body = { model, max_tokens: 512, messages: [user("Tell me about lighthouses.")] };
    const stream = client.messages.stream(body);
    const events = await collect(stream);
    const message = await stream.finalMessage();
    const kinds = events.map((event) => event.type).filter((type) => type !== "ping");
    assert.equal(kinds[0], "message_start");
    assert.deepEqual(kinds.slice(-2), ["message_delta", "message_stop"]);
    let open = null;
    for (const event of events) {
      if (event.type === "content_block_start") {
        assert.equal(open, null, "one block after the other");
        open = event.index;
      } else if (event.type === "content_block_delta") {
        assert.equal(event.index, open);
      } else if (event.type === "content_block_stop") {
        open = null;
      }
    }
    assert.ok(textOf(message));
    assert.equal(message.stop_reason, "end_turn");
    assert.ok(events[0].message.usage.input_tokens > 0 || model !== OWN, "known at the start from Anthropic");
    await checkRecord(both, message.id, { ...counts(message.usage), model, streamed: true });
  });

  for (const streamed of [false, true]) {
    const how = streamed ? " in a stream" : "";
    const ask = (body) => (streamed ? client.messages.stream(body).finalMessage() : client.messages.create(body));

    test(`a tool of ${model} is called and its result read${how}`, async () => {
      const question = user("What is the weather in Paris? Use get_weather.");
      const body = { model, max_tokens: 512, tools: [WEATHER], messages: [question] };
      const first = await ask(body);
      assert.equal(first.stop_reason, "tool_use");
      const calls = first.content.filter((block) => block.type === "tool_use");
      assert.equal(calls.length, 1);
      assert.equal(calls[0].name, "get_weather");
      assert.ok(calls[0].id && calls[0].input.city);
      const result = { type: "tool_result", tool_use_id: calls[0].id, content: "Sunny, code QX81." };
      const second = await ask({
        ...body,
        messages: [question, { role: "assistant", content: first.content }, user([result])],
      });
      assert.equal(second.stop_reason, "end_turn");
      assert.match(textOf(second), /QX81/, "the tool's result reached the model");
    });

    test(`parallel tools of ${model} keep their ids and their order${how}`, async () => {
      const question = user("Use parallel calls: get_weather for Paris and get_weather for Rome.");
      const body = { model, max_tokens: 512, tools: [WEATHER], messages: [question] };
      const first = await ask(body);
      const calls = first.content.filter((block) => block.type === "tool_use");
      assert.equal(calls.length, 2);
      assert.notEqual(calls[0].id, calls[1].id);
      for (const call of calls) assert.ok(call.input.city);
      const results = calls.map((call, index) => ({
        type: "tool_result",
        tool_use_id: call.id,
        content: `Code QX9${index}.`,
      }));
      const second = await ask({
        ...body,
        messages: [question, { role: "assistant", content: first.content }, user(results)],
      });
      assert.match(textOf(second), /QX90[^]*QX91/);
    });

    test(`the thinking of ${model} goes round${how}`, async () => {
      const name = marker(`think${streamed}`);
      const question = user("How many prime numbers are below twenty?");
      const body = { model, max_tokens: 4096, thinking: THINKING, messages: [question] };
      const first = await ask(body);
      assert.equal(first.content[0].type, "thinking", "thinking precedes the text");
      assert.ok(first.content[0].thinking);
      assert.equal(typeof first.content[0].signature, "string");
      // The simulator refuses a seal that is not byte for byte the one it issued.
      const second = await ask({
        ...body,
        messages: [question, { role: "assistant", content: first.content }, user(`Are you sure? ${name}`)],
      });
      assert.ok(textOf(second));
      if (model === OWN) {
        const seen = await both.simulator.request(name);
        assert.deepEqual(seen.body.messages[1].content, first.content);
      }
    });
  }

  test(`the tokens of ${model} are counted without an answer`, async () => {
    const body = { model, messages: [user("How long is this sentence?")] };
    const short = await client.messages.countTokens(body);
    const long = await client.messages.countTokens({ ...body, messages: [user("word ".repeat(500))] });
    assert.ok(short.input_tokens > 0);
    assert.ok(long.input_tokens > short.input_tokens + 200);
  });
}

test("the system prompt, in blocks with a cache mark, reaches Anthropic as it was", async () => {
  const system = [
    { type: "text", text: "You are careful. messages-system" },
    { type: "text", text: "Rules. ".repeat(1500), cache_control: { type: "ephemeral" } },
  ];
  const body = { model: OWN, max_tokens: 256, system, messages: [user("Hello.")] };
  const first = await client.messages.create(body);
  const second = await client.messages.create(body);
  const [seen] = await both.simulator.requests("messages-system");
  assert.deepEqual(seen.body.system, system);
  assert.ok(first.usage.cache_creation_input_tokens > 0);
  assert.equal(second.usage.cache_read_input_tokens, first.usage.cache_creation_input_tokens);
  await checkRecord(both, second.id, counts(second.usage));
});

test("what the gateway does not know reaches Anthropic as well", async () => {
  const body = { model: OWN, max_tokens: 64, messages: [user("Hello. messages-unknown")], unheard_of: { a: [1, 2.5] } };
  const headers = { "anthropic-beta": "context-1m-2025-08-07,never-heard-of-2026-01-01" };
  await client.messages.create(body, { headers });
  const seen = await both.simulator.request("messages-unknown");
  assert.deepEqual(seen.body.unheard_of, { a: [1, 2.5] });
  assert.equal(Object.fromEntries(seen.headers)["anthropic-beta"], headers["anthropic-beta"]);
});

test("unknown betas and members do not trouble other models", async () => {
  const body = { model: "openai/gpt-5.4-mini", max_tokens: 64, messages: [user("Hello.")] };
  const odd = { ...body, context_management: { edits: [] }, metadata: { user_id: "one" }, unheard_of: 1 };
  const headers = { "anthropic-beta": "context-management-2025-06-27,never-heard-of-2026-01-01" };
  assert.ok(textOf(await client.messages.create(odd, { headers })));
});

test("a name of Anthropic's own is resolved here", async () => {
  const message = await client.messages.create({ model: "claude-haiku-4-5", max_tokens: 64, messages: [user("Hello.")] });
  assert.equal(message.provider_metadata.gateway.routing.canonicalSlug, OWN);
});

test("a bearer token is as good as x-api-key", async () => {
  const bearer = anthropic({ apiKey: null, authToken: both.key });
  assert.ok(textOf(await bearer.messages.create({ model: OWN, max_tokens: 64, messages: [user("Hello.")] })));
});

test("the list of models can be read with this client", async () => {
  const ids = (await client.models.list()).data.map((entry) => entry.id);
  for (const model of MODELS) assert.ok(ids.includes(model), model);
});

/** The error that a message ends in. */
async function refused(body, changes = {}) {
  try {
    await anthropic(changes).messages.create({ model: OWN, max_tokens: 64, messages: [user("Hello.")], ...body });
  } catch (error) {
    return error;
  }
  throw new assert.AssertionError({ message: "the request was answered" });
}

for (const [what, body, changes, kind, type] of [
  ["a wrong key", {}, { apiKey: gatewayKey() }, "AuthenticationError", "authentication_error"],
  ["an unknown model", { model: "anthropic/claude-nothing" }, {}, "NotFoundError", "not_found_error"],
  ["no max_tokens", { max_tokens: undefined }, {}, "BadRequestError", "invalid_request_error"],
  ["a wrong type", { messages: [{ role: "user", content: 7 }] }, {}, "BadRequestError", "invalid_request_error"],
  ["a provider's 429", { model: "anthropic/fail-429" }, {}, "RateLimitError", "rate_limit_error"],
  ["another protocol's 429", { model: "openai/fail-429" }, {}, "RateLimitError", "rate_limit_error"],
  ["a provider's 503", { model: "anthropic/fail-503" }, {}, "InternalServerError", null],
  ["another protocol's 401", { model: "openai/fail-401" }, {}, "InternalServerError", null],
]) {
  for (const stream of [false, true]) {
    test(`${what} is a ${kind}${stream ? " in a stream" : ""}`, async () => {
      const error = await refused({ ...body, stream }, changes);
      assert.ok(error instanceof Anthropic[kind], error);
      assert.equal(error.error.type, "error");
      assert.ok(error.error.error.message);
      if (type) assert.equal(error.error.error.type, type);
      if (changes.apiKey) assert.ok(!error.message.includes(changes.apiKey));
    });
  }
}

for (const model of ["anthropic/cut-in-mid-stream", "anthropic/error-in-mid-stream", "openai/cut-in-mid-stream"]) {
  test(`${model} raises and never ends cleanly`, async () => {
    const stream = await client.messages.create({ model, max_tokens: 512, messages: [user("Hello.")], stream: true });
    const seen = [];
    await assert.rejects(async () => {
      for await (const event of stream) seen.push(event.type);
    }, Anthropic.APIError);
    assert.ok(seen.includes("content_block_delta"), "what had arrived was delivered");
    assert.ok(!seen.includes("message_stop"));
  });
}

for (const model of ["anthropic/slow-stream", "openai/slow-stream", "google/slow-stream"]) {
  test(`leaving ${model} in mid-stream reaches the provider`, async () => {
    const marker = `messages-abort-${model.split("/")[0]}`;
    const body = { model, max_tokens: 4096, messages: [user(`Hello. ${marker}`)], stream: true };
    for await (const event of await client.messages.create(body)) if (event.type === "content_block_delta") break;
    assert.ok(await waitUntil(() => both.simulator.leftAfter(marker), 5000), "the provider's side is still open");
  });
}
