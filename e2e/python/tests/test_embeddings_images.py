"""Embeddings and images with the `openai` package (gateway-api §9, §10)."""

import base64

import openai
import pytest
from accounts import check_gateway, check_record, generation

EMBEDDERS = {
    "openai/text-embedding-3-small": "openai",
    "google/gemini-embedding-001": "google",
    "cohere/embed-v4.0": "cohere",
}
IMAGE = "openai/gpt-image-1-mini"
PNG = b"\x89PNG"


@pytest.mark.parametrize(("model", "provider"), EMBEDDERS.items())
def test_embeddings(client, gateway, model, provider):
    """The package asks for base64 and decodes it; the numbers are those of the plain form."""
    texts = ["harbour", "lock", "harbour"]
    answer = client.embeddings.create(model=model, input=texts)
    plain = client.embeddings.create(model=model, input=texts, encoding_format="float")
    assert [entry.index for entry in answer.data] == [0, 1, 2]
    first, second, third = (entry.embedding for entry in answer.data)
    assert first == third != second
    assert first == pytest.approx(plain.data[0].embedding, abs=1e-6)
    assert answer.usage.total_tokens == answer.usage.prompt_tokens > 0
    ours = check_gateway(answer.to_dict()["providerMetadata"], model, provider)
    check_record(gateway, ours["generationId"], answer.usage.prompt_tokens, 0, model=model, cost=ours["cost"])


def test_dimensions_reach_the_provider(client):
    answer = client.embeddings.create(model="openai/text-embedding-3-small", input="Short.", dimensions=64)
    assert len(answer.data[0].embedding) == 64


def test_an_image_is_made_and_edited(client, gateway):
    made = client.images.generate(model=IMAGE, prompt="A lighthouse at dusk.", size="1024x1024")
    image = base64.b64decode(made.data[0].b64_json)
    assert image.startswith(PNG) and not made.data[0].url
    ours = check_gateway(made.to_dict()["provider_metadata"], IMAGE, "openai")
    assert generation(gateway, ours["generationId"])["total_cost"] == float(ours["cost"])
    edited = client.images.edit(model=IMAGE, image=("boat.png", image, "image/png"), prompt="Make it red.")
    assert base64.b64decode(edited.data[0].b64_json).startswith(PNG)


def test_an_unknown_model_is_not_found(client):
    with pytest.raises(openai.NotFoundError):
        client.embeddings.create(model="openai/no-such-model", input="x")
    with pytest.raises(openai.NotFoundError):
        client.images.generate(model="openai/no-such-model", prompt="x")
