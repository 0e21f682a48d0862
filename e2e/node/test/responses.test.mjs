// The Responses interface of the `openai` package (gateway-api §7.2): OpenAI's own models and others.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import OpenAI from "openai";
import { zodTextFormat } from "openai/helpers/zod";
import { z } from "zod";
import { checkGateway, checkRecord } from "../accounts.mjs";
import { clientOptions, gatewayKey, startBoth, waitUntil } from "../harness.mjs";
import { collect, GENERATION_ID, user } from "../wire.mjs";

const OWN = "openai/gpt-5.4-mini";
const PROVIDERS = { [OWN]: "openai", "anthropic/claude-haiku-4.5": "anthropic", "google/gemini-2.5-flash": "google" };
const WEATHER = {
  type: "function",
  name: "get_weather",
  description: "The weather in a city",
  parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"], additionalProperties: false },
  strict: true,
};
let both, client;

before(async () => {
  both = await startBoth();
  client = new OpenAI(clientOptions(both));
});
after(() => both?.close());

const counts = (usage) => ({ prompt: usage.input_tokens, completion: usage.output_tokens });

/** What holds for each finished response. */
async function checkResponse(response, model, streamed) {
  assert.match(response.id, GENERATION_ID);
  assert.equal(response.object, "response");
  assert.equal(response.status, "completed");
  assert.equal(response.error, null);
  assert.equal(response.incomplete_details, null);
  const { usage } = response;
  assert.equal(usage.total_tokens, usage.input_tokens + usage.output_tokens);
  assert.equal(typeof usage.input_tokens_details.cached_tokens, "number");
  assert.ok(usage.output_tokens_details.reasoning_tokens <= usage.output_tokens);
  const { cost } = checkGateway(response.providerMetadata, { model, provider: PROVIDERS[model] });
  await checkRecord(both, response.id, { ...counts(usage), model, cost, streamed });
}

/** The response as a stream gives it, with the order of the events checked. */
async function streamed(body) {
  const events = await collect(await client.responses.create({ ...body, stream: true }));
  assert.deepEqual(events.slice(0, 2).map((event) => event.type), ["response.created", "response.in_progress"]);
  for (const [index, event] of events.entries()) {
    if (index > 0) assert.ok(event.sequence_number > events[index - 1].sequence_number, "sequence numbers grow");
  }
  const last = events.at(-1);
  assert.equal(last.type, "response.completed");
  const count = (type) => events.filter((event) => event.type === type).length;
  assert.equal(count("response.output_item.added"), last.response.output.length);
  assert.equal(count("response.output_item.done"), last.response.output.length);
  assert.equal(count("response.content_part.added"), count("response.content_part.done"));
  const text = events.filter((event) => event.type === "response.output_text.delta").map((event) => event.delta);
  const whole = last.response.output.flatMap((item) => item.content ?? []).filter((part) => part.type === "output_text");
  assert.equal(text.join(""), whole.map((part) => part.text).join(""));
  return { events, response: last.response, text: text.join("") };
}

for (const model of Object.keys(PROVIDERS)) {
  test(`a whole response of ${model}`, async () => {
    const input = `Tell me about canals. responses-whole-${PROVIDERS[model]}`;
    const response = await client.responses.create({ model, input, instructions: "Be brief." });
    assert.ok(response.output_text);
    assert.equal(response.output.at(-1).type, "message");
    await checkResponse(response, model, false);
  });

  test(`a streamed response of ${model}`, async () => {
    const { response, text } = await streamed({ model, input: [user("Tell me about locks.")] });
    assert.ok(text);
    await checkResponse(response, model, true);
  });

  for (const how of ["whole", "streamed"]) {
    const ask = async (body) => (how === "whole" ? client.responses.create(body) : (await streamed(body)).response);

    test(`a tool of ${model} is called and its result read, ${how}`, async () => {
      const question = user("What is the weather in Paris? Use get_weather.");
      const first = await ask({ model, input: [question], tools: [WEATHER] });
      const calls = first.output.filter((item) => item.type === "function_call");
      assert.equal(calls.length, 1);
      assert.equal(calls[0].name, "get_weather");
      assert.ok(JSON.parse(calls[0].arguments).city);
      const result = { type: "function_call_output", call_id: calls[0].call_id, output: "Sunny, code QX61." };
      const second = await ask({ model, input: [question, ...first.output, result], tools: [WEATHER] });
      const text = second.output.flatMap((item) => item.content ?? []).map((part) => part.text ?? "").join("");
      assert.match(text, /QX61/, "the tool's result reached the model");
    });

    test(`parallel tools of ${model} are two items, ${how}`, async () => {
      const input = "Use parallel calls: get_weather for Paris and get_weather for Rome.";
      const { output } = await ask({ model, input, tools: [WEATHER] });
      const calls = output.filter((item) => item.type === "function_call");
      assert.equal(calls.length, 2);
      assert.notEqual(calls[0].call_id, calls[1].call_id);
      for (const call of calls) assert.ok(JSON.parse(call.arguments).city);
    });

    test(`the reasoning of ${model} goes round encrypted, ${how}`, async () => {
      const marker = `responses-reasoning-${PROVIDERS[model]}-${how}`;
      const question = user("How many prime numbers are below twenty?");
      const body = {
        model,
        store: false,
        include: ["reasoning.encrypted_content"],
        reasoning: { effort: "medium", summary: "auto" },
      };
      const first = await ask({ ...body, input: [question] });
      const [reasoning] = first.output;
      assert.equal(reasoning.type, "reasoning", "reasoning comes first");
      // Gemini signs the text behind its thoughts, so that its state may come as an item of its own.
      assert.ok(first.output.some((item) => item.type === "reasoning" && item.encrypted_content));
      // Anthropic does not say how many of its tokens are reasoning.
      if (!model.startsWith("anthropic/")) assert.ok(first.usage.output_tokens_details.reasoning_tokens > 0);
      // The simulator refuses a seal that is not byte for byte the one it issued.
      const input = [question, ...first.output, user(`Are you sure? ${marker}`)];
      const second = await ask({ ...body, input });
      assert.ok(second.output.some((item) => item.type === "message"));
      if (model === OWN) {
        const seen = await both.simulator.request(marker);
        const sent = seen.body.input.find((item) => item.type === "reasoning");
        assert.equal(sent.encrypted_content, reasoning.encrypted_content);
      }
    });
  }

  test(`the structured output of ${model} is parsed`, async () => {
    const Place = z.object({ name: z.string(), population: z.number(), coastal: z.boolean() });
    const answer = await client.responses.parse({
      model,
      input: "Describe Hamburg.",
      text: { format: zodTextFormat(Place, "place") },
    });
    assert.equal(typeof answer.output_parsed.population, "number");
    assert.equal(typeof answer.output_parsed.coastal, "boolean");
  });
}

test("what the gateway does not know reaches OpenAI", async () => {
  const body = { model: OWN, input: "Hello. responses-unknown", prompt_cache_key: "k-1", unheard_of: { a: [1, 2.5] } };
  await client.responses.create(body);
  const seen = await both.simulator.request("responses-unknown");
  assert.equal(seen.target, "/v1/responses");
  assert.equal(seen.body.prompt_cache_key, "k-1");
  assert.deepEqual(seen.body.unheard_of, { a: [1, 2.5] });
});

test("tools that are no functions are dropped for other models", async () => {
  const tools = [{ type: "web_search" }, WEATHER];
  const answer = await client.responses.create({ model: "anthropic/claude-haiku-4.5", input: "Hello.", tools });
  assert.ok(answer.output_text);
});

/** The error that a response ends in. */
async function refused(body, options = {}) {
  const with_ = new OpenAI(clientOptions(both, options));
  try {
    await with_.responses.create({ model: OWN, input: "Hello.", ...body });
  } catch (error) {
    return error;
  }
  throw new assert.AssertionError({ message: "the request was answered" });
}

for (const [what, body, options, kind, type] of [
  ["a wrong key", {}, { apiKey: gatewayKey() }, "AuthenticationError", "authentication_error"],
  ["an unknown model", { model: "openai/gtp-5" }, {}, "NotFoundError", "model_not_found"],
  ["a wrong type", { input: 7 }, {}, "BadRequestError", "invalid_request_error"],
  ["a provider's 429", { model: "openai/fail-429" }, {}, "RateLimitError", "rate_limit_exceeded"],
  ["a provider's 503", { model: "openai/fail-503" }, {}, "InternalServerError", null],
  ["a provider's 401", { model: "openai/fail-401" }, {}, "InternalServerError", null],
]) {
  for (const stream of [false, true]) {
    test(`${what} is a ${kind}${stream ? " in a stream" : ""}`, async () => {
      const error = await refused({ ...body, stream }, options);
      assert.ok(error instanceof OpenAI[kind], error);
      if (type) assert.equal(error.type, type);
    });
  }
}

for (const model of ["openai/cut-in-mid-stream", "openai/error-in-mid-stream"]) {
  test(`${model} does not end in a completed response`, async () => {
    const seen = [];
    let raised = null;
    try {
      const stream = await client.responses.create({ model, input: "Hello.", stream: true });
      for await (const event of stream) seen.push(event.type);
    } catch (error) {
      raised = error;
    }
    assert.ok(seen.includes("response.output_text.delta"), "what had arrived was delivered");
    assert.ok(!seen.includes("response.completed"));
    assert.ok(raised instanceof OpenAI.APIError || seen.at(-1) === "response.failed", String(raised ?? seen.at(-1)));
  });
}

for (const model of ["openai/slow-stream", "anthropic/slow-stream"]) {
  test(`leaving ${model} in mid-stream reaches the provider`, async () => {
    const marker = `responses-abort-${model.split("/")[0]}`;
    const stream = await client.responses.create({ model, input: `Hello. ${marker}`, stream: true });
    for await (const event of stream) if (event.type === "response.output_text.delta") break;
    assert.ok(await waitUntil(() => both.simulator.leftAfter(marker), 5000), "the provider's side is still open");
  });
}
