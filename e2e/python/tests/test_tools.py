"""Tool calls: the whole loop, parallel calls, and how their deltas stand on the wire."""

import json

import pytest
from wire import check_chunks, stream_chunks, user

MODELS = ["openai/gpt-4o", "anthropic/claude-haiku-4.5"]
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
QUESTION = user("What is the weather in Paris? Use get_weather.")
PARALLEL = user("Use parallel calls: get_weather for Paris and get_weather for Rome.")


def result_of(call, content):
    return {"role": "tool", "tool_call_id": call.id, "content": content}


@pytest.mark.parametrize("model", MODELS)
def test_two_turn_loop(client, model):
    first = client.chat.completions.create(model=model, messages=[QUESTION], tools=[WEATHER])
    message = first.choices[0].message
    assert first.choices[0].finish_reason == "tool_calls"
    (call,) = message.tool_calls
    assert call.type == "function" and call.id
    assert call.function.name == "get_weather"
    assert json.loads(call.function.arguments)["city"]

    second = client.chat.completions.create(
        model=model,
        messages=[QUESTION, message.to_dict(), result_of(call, "Sunny, 21 degrees, code QX71.")],
        tools=[WEATHER],
    )
    assert second.choices[0].finish_reason == "stop"
    assert "QX71" in second.choices[0].message.content, "the tool's result reached the model"


@pytest.mark.parametrize("model", MODELS)
def test_streamed_two_turn_loop(client, model):
    arguments = {"model": model, "messages": [QUESTION], "tools": [WEATHER]}
    with client.chat.completions.stream(**arguments) as stream:
        stream.until_done()
        message = stream.get_final_completion().choices[0].message
    (call,) = message.tool_calls
    assert json.loads(call.function.arguments)["city"]
    history = [QUESTION, message.to_dict(exclude_unset=True), result_of(call, "Rain, code QX72.")]
    for part in history[1]["tool_calls"]:
        part.pop("index", None)
        part["function"].pop("parsed_arguments", None)
    history[1].pop("parsed", None)
    second = client.chat.completions.create(model=model, messages=history, tools=[WEATHER])
    assert "QX72" in second.choices[0].message.content


@pytest.mark.parametrize("model", MODELS)
def test_parallel_calls(client, model):
    answer = client.chat.completions.create(
        model=model, messages=[PARALLEL], tools=[WEATHER], parallel_tool_calls=True
    )
    calls = answer.choices[0].message.tool_calls
    assert len(calls) == 2
    assert len({call.id for call in calls}) == 2
    assert all(json.loads(call.function.arguments) for call in calls)
    results = [result_of(call, f"code QX8{n}") for n, call in enumerate(calls)]
    second = client.chat.completions.create(
        model=model,
        messages=[PARALLEL, answer.choices[0].message.to_dict(), *results],
        tools=[WEATHER],
    )
    assert "QX80" in second.choices[0].message.content
    assert "QX81" in second.choices[0].message.content


@pytest.mark.parametrize("model", MODELS)
def test_parallel_deltas_do_not_interleave(gateway, model):
    """clients §0.7: id and name first with `arguments: ""`, one call after the other."""
    chunks = stream_chunks(gateway, {"model": model, "messages": [PARALLEL], "tools": [WEATHER]})
    final = check_chunks(chunks, model)
    assert final["choices"][0]["finish_reason"] == "tool_calls"
    deltas = [call for chunk in chunks for call in chunk["choices"][0]["delta"].get("tool_calls") or []]
    order, texts = [], {}
    for delta in deltas:
        index = delta["index"]
        if index not in texts:
            assert delta["id"] and delta["type"] == "function"
            assert delta["function"]["name"] == "get_weather"
            assert delta["function"]["arguments"] == ""
            order.append(index)
            texts[index] = ""
        else:
            assert index == order[-1], "a delta of a call that had already been followed by another"
            assert not delta.get("id") and not delta["function"].get("name")
            texts[index] += delta["function"]["arguments"]
    assert order == [0, 1]
    assert all(json.loads(text)["city"] for text in texts.values())


@pytest.mark.parametrize("model", MODELS)
def test_required_tool_is_called(client, model):
    answer = client.chat.completions.create(
        model=model, messages=[user("Hello.")], tools=[WEATHER], tool_choice="required"
    )
    assert answer.choices[0].message.tool_calls[0].function.name == "get_weather"


def test_tools_reach_an_anthropic_model_in_its_own_form(client, simulator):
    client.chat.completions.create(
        model="anthropic/claude-haiku-4.5", messages=[user("Marker tools-form-1.")], tools=[WEATHER]
    )
    seen = simulator.request("tools-form-1")
    (tool,) = seen["body"]["tools"]
    assert seen["target"] == "/v1/messages"
    assert tool["name"] == "get_weather"
    assert tool["input_schema"] == WEATHER["function"]["parameters"]
