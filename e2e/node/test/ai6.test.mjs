// The package `ai` with the client `@ai-sdk/gateway` of its line; see ../ai_sdk.mjs.

import * as ai from "ai6";
import { suite } from "../ai_sdk.mjs";

suite({ line: "AI SDK 6", ai, createGateway: ai.createGateway, path: "/v3/ai", version: "v3", has: { image: true, rerank: true, generation: true } });
