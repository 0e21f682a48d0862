// Cline up to 3.89, and Caret with it: openai npm v4, the provider "Vercel AI Gateway" (clients §4).

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import OpenAI from "openai-v4";
import { clientOptions, startBoth } from "../harness.mjs";

const MODEL = "anthropic/claude-sonnet-4";
const ephemeral = { type: "ephemeral" };
// Long enough for a provider that caches nothing below a minimum.
const RULES = "You are a careful coding agent. Read before you write. ".repeat(200);
const parameters = { type: "object", properties: { path: { type: "string" } }, required: ["path"] };
const TOOLS = [{ type: "function", function: { name: "read_file", description: "Reads a file", parameters } }];
const COMMON = {
  model: MODEL,
  max_tokens: 64_000,
  temperature: 0,
  stream: true,
  stream_options: { include_usage: true },
  include_reasoning: true,
  reasoning: { max_tokens: 1024 },
  tools: TOOLS,
  tool_choice: "auto",
  parallel_tool_calls: false,
};
let both, client;

before(async () => {
  both = await startBoth();
  const defaultHeaders = { "HTTP-Referer": "https://cline.bot", "X-Title": "Cline" };
  client = new OpenAI(clientOptions(both, { defaultHeaders }));
});
after(() => both?.close());

/** A text part, marked for the cache or not. */
const text = (content, marked) => ({
  type: "text",
  text: content,
  ...(marked && { cache_control: ephemeral }),
});

/** Two turns as the handler lays them out: the last two user messages carry a mark. */
function turns(marker) {
  return [
    { role: "user", content: [text(`The task: fix the parser. Marker ${marker}.`, true)] },
    { role: "assistant", content: "I looked at the parser." },
    { role: "user", content: [text("Environment details."), text("Go on.", true)] },
  ];
}

/** Reads a stream as the old handler does: membership tests on `delta` without a guard. */
async function readLikeCline(stream) {
  const read = { content: "", reasoning: "", details: [], usages: [] };
  for await (const chunk of stream) {
    const delta = chunk.choices[0]?.delta;
    if (delta?.content) read.content += delta.content;
    if ("reasoning" in delta && delta.reasoning) read.reasoning += delta.reasoning;
    if ("reasoning_details" in delta) read.details.push(...delta.reasoning_details);
    if (chunk.usage) read.usages.push(chunk.usage);
  }
  return read;
}

/** Nanodollars for an Anthropic usage at the catalog's prices, all in whole numbers. */
async function expectedNano(usage) {
  const { pricing } = await client.get(`/models/${MODEL}`);
  const pico = (name) => BigInt(Math.round(Number(pricing[name]) * 1e12));
  const read = usage.prompt_tokens_details.cached_tokens;
  const written = usage.cache_creation_input_tokens;
  const fresh = usage.prompt_tokens - read - written;
  assert.ok(fresh >= 0);
  const sum =
    BigInt(fresh) * pico("input") +
    BigInt(read) * pico("input_cache_read") +
    BigInt(written) * pico("input_cache_write") +
    BigInt(usage.completion_tokens) * pico("output");
  assert.equal(sum % 1000n, 0n, "these prices need no rounding");
  return Number(sum / 1000n);
}

async function roundTrip(body, marker) {
  const read = await readLikeCline(await client.chat.completions.create(body));
  assert.ok(read.content);
  assert.equal(read.usages.length, 1, "usage comes once");
  const [usage] = read.usages;
  assert.ok(!usage.cost_details.upstream_inference_cost, "it would be added to the cost");
  assert.equal(Math.round(usage.cost * 1e9), await expectedNano(usage));
  const seen = (await both.simulator.requests(marker)).at(-1);
  assert.equal(seen.target, "/v1/messages");
  return { read, usage, seen };
}

/** The cache marks of an Anthropic request: system, and the last part of each user message. */
function checkMarks(seen) {
  assert.deepEqual(seen.body.system.at(-1).cache_control, ephemeral);
  const users = seen.body.messages.filter((message) => message.role === "user");
  assert.equal(users.length, 2);
  for (const message of users) assert.deepEqual(message.content.at(-1).cache_control, ephemeral);
  const marks = JSON.stringify(seen.body).split("cache_control").length - 1;
  assert.equal(marks, 3, "no mark was added, moved or lost");
}

test("3.38: message-level cache_control, a thinking budget", async () => {
  const marker = "cline-338";
  const system = { role: "system", content: RULES + marker, cache_control: ephemeral };
  const body = { ...COMMON, messages: [system, ...turns(marker)] };
  const first = await roundTrip(body, marker);
  checkMarks(first.seen);
  assert.deepEqual(first.seen.body.thinking, { type: "enabled", budget_tokens: 1024 });
  assert.ok(first.seen.body.max_tokens >= 64_000);
  assert.ok(!("temperature" in first.seen.body), "a temperature beside thinking is refused upstream");
  assert.equal(first.seen.body.tools[0].name, "read_file");
  assert.deepEqual(first.seen.body.tool_choice, { type: "auto", disable_parallel_tool_use: true });
  assert.ok(first.read.reasoning);
  assert.ok(first.read.details.some((entry) => entry.signature));
  assert.ok(first.usage.cache_creation_input_tokens > 0, "the first request writes the cache");

  const second = await roundTrip(body, marker);
  assert.ok(second.usage.prompt_tokens_details.cached_tokens > 0, "the second reads it");
  assert.ok(second.usage.cost < first.usage.cost);
});

test("3.89: a marked text part, top_p and an effort", async () => {
  const marker = "cline-389";
  const system = { role: "system", content: [text(RULES + marker, true)] };
  const body = {
    ...COMMON,
    top_p: 0.95,
    reasoning: { effort: "medium" },
    messages: [system, ...turns(marker)],
  };
  const { read, seen } = await roundTrip(body, marker);
  checkMarks(seen);
  assert.equal(seen.body.thinking.type, "enabled");
  assert.ok(seen.body.thinking.budget_tokens >= 1024);
  assert.ok(read.reasoning);
});

test("3.89: adaptive thinking by `enabled`, and reasoning left out", async () => {
  const enabled = "cline-enabled";
  const messages = (marker) => [{ role: "system", content: [text(RULES, true)] }, ...turns(marker)];
  const on = await roundTrip(
    { ...COMMON, reasoning: { enabled: true }, verbosity: "medium", messages: messages(enabled) },
    enabled,
  );
  assert.ok(on.read.reasoning);

  const left = "cline-without";
  const { reasoning, ...rest } = COMMON;
  const off = await roundTrip({ ...rest, include_reasoning: false, messages: messages(left) }, left);
  assert.equal(off.read.reasoning, "");
  assert.ok(!("thinking" in off.seen.body));
  assert.equal(off.seen.body.temperature, 0);
});

test("a max_tokens of 0 counts as absent", async () => {
  const marker = "cline-zero";
  const body = { ...COMMON, max_tokens: 0, messages: turns(marker) };
  const { seen } = await roundTrip(body, marker);
  assert.ok(seen.body.max_tokens > seen.body.thinking.budget_tokens);
});

test("the model list as the settings page fetches it", async () => {
  const response = await fetch(`${both.gateway.url}/v1/models?include_mappings=true`);
  assert.equal(response.status, 200);
  const { data } = await response.json();
  const model = data.find((entry) => entry.id === "anthropic/claude-haiku-4.5");
  for (const name of ["input", "output", "input_cache_read", "input_cache_write"]) {
    assert.ok(Number.parseFloat(model.pricing[name]) * 1e6 > 0, name);
  }
  assert.ok(model.max_tokens > 0 && model.context_window > 0);
  assert.ok(model.tags.includes("reasoning"));
});
