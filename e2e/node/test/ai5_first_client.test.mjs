// The package `ai` with the client `@ai-sdk/gateway` of its line; see ../ai_sdk.mjs.

import * as ai from "ai5";
import { createGateway } from "gateway1";
import { suite } from "../ai_sdk.mjs";

suite({ line: "AI SDK 5 with the first gateway client", ai, createGateway, path: "/v1/ai", version: "v2", has: {} });
