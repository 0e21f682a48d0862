"""The model list: anonymous, with a slash and percent-encoded, and as strict clients read it."""

import openai
import pytest


def test_list_without_a_credential(gateway):
    for path in ("/v1/models", "/v1/models?include_mappings=true", "/v1/models?limit=1"):
        listing = gateway.get_json(path)
        assert listing["object"] == "list"
        ids = [model["id"] for model in listing["data"]]
        assert len(ids) == len(set(ids)) > 10
        assert {"openai/gpt-4o", "anthropic/claude-haiku-4.5", "openai/echo"} <= set(ids)


def test_list_with_the_sdk(client):
    models = list(client.models.list())
    assert all(model.object == "model" and isinstance(model.created, int) for model in models)
    assert all(model.owned_by for model in models)


@pytest.mark.parametrize("identifier", ["openai/gpt-4o", "anthropic/claude-haiku-4.5"])
def test_retrieve_percent_encoded_by_the_sdk(client, identifier):
    assert client.models.retrieve(identifier).id == identifier


def test_retrieve_with_a_slash_and_without_a_credential(gateway):
    plain = gateway.get_json("/v1/models/openai/gpt-4o")
    assert plain["id"] == "openai/gpt-4o"
    assert gateway.get_json("/v1/models/openai%2Fgpt-4o") == plain


def test_unknown_model_is_not_found_and_names_near_ones(client):
    with pytest.raises(openai.NotFoundError) as caught:
        client.models.retrieve("openai/gpt-4oo")
    assert caught.value.type == "model_not_found"
    assert "openai/gpt-4o" in caught.value.message


def test_language_models_satisfy_a_strict_reader(gateway):
    """clients §2: Roo's schema and Zed's types."""
    for model in gateway.get_json("/v1/models")["data"]:
        assert isinstance(model["pricing"], dict)
        prices = {k: v for k, v in model["pricing"].items() if k in ("input", "output") or "cache" in k}
        assert all(isinstance(v, (str, list)) for v in prices.values()), model["id"]
        if model["type"] == "language":
            assert type(model["context_window"]) is int, model["id"]
            assert type(model["max_tokens"]) is int, model["id"]
        for name in ("tags", "supported_parameters"):
            assert isinstance(model.get(name, []), list), model["id"]
        assert None not in model.values(), f"{model['id']}: an absent value is omitted, never null"


def test_an_anthropic_model_shows_both_cache_prices(gateway):
    pricing = gateway.get_json("/v1/models/anthropic/claude-haiku-4.5")["pricing"]
    assert float(pricing["input_cache_read"]) > 0
    assert float(pricing["input_cache_write"]) > 0


def test_endpoints_of_a_model(gateway):
    data = gateway.get_json("/v1/models/openai/gpt-4o/endpoints")["data"]
    assert data["id"] == "openai/gpt-4o"
    assert "openai" in [endpoint["provider_name"] for endpoint in data["endpoints"]]
    assert all(isinstance(endpoint["pricing"]["prompt"], str) for endpoint in data["endpoints"])
