"""Chat, whole and streamed."""

import pytest
from wire import GENERATION_ID, check_chunks, check_metadata, check_usage, stream_chunks, user

MODELS = ["openai/gpt-4o", "openai/gpt-5.4-mini", "anthropic/claude-haiku-4.5"]


@pytest.mark.parametrize("model", MODELS)
def test_whole_answer(client, model):
    answer = client.chat.completions.create(model=model, messages=[user("Why is the sky blue?")])
    message = answer.choices[0].message
    assert message.role == "assistant" and message.content
    assert answer.choices[0].finish_reason == "stop"
    assert answer.model == model
    assert GENERATION_ID.fullmatch(answer.id)
    body = answer.to_dict()
    assert body["generationId"] == answer.id
    check_usage(body["usage"])
    check_metadata(body["choices"][0]["message"]["provider_metadata"], body)


@pytest.mark.parametrize("model", MODELS)
def test_streamed_answer_through_the_sdk(client, model):
    stream = client.chat.completions.create(model=model, messages=[user("Why is the sky blue?")], stream=True)
    chunks = [chunk.to_dict() for chunk in stream]
    final = check_chunks(chunks, model)
    assert final["choices"][0]["finish_reason"] == "stop"
    assert "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("options", [{}, {"stream_options": {"include_usage": True}}])
def test_stream_on_the_wire_has_one_final_chunk(gateway, model, options):
    """clients §0.1: no chunk without `choices[0].delta`, with include_usage or without."""
    chunks = stream_chunks(gateway, {"model": model, "messages": [user("Hello.")], **options})
    check_chunks(chunks, model)


def test_streams_and_whole_answers_agree(gateway, client):
    """I2: the same request costs the same either way."""
    body = {"model": "openai/gpt-4o", "messages": [user("Name three rivers.")]}
    final = check_chunks(stream_chunks(gateway, body), "openai/gpt-4o")
    whole = client.chat.completions.create(**body).to_dict()
    assert final["usage"] == whole["usage"]


def test_sdk_stream_helper_accumulates_the_answer(client):
    with client.chat.completions.stream(model="openai/gpt-4o", messages=[user("Hello.")]) as stream:
        stream.until_done()
        answer = stream.get_final_completion()
    assert answer.choices[0].message.content
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.completion_tokens > 0


def test_members_the_gateway_does_not_know_reach_the_provider(client, simulator):
    """I17: same protocol in and out, so nothing is dropped."""
    unknown = {"nested": [1, 2.50, {"deep": "ü"}], "large": 12345678901234567890}
    client.chat.completions.create(
        model="openai/gpt-4o",
        messages=[user("Hello.")],
        user="passthrough-1",
        extra_body={"x_unknown_member": unknown},
    )
    seen = simulator.request("passthrough-1")
    assert seen["body"]["x_unknown_member"] == unknown
    assert seen["body"]["model"] == "gpt-4o"


def test_both_names_of_the_token_limit_work(client, simulator):
    for index, limit in enumerate(({"max_tokens": 77}, {"max_completion_tokens": 77})):
        client.chat.completions.create(
            model="openai/gpt-5.4-mini", messages=[user("Hello.")], user=f"limit-{index}", **limit
        )
        body = simulator.request(f"limit-{index}")["body"]
        assert body["max_completion_tokens"] == 77
        assert "max_tokens" not in body


def test_the_gateway_key_does_not_reach_the_provider(client, gateway, simulator):
    client.chat.completions.create(model="openai/gpt-4o", messages=[user("Hi.")], user="secret-1")
    seen = simulator.request("secret-1")
    assert seen["headers"]["authorization"] == "Bearer sk-fake-openai"
    assert gateway.key not in repr(seen)
