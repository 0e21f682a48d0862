"""LangChain's ChatOpenAI and OpenAIEmbeddings, over chat completions and over Responses."""

import pydantic
import pytest
from accounts import generation
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings

MODELS = ["openai/gpt-5.4-mini", "anthropic/claude-haiku-4.5", "google/gemini-2.5-flash"]


class Place(pydantic.BaseModel):
    """A place on the map."""

    name: str
    population: int


@tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"Sunny in {city}, code QX11."


@pytest.fixture(params=MODELS)
def model(request):
    return request.param


@pytest.fixture(params=[False, True], ids=["chat", "responses"])
def chat(request, gateway, model):
    return ChatOpenAI(
        model=model,
        base_url=f"{gateway.url}/v1",
        api_key=gateway.key,
        max_retries=0,
        timeout=30,
        use_responses_api=request.param,
        stream_usage=True,
    )


def check_usage(message):
    usage = message.usage_metadata
    assert usage["input_tokens"] > 0 and usage["output_tokens"] > 0
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    return usage


def check_record(gateway, message):
    usage = check_usage(message)
    record = generation(gateway, message.response_metadata["id"])
    assert record["tokens_prompt"] == usage["input_tokens"]
    assert record["tokens_completion"] == usage["output_tokens"]


def test_an_answer(chat, gateway):
    message = chat.invoke("Tell me about canals.")
    assert message.text
    check_record(gateway, message)


def test_a_stream_counts_its_usage_once(chat, gateway):
    chunks = list(chat.stream("Tell me about locks."))
    assert sum(1 for chunk in chunks if chunk.usage_metadata) == 1
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole += chunk
    assert whole.text
    check_usage(whole)


def test_a_tool_and_its_result(chat):
    with_tools = chat.bind_tools([get_weather])
    question = HumanMessage("What is the weather in Paris? Use get_weather.")
    first = with_tools.invoke([question])
    (call,) = first.tool_calls
    result = get_weather.invoke(call)
    assert isinstance(result, ToolMessage)
    second = with_tools.invoke([question, first, result])
    assert "QX11" in second.text


def test_structured_output(chat):
    place = chat.with_structured_output(Place, method="json_schema").invoke("Describe Hamburg.")
    assert isinstance(place, Place)


def test_embeddings(gateway):
    embeddings = OpenAIEmbeddings(
        model="openai/text-embedding-3-small",
        base_url=f"{gateway.url}/v1",
        api_key=gateway.key,
        max_retries=0,
        # Token ids are of use to OpenAI alone; without this LangChain sends them instead of text.
        check_embedding_ctx_length=False,
    )
    first, second = embeddings.embed_documents(["harbour", "lock"])
    assert len(first) > 8 and first != second
