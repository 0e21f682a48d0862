"""Responses with the `openai` package (gateway-api §7.2)."""

import json

import openai
import pydantic
import pytest
from accounts import check_gateway, check_record
from harness import wait_until
from wire import GENERATION_ID, user

OWN = "openai/gpt-5.4-mini"
PROVIDERS = {OWN: "openai", "anthropic/claude-haiku-4.5": "anthropic", "google/gemini-2.5-flash": "google"}
WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather in a city",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
    "strict": True,
}


class Place(pydantic.BaseModel):
    name: str
    population: int
    coastal: bool


@pytest.fixture(params=list(PROVIDERS))
def model(request):
    return request.param


@pytest.fixture(params=["whole", "streamed"])
def ask(request, client):
    """Asks for a response in one piece or as events; the same response comes out."""

    def streamed(**body):
        events = list(client.responses.create(**body, stream=True))
        assert [event.type for event in events[:2]] == ["response.created", "response.in_progress"]
        numbers = [event.sequence_number for event in events]
        assert numbers == sorted(set(numbers)), "sequence numbers grow"
        assert events[-1].type == "response.completed"
        text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
        assert text == events[-1].response.output_text
        return events[-1].response

    return client.responses.create if request.param == "whole" else streamed


def test_a_response(ask, gateway, model):
    response = ask(model=model, input="Tell me about canals.", instructions="Be brief.")
    assert GENERATION_ID.fullmatch(response.id)
    assert response.status == "completed" and response.output_text
    usage = response.usage
    assert usage.total_tokens == usage.input_tokens + usage.output_tokens
    ours = check_gateway(response.to_dict()["providerMetadata"], model, PROVIDERS[model])
    check_record(gateway, response.id, usage.input_tokens, usage.output_tokens, model=model, cost=ours["cost"])


@pytest.mark.parametrize("count", [1, 2])
def test_tools_and_their_results(ask, model, count):
    texts = [
        "What is the weather in Paris? Use get_weather.",
        "Use parallel calls: get_weather for Paris and get_weather for Rome.",
    ]
    question = user(texts[count - 1])
    first = ask(model=model, input=[question], tools=[WEATHER])
    calls = [item for item in first.output if item.type == "function_call"]
    assert len({call.call_id for call in calls}) == len(calls) == count
    assert all(call.name == "get_weather" and json.loads(call.arguments)["city"] for call in calls)
    results = [
        {"type": "function_call_output", "call_id": call.call_id, "output": f"Code QX3{number}."}
        for number, call in enumerate(calls)
    ]
    history = [question, *(item.to_dict() for item in first.output), *results]
    text = ask(model=model, input=history, tools=[WEATHER]).output_text
    assert all(f"QX3{number}" in text for number in range(count))


def test_reasoning_goes_round_encrypted(ask, model):
    """I19: the simulator refuses a seal that is not byte for byte the one it issued."""
    question = user("How many prime numbers are below twenty?")
    body = {
        "model": model,
        "store": False,
        "include": ["reasoning.encrypted_content"],
        "reasoning": {"effort": "medium", "summary": "auto"},
    }
    first = ask(**body, input=[question])
    assert first.output[0].type == "reasoning", "reasoning comes first"
    # Gemini signs the text behind its thoughts, so that its state may come as an item of its own.
    assert any(item.type == "reasoning" and item.encrypted_content for item in first.output)
    history = [question, *(item.to_dict() for item in first.output), user("Are you sure?")]
    assert ask(**body, input=history).output_text


def test_structured_output_is_parsed(client, model):
    answer = client.responses.parse(model=model, input="Describe Hamburg.", text_format=Place)
    assert isinstance(answer.output_parsed, Place)


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"model": "openai/gtp-5"}, openai.NotFoundError),
        ({"input": 7}, openai.BadRequestError),
        ({"model": "openai/fail-429"}, openai.RateLimitError),
        ({"model": "openai/fail-503"}, openai.InternalServerError),
    ],
)
def test_errors_have_their_class(client, body, error, streamed):
    with pytest.raises(error):
        client.responses.create(**({"model": OWN, "input": "Hello.", "stream": streamed} | body))


def test_leaving_reaches_the_provider(client, simulator):
    marker = "py-responses-abort"
    stream = client.responses.create(model="openai/slow-stream", input=f"Hello. {marker}", stream=True)
    for event in stream:
        if event.type == "response.output_text.delta":
            break
    stream.close()
    assert wait_until(lambda: simulator.left_after(marker), 5)
