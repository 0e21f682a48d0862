#!/usr/bin/env python3
"""Seeds for the fuzz targets, made from exchanges: seeds.py FOLDER [--committed].

With --committed from the examples of this repository (what is in fuzz/corpus), else from the recorded
fixtures, where they are (TOLLGATE_FIXTURES, or shared/fixtures beside the checkout); without them nothing
is written.
"""
import hashlib
import json
import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
LARGEST = 16 << 10
# The order of src/endpoints.rs.
PROVIDERS = ["openai", "azure", "groq", "deepseek", "xai", "mistral", "together", "openrouter", "google",
             "perplexity", "moonshotai", "alibaba", "zai", "vllm"]

# Dialect and endpoint of src/task_answer.rs, by protocol and operation.
TASKS = {
    ("openai-embeddings", "embedding"): b"cp",
    ("openai-images", "image"): b"dx",
    ("cohere-v2", "embedding"): b"ct",
    ("gemini", "embedding"): b"cu",
    ("gemini-predict", "predict"): b"d}",
    ("cohere-v2", "rerank"): b"gr",
    ("rerank", "rerank"): b"gn",
}


def reply(response):
    """The bytes of a response, and whether they are server-sent events."""
    if isinstance(response.get("sse"), str):
        return response["sse"].encode(), True
    if isinstance(response.get("text"), str):
        return response["text"].encode(), False
    if not isinstance(response.get("events"), list):
        return compact(response.get("body")), False
    lines = []
    for event in response["events"]:
        if response.get("framing") == "sse-event-data":
            name = event.get("type", "") if isinstance(event, dict) else ""
            lines.append(b"event: " + name.encode() + b"\n")
        data = event.encode() if isinstance(event, str) else compact(event)
        lines.append(b"data: " + data + b"\n\n")
    return b"".join(lines), True


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def letter(stream, provider):
    """The header's first byte: even for a stream, half of it the endpoint. A multiple of 28 is added to get a letter."""
    number = PROVIDERS.index(provider) if provider in PROVIDERS else 0
    return bytes([56 + 2 * number + (0 if stream else 1)])


def seeds(exchange):
    """(target, bytes) of one exchange."""
    response = exchange.get("response") or {}
    body, stream = reply(response)
    status = response.get("status", 200)
    protocol, provider = exchange.get("protocol"), exchange.get("provider", "")
    operation = exchange.get("operation")
    if status >= 400:
        number = PROVIDERS.index(provider) if provider in PROVIDERS else len(PROVIDERS)
        after = (response.get("headers") or {}).get("retry-after", "")
        head = bytes([60 + number]) + (status - 100).to_bytes(2, "big") + after.encode() + b"\n"
        yield "classify", head + body
    elif protocol in ("openai-chat", "gateway-chat"):
        yield "chat_decoder", letter(stream, provider) + b"a" + body
    elif protocol == "anthropic-messages":
        yield "anthropic_decoder", (b"0" if stream else b"1") + b"a" + body
        yield "native_splice", b"0a" + body
    elif protocol == "openai-responses":
        yield "responses_decoder", (b"0" if stream else b"1") + b"a" + body
        yield "native_splice", b"1a" + body
    elif (protocol, operation) == ("gemini", "chat"):
        yield "gemini_decoder", (b"0" if stream else b"1") + b"a" + body
    elif (protocol, operation) in TASKS:
        yield "task_answer", TASKS[(protocol, operation)] + body
    request = (exchange.get("request") or {}).get("body")
    if protocol in ("openai-chat", "gateway-chat") and isinstance(request, dict) and "messages" in request:
        yield "chat_request", compact(request)
    for number, (name, member) in enumerate((("anthropic-messages", "messages"), ("openai-responses", "input"))):
        if protocol == name and isinstance(request, dict) and member in request:
            yield "dialect_request", b"%da" % number + compact(request)
            yield "native_adapt", b"%da" % number + compact(request)


def exchanges(folder):
    for path in sorted(folder.rglob("*.json")):
        if path.name != "index.json":
            yield path.stem, json.loads(path.read_bytes())


def write(folder, target, name, data):
    if len(data) <= LARGEST:
        (folder / target).mkdir(parents=True, exist_ok=True)
        (folder / target / name).write_bytes(data)


def main():
    folder = pathlib.Path(sys.argv[1])
    if "--committed" in sys.argv:
        for name, exchange in exchanges(ROOT / "crates/providers/tests/golden/examples"):
            for target, data in seeds(exchange):
                write(folder, target, name, data)
        for path in sorted((ROOT / "crates/dialects/tests/dialects/examples").glob("*.request.json")):
            data = compact(json.loads(path.read_bytes()))
            name = path.name.removesuffix(".request.json")
            if name == "claude-code":
                for target in ("dialect_request", "native_adapt"):
                    write(folder, target, name, b"0a" + data)
            else:
                write(folder, "chat_request", name, data)
        return
    fixtures = pathlib.Path(os.environ.get("TOLLGATE_FIXTURES") or ROOT.parent / "shared" / "fixtures")
    if not fixtures.is_dir():
        print("fuzz: no recorded exchanges beside the checkout (set TOLLGATE_FIXTURES): seeds are the examples alone")
        return
    for _, exchange in exchanges(fixtures):
        for target, data in seeds(exchange):
            write(folder, target, hashlib.sha256(data).hexdigest()[:16], data)


main()
