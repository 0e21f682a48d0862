// One suite for every published line of the AI SDK and its gateway client (gateway-api §17, clients §5).

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { z } from "zod";
import { checkGateway, checkRecord, generation } from "./accounts.mjs";
import { gatewayKey, startBoth, waitUntil } from "./harness.mjs";
import { collect } from "./wire.mjs";

const PROVIDERS = {
  "openai/gpt-5.4-mini": "openai",
  "anthropic/claude-haiku-4.5": "anthropic",
  "google/gemini-2.5-flash": "google",
};
const THINK = {
  anthropic: { thinking: { type: "enabled", budgetTokens: 1024 } },
  openai: { reasoningEffort: "medium", reasoningSummary: "auto" },
  google: { thinkingConfig: { includeThoughts: true, thinkingBudget: 1024 } },
};

/**
 * Tests of one line.
 *
 * `ai` is the package, `createGateway` that of the client that comes with it, `path` its default base,
 * `version` the specification it speaks, `has` what it can do.
 */
export function suite({ line, ai, createGateway, path, version, has }) {
  let both, provider;

  before(async () => {
    both = await startBoth();
    provider = gateway();
  });
  after(() => both?.close());

  const gateway = (apiKey = both.key) => createGateway({ baseURL: both.gateway.url + path, apiKey });
  const named = (title, run) => test(`${line}: ${title}`, run);
  const once = (more) => ({ maxRetries: 0, ...more });
  const counts = (usage) => ({ prompt: usage.inputTokens, completion: usage.outputTokens });

  const weather = (asked) =>
    ai.tool({
      description: "The weather in a city",
      inputSchema: z.object({ city: z.string() }),
      execute: async ({ city }) => {
        asked.push(city);
        return `Sunny, code QX7${asked.length}.`;
      },
    });

  const checkResult = async (result, model, streamed) => {
    const usage = await result.usage;
    assert.equal(usage.totalTokens, usage.inputTokens + usage.outputTokens);
    const metadata = checkGateway(await result.providerMetadata, { model, provider: PROVIDERS[model] });
    const { cost, generationId } = metadata;
    await checkRecord(both, generationId, { ...counts(usage), model, cost, streamed });
  };

  for (const [model, slug] of Object.entries(PROVIDERS)) {
    named(`generateText with ${model}`, async () => {
      const result = await ai.generateText(once({ model: provider(model), prompt: "Tell me about canals." }));
      assert.ok(result.text);
      assert.equal(result.finishReason, "stop");
      await checkResult(result, model, false);
    });

    named(`streamText with ${model}`, async () => {
      const result = ai.streamText(once({ model: provider(model), prompt: "Tell me about locks." }));
      const parts = await collect(result.textStream);
      assert.ok(parts.length > 1, "in more than one piece");
      assert.equal(parts.join(""), await result.text);
      assert.equal(await result.finishReason, "stop");
      await checkResult(result, model, true);
    });

    for (const how of ["generateText", "streamText"]) {
      named(`a tool with ${model}, ${how}`, async () => {
        const asked = [];
        const result = await ai[how](
          once({
            model: provider(model),
            prompt: "What is the weather in Paris? Use get_weather.",
            tools: { get_weather: weather(asked) },
            stopWhen: ai.stepCountIs(3),
          }),
        );
        assert.match(await result.text, /QX71/, "the tool's result reached the model");
        assert.equal(asked.length, 1);
        const [first] = await result.steps;
        assert.equal(first.finishReason, "tool-calls");
        assert.equal(first.toolCalls[0].toolName, "get_weather");
      });

      named(`parallel tools with ${model}, ${how}`, async () => {
        const asked = [];
        const result = await ai[how](
          once({
            model: provider(model),
            prompt: "Use parallel calls: get_weather for Paris and get_weather for Rome.",
            tools: { get_weather: weather(asked) },
            stopWhen: ai.stepCountIs(3),
          }),
        );
        assert.match(await result.text, /QX7[12][^]*QX7[12]/);
        assert.equal(asked.length, 2);
      });

      named(`the reasoning of ${model} goes round, ${how}`, async () => {
        const marker = `aisdk-${line.replaceAll(" ", "-")}-${slug}-${how}`;
        const common = { model: provider(model), maxOutputTokens: 4096, providerOptions: { [slug]: THINK[slug] } };
        const question = { role: "user", content: "How many prime numbers are below twenty?" };
        const first = await ai[how](once({ ...common, messages: [question] }));
        assert.ok(await first.reasoningText);
        const { messages } = await first.response;
        // The simulator refuses a seal that is not byte for byte the one it issued.
        const again = [question, ...messages, { role: "user", content: `Are you sure? ${marker}` }];
        const second = await ai[how](once({ ...common, messages: again }));
        assert.ok(await second.text);
        if (slug === "anthropic") {
          const sent = (await both.simulator.request(marker)).body.messages[1].content[0];
          assert.equal(sent.type, "thinking");
          assert.equal(sent.thinking, await first.reasoningText);
          assert.ok(sent.signature);
        }
      });
    }

    named(`structured output with ${model}`, async () => {
      const schema = z.object({ name: z.string(), population: z.number(), coastal: z.boolean() });
      const { object } = await ai.generateObject(once({ model: provider(model), schema, prompt: "Describe Hamburg." }));
      assert.equal(typeof object.population, "number");
      assert.equal(typeof object.coastal, "boolean");
    });
  }

  named("embed and embedMany", async () => {
    const id = "openai/text-embedding-3-small";
    const model = provider.textEmbeddingModel(id);
    const one = await ai.embed(once({ model, value: "harbour" }));
    assert.ok(one.embedding.length > 8);
    assert.ok(one.usage.tokens > 0);
    const many = await ai.embedMany(once({ model, values: ["harbour", "lock"] }));
    assert.deepEqual(many.embeddings[0], one.embedding);
    assert.notDeepEqual(many.embeddings[1], one.embedding);
    checkGateway(one.providerMetadata, { model: id, provider: "openai" });
  });

  if (has.image) {
    named("an image", async () => {
      const generateImage = ai.generateImage ?? ai.experimental_generateImage;
      const model = provider.imageModel("openai/gpt-image-1-mini");
      const { image } = await generateImage(once({ model, prompt: "A lighthouse.", size: "1024x1024" }));
      assert.deepEqual([...image.uint8Array.slice(0, 4)], [0x89, 0x50, 0x4e, 0x47]);
      assert.equal(image.mediaType, "image/png");
    });
  }

  if (has.rerank) {
    named("rerank", async () => {
      const documents = ["Bread is made of flour.", "Hamburg is a city and has a harbour.", "Ships sail."];
      const model = provider.rerankingModel("cohere/rerank-v3.5");
      const result = await ai.rerank(once({ model, documents, query: "Which city has a harbour?", topN: 2 }));
      assert.equal(result.ranking.length, 2);
      assert.equal(result.ranking[0].originalIndex, 1);
      assert.equal(result.rerankedDocuments[0], documents[1]);
      assert.ok(result.ranking[0].score >= result.ranking[1].score);
    });
  }

  named("getAvailableModels is accepted whole", async () => {
    const { models } = await provider.getAvailableModels();
    const model = models.find((entry) => entry.id === "anthropic/claude-haiku-4.5");
    assert.equal(model.specification.specificationVersion, version);
    assert.equal(model.specification.modelId, model.id);
    assert.match(model.pricing.input, /^\d+(\.\d+)?$/);
    assert.ok(models.length > 100);
  });

  named("getCredits", async () => {
    const credits = await provider.getCredits();
    assert.match(credits.balance, /^-?\d+(\.\d+)?$/);
    assert.match(credits.totalUsed, /^\d+(\.\d+)?$/);
  });

  if (has.generation) {
    named("getGenerationInfo finds what was just made", async () => {
      const result = await ai.generateText(once({ model: provider("openai/echo"), prompt: "Hello." }));
      const { generationId: id } = result.providerMetadata.gateway;
      const info = await provider.getGenerationInfo({ id });
      const record = await generation(both, id);
      assert.equal(info.totalCost, record.total_cost);
      assert.equal(info.model, "openai/echo");
    });
  }

  for (const [what, model, apiKey, name, status] of [
    ["an unknown model", "openai/no-such-model", null, "GatewayModelNotFoundError", 404],
    ["a wrong key", "openai/echo", "wrong", "GatewayAuthenticationError", 401],
    ["a provider's 429", "openai/fail-429", null, "GatewayRateLimitError", 429],
    ["a provider's 503", "openai/fail-503", null, "GatewayInternalServerError", 503],
  ]) {
    named(`${what} is a ${name}`, async () => {
      const with_ = apiKey ? gateway(gatewayKey()) : provider;
      await assert.rejects(ai.generateText(once({ model: with_(model), prompt: "Hello." })), (error) => {
        assert.equal(error.name, name, String(error));
        // The packages put a text of their own in the place of a 401, without its status.
        if (status !== 401) assert.equal(error.statusCode, status);
        return true;
      });
    });

    named(`${what} in a stream is a ${name}`, async () => {
      const with_ = apiKey ? gateway(gatewayKey()) : provider;
      let seen = null;
      const onError = ({ error }) => {
        seen = error;
      };
      const result = ai.streamText(once({ model: with_(model), prompt: "Hello.", onError }));
      await result.consumeStream({ onError: () => {} });
      assert.equal(seen?.name, name, String(seen));
    });
  }

  for (const model of ["openai/cut-in-mid-stream", "openai/error-in-mid-stream"]) {
    named(`${model} reports an error after the text`, async () => {
      const result = ai.streamText(once({ model: provider(model), prompt: "Hello.", onError: () => {} }));
      const kinds = [];
      for await (const part of result.fullStream) kinds.push(part.type);
      assert.ok(kinds.includes("text-delta"), "what had arrived was delivered");
      assert.ok(kinds.includes("error"), kinds.join(" "));
    });
  }

  named("an abort in mid-stream reaches the provider", async () => {
    const marker = `aisdk-abort-${line.replaceAll(" ", "-")}`;
    const abort = new AbortController();
    const options = { model: provider("openai/slow-stream"), prompt: `Hello. ${marker}`, abortSignal: abort.signal };
    const result = ai.streamText(once({ ...options, onError: () => {} }));
    for await (const part of result.fullStream) {
      if (part.type === "text-delta") abort.abort();
    }
    assert.ok(await waitUntil(() => both.simulator.leftAfter(marker), 5000), "the provider's side is still open");
  });
}
