"""The `anthropic` package: Messages for Anthropic unchanged, for others through translation (gateway-api §8)."""

import anthropic
import pytest
from accounts import check_gateway, check_record
from harness import gateway_key, wait_until
from wire import GENERATION_ID, user

OWN = "anthropic/claude-haiku-4.5"
PROVIDERS = {OWN: "anthropic", "openai/gpt-5.4-mini": "openai", "google/gemini-2.5-flash": "google"}
WEATHER = {
    "name": "get_weather",
    "description": "The weather in a city",
    "input_schema": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
}
HELLO = [user("Hello.")]


def arguments(gateway, **changes):
    usual = {"base_url": gateway.url, "api_key": gateway.key, "max_retries": 0, "timeout": 30}
    return usual | changes


@pytest.fixture(scope="module")
def claude(gateway):
    with anthropic.Anthropic(**arguments(gateway)) as client:
        yield client


@pytest.fixture(params=list(PROVIDERS))
def model(request):
    return request.param


@pytest.fixture(params=["whole", "streamed"])
def ask(request, claude):
    """Asks for a message in one piece or in a stream; the same message comes out."""

    def streamed(**body):
        with claude.messages.stream(**body) as stream:
            return stream.get_final_message()

    return claude.messages.create if request.param == "whole" else streamed


def text_of(message):
    return "".join(block.text for block in message.content if block.type == "text")


def counts(usage):
    """What the record calls the prompt: here the cached tokens are not in `input_tokens`."""
    cached = (usage.cache_read_input_tokens or 0) + (usage.cache_creation_input_tokens or 0)
    return {"prompt": usage.input_tokens + cached, "completion": usage.output_tokens}


def test_a_message(ask, gateway, model):
    message = ask(model=model, max_tokens=512, messages=[user("Tell me about canals.")])
    assert GENERATION_ID.fullmatch(message.id)
    assert (message.type, message.role, message.stop_reason) == ("message", "assistant", "end_turn")
    assert text_of(message)
    check_record(gateway, message.id, **counts(message.usage), model=model)


def test_the_metadata_of_a_message(claude, gateway, model):
    message = claude.messages.create(model=model, max_tokens=512, messages=HELLO)
    ours = check_gateway(message.to_dict()["provider_metadata"], model, PROVIDERS[model])
    assert ours["generationId"] == message.id
    check_record(gateway, message.id, **counts(message.usage), cost=ours["cost"], streamed=False)


@pytest.mark.parametrize("count", [1, 2])
def test_tools_and_their_results(ask, model, count):
    texts = [
        "What is the weather in Paris? Use get_weather.",
        "Use parallel calls: get_weather for Paris and get_weather for Rome.",
    ]
    question = user(texts[count - 1])
    first = ask(model=model, max_tokens=512, tools=[WEATHER], messages=[question])
    assert first.stop_reason == "tool_use"
    calls = [block for block in first.content if block.type == "tool_use"]
    assert len({call.id for call in calls}) == len(calls) == count
    assert all(call.name == "get_weather" and call.input["city"] for call in calls)
    results = [
        {"type": "tool_result", "tool_use_id": call.id, "content": f"Code QX4{number}."}
        for number, call in enumerate(calls)
    ]
    history = [question, {"role": "assistant", "content": first.content}, user(results)]
    second = ask(model=model, max_tokens=512, tools=[WEATHER], messages=history)
    assert all(f"QX4{number}" in text_of(second) for number in range(count))


def test_thinking_goes_round(ask, model, simulator, request):
    """I19: the simulator refuses a seal that is not byte for byte the one it issued."""
    marker = f"py-thinking-{request.node.callspec.id}"
    question = user("How many prime numbers are below twenty?")
    body = {"model": model, "max_tokens": 4096, "thinking": {"type": "enabled", "budget_tokens": 1024}}
    first = ask(**body, messages=[question])
    assert first.content[0].type == "thinking", "thinking precedes the text"
    assert first.content[0].thinking
    content = [block.to_dict() for block in first.content]
    again = [question, {"role": "assistant", "content": content}, user(f"Are you sure? {marker}")]
    assert text_of(ask(**body, messages=again))
    if model == OWN:
        sent = simulator.request(marker)["body"]["messages"][1]["content"]
        assert (sent[0]["thinking"], sent[0]["signature"]) == (
            first.content[0].thinking,
            first.content[0].signature,
        )


def test_tokens_are_counted_without_an_answer(claude, model):
    short = claude.messages.count_tokens(model=model, messages=HELLO)
    long = claude.messages.count_tokens(model=model, messages=[user("word " * 500)])
    assert 0 < short.input_tokens < long.input_tokens - 200


@pytest.mark.parametrize(
    ("changes", "client_changes", "error", "kind"),
    [
        ({}, {"api_key": gateway_key()}, anthropic.AuthenticationError, "authentication_error"),
        ({"model": "anthropic/claude-nothing"}, {}, anthropic.NotFoundError, "not_found_error"),
        ({"messages": [user(7)]}, {}, anthropic.BadRequestError, "invalid_request_error"),
        ({"model": "anthropic/fail-429"}, {}, anthropic.RateLimitError, "rate_limit_error"),
        ({"model": "openai/fail-429"}, {}, anthropic.RateLimitError, "rate_limit_error"),
        ({"model": "anthropic/fail-503"}, {}, anthropic.InternalServerError, None),
    ],
)
@pytest.mark.parametrize("streamed", [False, True])
def test_errors_have_their_class(gateway, changes, client_changes, error, kind, streamed):
    body = {"model": OWN, "max_tokens": 64, "messages": HELLO, "stream": streamed} | changes
    with anthropic.Anthropic(**arguments(gateway, **client_changes)) as client:
        with pytest.raises(error) as caught:
            client.messages.create(**body)
    assert caught.value.body["type"] == "error"
    assert caught.value.body["error"]["message"]
    assert kind is None or caught.value.body["error"]["type"] == kind


@pytest.mark.parametrize("model", ["anthropic/cut-in-mid-stream", "openai/cut-in-mid-stream"])
def test_a_cut_stream_raises(claude, model):
    """I16: an error in the dialect's own form, not an end."""
    seen = []
    with pytest.raises(anthropic.APIError):
        for event in claude.messages.create(model=model, max_tokens=512, messages=HELLO, stream=True):
            seen.append(event.type)
    assert "content_block_delta" in seen and "message_stop" not in seen


@pytest.mark.parametrize("model", ["anthropic/slow-stream", "google/slow-stream"])
def test_leaving_reaches_the_provider(claude, simulator, model):
    marker = f"py-messages-abort-{model.split('/')[0]}"
    stream = claude.messages.create(model=model, max_tokens=4096, messages=[user(marker)], stream=True)
    for event in stream:
        if event.type == "content_block_delta":
            break
    stream.close()
    assert wait_until(lambda: simulator.left_after(marker), 5)
