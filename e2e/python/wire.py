"""A chat answer as it stands on the wire, and what holds for each of them."""

import json
import re

GENERATION_ID = re.compile(r"gen_[0-9A-HJKMNP-TV-Z]{26}")


def user(text, **more):
    """A user message."""
    return {"role": "user", "content": text, **more}


def stream_chunks(gateway, body):
    """The JSON of each `data:` line of a streamed chat; `[DONE]` has to be the last line."""
    status, headers, raw = gateway.chat(body | {"stream": True})
    assert status == 200, raw
    assert headers["content-type"].startswith("text/event-stream"), headers["content-type"]
    lines = [line for line in raw.decode().split("\n") if line.startswith("data:")]
    data = [line.removeprefix("data:").strip() for line in lines]
    assert data[-1] == "[DONE]", data[-1]
    return [json.loads(item) for item in data[:-1]]


def check_chunks(chunks, model):
    """gateway-api §7.1: the shape and the order of a chat stream. Returns the final chunk."""
    *early, final = chunks
    assert {chunk["id"] for chunk in chunks} == {final["generationId"]}
    assert GENERATION_ID.fullmatch(final["id"])
    for chunk in chunks:
        assert chunk["object"] == "chat.completion.chunk"
        assert chunk["model"] == model
        assert len(chunk["choices"]) == 1 and chunk["choices"][0]["index"] == 0
        assert isinstance(chunk["choices"][0]["delta"], dict)
    assert early[0]["choices"][0]["delta"] == {"role": "assistant"}
    for chunk in early:
        assert chunk["choices"][0]["finish_reason"] is None
        assert not chunk.get("usage"), "usage belongs to the last chunk alone"
        assert "provider_metadata" not in chunk["choices"][0]["delta"]
    for chunk in chunks[1:]:
        assert "role" not in chunk["choices"][0]["delta"], "the role comes once, first"
    assert final["choices"][0]["finish_reason"]
    check_usage(final["usage"])
    check_metadata(final["choices"][0]["delta"]["provider_metadata"], final)
    return final


def check_usage(usage):
    """gateway-api §7.1, clients §0.2-0.3: the members that clients read, with their types."""
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert type(usage["cost"]) in (int, float), "Cline and Roo read a number"
    assert usage["is_byok"] is False
    assert type(usage["prompt_tokens_details"]["cached_tokens"]) is int
    assert type(usage["completion_tokens_details"]["reasoning_tokens"]) is int
    assert type(usage["cache_creation_input_tokens"]) is int
    assert not usage["cost_details"]["upstream_inference_cost"], "Cline adds it to the cost"


def check_metadata(metadata, answer):
    """gateway-api §5: the gateway's part of `provider_metadata`."""
    ours = metadata["gateway"]
    assert ours["generationId"] == answer["id"]
    assert isinstance(ours["cost"], str), "a string here, a number in usage"
    assert float(ours["cost"]) == answer["usage"]["cost"]
    routing = ours["routing"]
    assert routing["originalModelId"] == answer["model"]
    assert routing["modelAttemptCount"] == len(routing["modelAttempts"])
    attempts = [attempt for model in routing["modelAttempts"] for attempt in model["providerAttempts"]]
    assert routing["totalProviderAttemptCount"] == len(attempts)
    assert attempts[-1]["success"] is True
    assert attempts[-1]["provider"] == routing["finalProvider"]
