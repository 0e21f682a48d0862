"""What goes wrong at the provider, as SDK users see it."""

import openai
import pytest
from wire import GENERATION_ID, user

HELLO = [user("Hello.")]
OVERFLOW = (
    "This model's maximum context length is 128000 tokens. However, your messages resulted in "
    "131072 tokens. Please reduce the length of the messages."
)


def failing(client, model, **more):
    return lambda: client.chat.completions.create(model=model, messages=HELLO, **more)


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(
    ("model", "error", "status"),
    [
        ("openai/fail-429", openai.RateLimitError, 429),
        ("openai/fail-500", openai.InternalServerError, 502),
        ("openai/fail-503", openai.InternalServerError, 503),
    ],
)
def test_statuses_become_their_error_classes(client, model, error, status, streamed):
    """Before the first byte a failure is a status, for streams as well (providers §0.3)."""
    with pytest.raises(error) as caught:
        failing(client, model, stream=streamed)()
    assert caught.value.status_code == status


def test_the_operators_own_bad_key_is_not_the_callers_401(client):
    """providers §0.3: the client's key is fine, so it is a 502."""
    with pytest.raises(openai.InternalServerError) as caught:
        failing(client, "openai/fail-401")()
    assert caught.value.status_code == 502
    assert caught.value.type == "failed_dependency"


@pytest.mark.parametrize("model", ["openai/gpt-4o", "openai/echo"])
def test_context_overflow_keeps_the_providers_sentence(client, simulator, model):
    """clients §3: agents recognise it by the text, the status and the code."""
    marker = f"overflow-{model}"
    fault = {"kind": "status", "status": 400, "body": {"message": OVERFLOW}}
    simulator.script(marker, {"fault": fault})
    with pytest.raises(openai.BadRequestError) as caught:
        failing(client, model, user=marker)()
    assert OVERFLOW in caught.value.message
    assert caught.value.code == "context_length_exceeded"
    assert len(simulator.requests(marker)) == 1, "it would not fit a second time either"


@pytest.mark.parametrize("model", ["openai/cut-in-mid-stream", "openai/error-in-mid-stream"])
def test_a_stream_that_breaks_raises(client, model):
    """I16: content, then an error; never an end that looks like success."""
    content, finish = "", None
    with pytest.raises(openai.APIError):
        for chunk in client.chat.completions.create(model=model, messages=HELLO, stream=True):
            content += chunk.choices[0].delta.content or ""
            finish = chunk.choices[0].finish_reason or finish
    assert content, "what had arrived was delivered"
    assert finish is None


def test_a_broken_stream_ends_in_an_error_event_and_without_done(gateway):
    _, _, raw = gateway.chat({"model": "openai/cut-in-mid-stream", "messages": HELLO, "stream": True})
    lines = [line for line in raw.decode().split("\n") if line.startswith("data:")]
    assert lines[-1].startswith('data: {"error":'), lines[-1]
    assert "[DONE]" not in raw.decode()


def test_a_stream_cut_without_its_terminal_event_raises(client, simulator):
    """The HTTP body ends properly, the protocol does not: the most dangerous of the three."""
    simulator.script("false-end", {"fault": {"kind": "cut", "after": 1, "how": "end"}})
    with pytest.raises(openai.APIError):
        list(failing(client, "openai/gpt-4o", user="false-end", stream=True)())


def test_an_error_carries_the_generation_id(client):
    """gateway-api §6.1: the envelope, with what to quote when asking about it."""
    with pytest.raises(openai.InternalServerError) as caught:
        failing(client, "openai/fail-503")()
    body = caught.value.response.json()
    assert GENERATION_ID.fullmatch(body["generationId"])
    assert body["error"]["type"] == "internal_server_error"
