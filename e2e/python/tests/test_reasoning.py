"""Reasoning out, and reasoning back in."""

import pytest
from wire import check_chunks, stream_chunks, user

ANTHROPIC = "anthropic/claude-haiku-4.5"
QUESTION = user("How many prime numbers are below twenty?")
THINK = {"reasoning": {"max_tokens": 2048}}


def check_details(details, text):
    """The texts add up to the reasoning, and exactly one closing entry carries the signature."""
    assert all(entry["type"] == "reasoning.text" for entry in details)
    assert all(entry["format"] == "anthropic-claude-v1" for entry in details)
    assert "".join(entry["text"] for entry in details) == text
    signatures = [entry["signature"] for entry in details if entry.get("signature")]
    assert len(signatures) == 1
    return signatures[0]


def test_anthropic_reasoning_whole(client):
    answer = client.chat.completions.create(model=ANTHROPIC, messages=[QUESTION], extra_body=THINK)
    message = answer.choices[0].message.to_dict()
    assert message["reasoning"] and message["content"]
    assert message["reasoning_content"] == message["reasoning"]
    check_details(message["reasoning_details"], message["reasoning"])


def test_anthropic_reasoning_streamed(gateway):
    chunks = stream_chunks(gateway, {"model": ANTHROPIC, "messages": [QUESTION], **THINK})
    check_chunks(chunks, ANTHROPIC)
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    with_reasoning = [delta for delta in deltas if "reasoning" in delta]
    assert with_reasoning
    for delta in with_reasoning:
        assert isinstance(delta["reasoning"], str)
        assert delta.get("reasoning_content", "") == delta["reasoning"]
    text = "".join(delta["reasoning"] for delta in with_reasoning)
    assert text == "".join(delta.get("reasoning_content") or "" for delta in deltas)
    details = [entry for delta in deltas for entry in delta.get("reasoning_details") or []]
    check_details(details, text)
    first_content = next(i for i, delta in enumerate(deltas) if delta.get("content"))
    assert all("reasoning" not in delta for delta in deltas[first_content:]), "reasoning comes first"


@pytest.mark.parametrize("streamed", [False, True])
def test_signature_goes_round_bit_exact(client, gateway, simulator, streamed):
    """I19: what the provider signed is what it gets back in the next turn."""
    marker = f"signature-{streamed}"
    if streamed:
        chunks = stream_chunks(gateway, {"model": ANTHROPIC, "messages": [QUESTION], **THINK})
        deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
        details = [entry for delta in deltas for entry in delta.get("reasoning_details") or []]
        content = "".join(delta.get("content") or "" for delta in deltas)
    else:
        answer = client.chat.completions.create(model=ANTHROPIC, messages=[QUESTION], extra_body=THINK)
        details = answer.choices[0].message.to_dict()["reasoning_details"]
        content = answer.choices[0].message.content
    text = "".join(entry["text"] for entry in details)
    signature = check_details(details, text)
    echo = {"role": "assistant", "content": content, "reasoning_details": details}
    client.chat.completions.create(
        model=ANTHROPIC, messages=[QUESTION, echo, user(f"Are you sure? {marker}")], extra_body=THINK
    )
    assistant = simulator.request(marker)["body"]["messages"][1]
    assert assistant["role"] == "assistant"
    thinking = [block for block in assistant["content"] if block["type"] == "thinking"]
    assert thinking == [{"type": "thinking", "thinking": text, "signature": signature}]
    assert assistant["content"][0]["type"] == "thinking", "thinking precedes the text"


def test_reasoning_can_be_left_out_of_the_answer(client):
    answer = client.chat.completions.create(
        model=ANTHROPIC, messages=[QUESTION], extra_body={"reasoning": {"max_tokens": 2048, "exclude": True}}
    )
    message = answer.choices[0].message.to_dict()
    assert message["content"]
    assert not message.get("reasoning") and not message.get("reasoning_details")


def test_effort_reaches_an_openai_model_and_is_counted(client, simulator):
    answer = client.chat.completions.create(
        model="openai/gpt-5.4-mini", messages=[user("Marker effort-1.")], reasoning_effort="high"
    )
    # Asked for reasoning, the gateway calls this model by the protocol that hands out the reasoning's state.
    assert simulator.request("effort-1")["body"]["reasoning"]["effort"] == "high"
    usage = answer.usage
    assert 0 < usage.completion_tokens_details.reasoning_tokens <= usage.completion_tokens
