// The package `ai` with the client `@ai-sdk/gateway` of its line; see ../ai_sdk.mjs.

import * as ai from "ai5";
import { suite } from "../ai_sdk.mjs";

suite({ line: "AI SDK 5", ai, createGateway: ai.createGateway, path: "/v1/ai", version: "v2", has: { image: true, generation: true } });
