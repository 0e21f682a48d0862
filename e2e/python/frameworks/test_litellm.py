"""LiteLLM's provider `vercel_ai_gateway` (clients §4)."""

import json

import litellm
import pytest
from accounts import generation
from wire import user

MODELS = ["openai/gpt-4o", "anthropic/claude-haiku-4.5", "google/gemini-2.5-flash"]
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}


@pytest.fixture(autouse=True)
def settings(gateway, monkeypatch):
    """As a person sets it up: two variables."""
    monkeypatch.setenv("VERCEL_AI_GATEWAY_API_BASE", f"{gateway.url}/v1")
    monkeypatch.setenv("VERCEL_AI_GATEWAY_API_KEY", gateway.key)
    monkeypatch.setattr(litellm, "num_retries", 0)


def complete(model, text, **more):
    return litellm.completion(
        model=f"vercel_ai_gateway/{model}", messages=[user(text)], max_retries=0, timeout=30, **more
    )


@pytest.mark.parametrize("model", MODELS)
def test_a_completion(gateway, model):
    answer = complete(model, "Tell me about canals.")
    assert answer.choices[0].message.content
    assert answer.choices[0].finish_reason == "stop"
    record = generation(gateway, answer.id)
    assert record["tokens_prompt"] == answer.usage.prompt_tokens
    assert record["tokens_completion"] == answer.usage.completion_tokens
    assert answer.usage.cost == record["total_cost"]


@pytest.mark.parametrize("model", MODELS)
def test_a_stream_has_its_usage(gateway, model):
    chunks = list(complete(model, "Tell me about locks.", stream=True, stream_options={"include_usage": True}))
    whole = litellm.stream_chunk_builder(chunks)
    assert whole.choices[0].message.content
    record = generation(gateway, whole.id)
    assert record["tokens_prompt"] == whole.usage.prompt_tokens
    assert record["tokens_completion"] == whole.usage.completion_tokens


@pytest.mark.parametrize("model", MODELS)
def test_a_tool_and_its_result(model):
    question = "What is the weather in Paris? Use get_weather."
    message = complete(model, question, tools=[WEATHER]).choices[0].message
    (call,) = message.tool_calls
    assert json.loads(call.function.arguments)["city"]
    result = {"role": "tool", "tool_call_id": call.id, "content": "Sunny, code QX21."}
    second = litellm.completion(
        model=f"vercel_ai_gateway/{model}",
        messages=[user(question), message.model_dump(exclude_none=True), result],
        tools=[WEATHER],
        max_retries=0,
    )
    assert "QX21" in second.choices[0].message.content


def test_gateway_options_go_through(gateway):
    options = {"gateway": {"order": ["faulty", "backup"]}}
    answer = complete("openai/failover", "Hello.", extra_body={"providerOptions": options})
    assert generation(gateway, answer.id)["provider_name"] == "backup"


def test_an_embedding():
    answer = litellm.embedding(
        model="vercel_ai_gateway/openai/text-embedding-3-small", input=["harbour", "lock"], max_retries=0
    )
    first, second = (entry["embedding"] for entry in answer.data)
    assert len(first) > 8 and first != second
    assert answer.usage.prompt_tokens > 0


@pytest.mark.parametrize(
    ("model", "error"),
    [
        ("openai/no-such-model", litellm.NotFoundError),
        ("openai/fail-429", litellm.RateLimitError),
    ],
)
def test_errors_have_their_class(model, error):
    with pytest.raises(error):
        complete(model, "Hello.")
