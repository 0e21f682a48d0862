"""Structured outputs through the SDK's own parser, and images as data URLs."""

import base64
import struct
import zlib

import pytest
from pydantic import BaseModel
from wire import user

MODELS = ["openai/gpt-4o", "anthropic/claude-haiku-4.5"]


class Place(BaseModel):
    name: str
    population: int
    coastal: bool
    rivers: list[str]


@pytest.mark.parametrize("model", MODELS)
def test_parse_helper(client, model):
    answer = client.chat.completions.parse(
        model=model, messages=[user("Describe Hamburg.")], response_format=Place
    )
    assert isinstance(answer.choices[0].message.parsed, Place)


@pytest.mark.parametrize("model", MODELS)
def test_streamed_parse_helper(client, model):
    with client.chat.completions.stream(
        model=model, messages=[user("Describe Hamburg.")], response_format=Place
    ) as stream:
        stream.until_done()
        answer = stream.get_final_completion()
    assert isinstance(answer.choices[0].message.parsed, Place)


def png():
    """A valid picture of one red pixel."""

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\x00\xff\x00\x00")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def image_question(marker, data):
    return user(
        [
            {"type": "text", "text": f"What is in this picture? Marker {marker}."},
            {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}},
        ]
    )


def test_image_reaches_an_openai_model(client, simulator):
    data = base64.b64encode(png()).decode()
    answer = client.chat.completions.create(model="openai/gpt-4o", messages=[image_question("picture-1", data)])
    assert answer.choices[0].message.content
    part = simulator.request("picture-1")["body"]["messages"][0]["content"][1]
    assert part["image_url"]["url"] == f"data:image/png;base64,{data}"


def test_image_reaches_an_anthropic_model_as_a_base64_source(client, simulator):
    data = base64.b64encode(png()).decode()
    answer = client.chat.completions.create(
        model="anthropic/claude-haiku-4.5", messages=[image_question("picture-2", data)]
    )
    assert answer.choices[0].message.content
    part = simulator.request("picture-2")["body"]["messages"][0]["content"][1]
    assert part["type"] == "image"
    assert part["source"] == {"type": "base64", "media_type": "image/png", "data": data}
