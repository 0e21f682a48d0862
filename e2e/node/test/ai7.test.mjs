// The package `ai` with the client `@ai-sdk/gateway` of its line; see ../ai_sdk.mjs.

import * as ai from "ai7";
import { suite } from "../ai_sdk.mjs";

suite({ line: "AI SDK 7", ai, createGateway: ai.createGateway, path: "/v4/ai", version: "v4", has: { image: true, rerank: true, generation: true } });
