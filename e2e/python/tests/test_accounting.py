"""Money: the inline usage, the generation record and the credits say the same."""

import json
import re
from decimal import Decimal

import pytest
from money import expected_nano, nanodollars
from wire import check_chunks, stream_chunks, user

MODELS = ["openai/echo", "openai/gpt-4o", "openai/gpt-5.4-mini", "anthropic/claude-haiku-4.5"]
CONFIGURED = {"input": "0.000001", "output": "0.000002"}
QUESTION = [user("Explain how a lock in a canal works.")]


def pricing_of(gateway, model):
    return gateway.get_json(f"/v1/models/{model}")["pricing"]


def generation(gateway, identifier):
    return gateway.get_json(f"/v1/generation?id={identifier}", gateway.authorized())["data"]


def test_the_configured_price_is_the_price_shown(gateway):
    pricing = pricing_of(gateway, "openai/echo")
    shown = {name: Decimal(pricing[name]) for name in CONFIGURED}
    assert shown == {name: Decimal(price) for name, price in CONFIGURED.items()}


@pytest.mark.parametrize("model", MODELS)
def test_cost_is_tokens_times_price(client, gateway, model):
    usage = client.chat.completions.create(model=model, messages=QUESTION).to_dict()["usage"]
    cost = nanodollars(usage["cost"])
    assert cost > 0
    assert cost == expected_nano(usage, pricing_of(gateway, model))


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("streamed", [False, True])
def test_the_generation_record_equals_the_inline_usage(client, gateway, model, streamed):
    """gateway-api §14.2: right after the response, not nine seconds later."""
    if streamed:
        chunks = stream_chunks(gateway, {"model": model, "messages": QUESTION})
        answer = check_chunks(chunks, model)
    else:
        answer = client.chat.completions.create(model=model, messages=QUESTION).to_dict()
    record, usage = generation(gateway, answer["id"]), answer["usage"]
    assert record["id"] == answer["id"]
    assert record["model"] == model
    assert record["streamed"] is streamed
    assert record["finish_reason"] == "stop"
    assert record["total_cost"] == record["usage"] == usage["cost"]
    assert record["tokens_prompt"] == usage["prompt_tokens"]
    assert record["tokens_completion"] == usage["completion_tokens"]
    assert record["native_tokens_prompt"] == usage["prompt_tokens"]
    assert record["native_tokens_completion"] == usage["completion_tokens"]
    details = usage["completion_tokens_details"]
    assert record["native_tokens_reasoning"] == details["reasoning_tokens"]
    assert record["native_tokens_cached"] == usage["prompt_tokens_details"]["cached_tokens"]
    assert record["native_tokens_cache_creation"] == usage["cache_creation_input_tokens"]
    assert record["is_byok"] is False
    assert None not in record.values(), "the AI SDK refuses a record with a null in it"


@pytest.mark.parametrize(
    ("query", "status"),
    [("", 400), ("?id=nonsense", 400), ("?id=gen_01HZZZZZZZZZZZZZZZZZZZZZZZ", 404)],
)
def test_a_generation_that_is_not_there(gateway, query, status):
    found, _, body = gateway.call("GET", f"/v1/generation{query}", headers=gateway.authorized())
    assert found == status, body
    assert b'"error":"' in body.replace(b'": "', b'":"'), "a flat error, not an object"


def test_a_generation_needs_the_key(gateway):
    status, _, _ = gateway.call("GET", "/v1/generation?id=gen_01HZZZZZZZZZZZZZZZZZZZZZZZ")
    assert status == 401


def chat(gateway, model):
    """A chat on a gateway of the test's own: (status, body)."""
    status, _, body = gateway.chat({"model": model, "messages": QUESTION})
    return status, json.loads(body)


def test_credits_are_strings_and_grow_by_the_cost(fresh_gateway):
    before = fresh_gateway.get_json("/v1/credits", fresh_gateway.authorized())
    status, answer = chat(fresh_gateway, "openai/gpt-4o")
    assert status == 200
    after = fresh_gateway.get_json("/v1/credits", fresh_gateway.authorized())
    for credits in (before, after):
        assert all(isinstance(credits[name], str) for name in ("balance", "total_used"))
        assert all(re.fullmatch(r"-?\d+(\.\d+)?", credits[name]) for name in ("balance", "total_used"))
    spent = nanodollars(after["total_used"]) - nanodollars(before["total_used"])
    assert spent == nanodollars(answer["usage"]["cost"])


def test_an_error_costs_nothing(fresh_gateway):
    """I7: an upstream error body is free."""
    before = fresh_gateway.get_json("/v1/credits", fresh_gateway.authorized())
    assert chat(fresh_gateway, "openai/fail-503")[0] == 503
    assert fresh_gateway.get_json("/v1/credits", fresh_gateway.authorized()) == before


def test_openai_cache_reads_are_charged_at_their_price(client, gateway, simulator):
    simulator.script("cached-1", {"usage": {"input_tokens": 2000, "cached_tokens": 1536}})
    usage = client.chat.completions.create(
        model="openai/gpt-4o", messages=QUESTION, user="cached-1"
    ).to_dict()["usage"]
    assert usage["prompt_tokens"] == 2000
    assert usage["prompt_tokens_details"]["cached_tokens"] == 1536
    pricing = pricing_of(gateway, "openai/gpt-4o")
    assert nanodollars(usage["cost"]) == expected_nano(usage, pricing)
