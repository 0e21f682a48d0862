// Tool calls, structured outputs and reasoning through the SDK's own helpers.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import OpenAI from "openai";
import { zodResponseFormat } from "openai/helpers/zod";
import { z } from "zod";
import { clientOptions, startBoth } from "../harness.mjs";
import { checkChunks, collect, user } from "../wire.mjs";

const MODELS = ["openai/gpt-4o", "anthropic/claude-haiku-4.5"];
const parameters = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const WEATHER = {
  type: "function",
  function: { name: "get_weather", description: "The weather in a city", parameters },
};
const PARALLEL = user("Use parallel calls: get_weather for Paris and get_weather for Rome.");
let both, client;

before(async () => {
  both = await startBoth();
  client = new OpenAI(clientOptions(both));
});
after(() => both?.close());

for (const model of MODELS) {
  test(`runTools goes through the whole loop with ${model}`, async () => {
    const asked = [];
    const tool = {
      type: "function",
      function: {
        ...WEATHER.function,
        parse: JSON.parse,
        function: ({ city }) => {
          asked.push(city);
          return "Sunny, code QX91.";
        },
      },
    };
    const runner = client.chat.completions.runTools({
      model,
      messages: [user("What is the weather in Paris? Use get_weather.")],
      tools: [tool],
      stream: true,
    });
    const text = await runner.finalContent();
    assert.equal(asked.length, 1);
    assert.ok(asked[0]);
    assert.match(text, /QX91/, "the tool's result reached the model");
  });

  test(`parallel deltas of ${model} do not interleave`, async () => {
    const stream = await client.chat.completions.create({
      model,
      messages: [PARALLEL],
      tools: [WEATHER],
      stream: true,
    });
    const chunks = await collect(stream);
    assert.equal(checkChunks(chunks, model).choices[0].finish_reason, "tool_calls");
    const calls = [];
    for (const delta of chunks.flatMap((chunk) => chunk.choices[0].delta.tool_calls ?? [])) {
      if (delta.id) {
        assert.equal(delta.index, calls.length);
        assert.equal(delta.function.name, "get_weather");
        assert.equal(delta.function.arguments, "");
        calls.push("");
      } else {
        assert.equal(delta.index, calls.length - 1, "a call was continued after the next had begun");
        calls[delta.index] += delta.function.arguments;
      }
    }
    assert.equal(calls.length, 2);
    for (const text of calls) assert.ok(JSON.parse(text).city);
  });

  test(`the parse helper reads structured output of ${model}`, async () => {
    const Place = z.object({ name: z.string(), population: z.number(), rivers: z.array(z.string()) });
    const answer = await client.chat.completions.parse({
      model,
      messages: [user("Describe Hamburg.")],
      response_format: zodResponseFormat(Place, "place"),
    });
    assert.equal(typeof answer.choices[0].message.parsed.population, "number");
  });
}

test("reasoning goes out in three forms and its signature comes back bit-exact", async () => {
  const model = "anthropic/claude-haiku-4.5";
  const reasoning = { max_tokens: 2048 };
  const question = user("How many prime numbers are below twenty?");
  const stream = await client.chat.completions.create({ model, messages: [question], reasoning, stream: true });
  const deltas = (await collect(stream)).map((chunk) => chunk.choices[0].delta);
  const text = deltas.map((delta) => delta.reasoning ?? "").join("");
  assert.ok(text);
  assert.equal(deltas.map((delta) => delta.reasoning_content ?? "").join(""), text);
  const details = deltas.flatMap((delta) => delta.reasoning_details ?? []);
  assert.equal(details.map((entry) => entry.text).join(""), text);
  const signatures = details.map((entry) => entry.signature).filter(Boolean);
  assert.equal(signatures.length, 1);

  const content = deltas.map((delta) => delta.content ?? "").join("");
  const echo = { role: "assistant", content, reasoning_details: details };
  await client.chat.completions.create({
    model,
    messages: [question, echo, user("Are you sure? node-signature")],
    reasoning,
  });
  const seen = await both.simulator.request("node-signature");
  const [thinking] = seen.body.messages[1].content;
  assert.deepEqual(thinking, { type: "thinking", thinking: text, signature: signatures[0] });
});
