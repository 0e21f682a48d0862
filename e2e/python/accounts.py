"""What an answer cost, whichever surface it came over: the record of its generation (gateway-api §14.2)."""

from wire import GENERATION_ID


def generation(gateway, identifier):
    """The record of a generation."""
    assert GENERATION_ID.fullmatch(identifier), identifier
    return gateway.get_json(f"/v1/generation?id={identifier}", gateway.authorized())["data"]


def check_record(gateway, identifier, prompt, completion, **more):
    """The record says what the client was told; the prompt includes what was cached."""
    record = generation(gateway, identifier)
    assert record["tokens_prompt"] == prompt
    assert record["tokens_completion"] == completion
    assert record["total_cost"] > 0
    if "cost" in more:
        assert float(more.pop("cost")) == record["total_cost"]
    assert {name: record[name] for name in more} == more
    return record


def check_gateway(metadata, model, provider):
    """gateway-api §5: the gateway's part of an answer's metadata."""
    ours = metadata["gateway"]
    assert GENERATION_ID.fullmatch(ours["generationId"])
    assert isinstance(ours["cost"], str) and float(ours["cost"]) > 0
    assert ours["routing"]["originalModelId"] == model
    assert ours["routing"]["finalProvider"] == provider
    return ours
