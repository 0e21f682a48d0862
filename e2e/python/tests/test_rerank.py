"""Rerank with the `cohere` package, both versions of the interface (gateway-api §11)."""

import cohere
import pytest
from accounts import generation
from cohere.core.api_error import ApiError
from harness import gateway_key

MODEL = "cohere/rerank-v3.5"
QUERY = "Which city has a harbour?"
DOCUMENTS = [
    "Bread is made of flour.",
    "Hamburg is a city and has a harbour.",
    "A harbour shelters ships.",
]


def ranked(results, count):
    """Best first, each document at most once; the indices."""
    indices = [result.index for result in results]
    assert len(set(indices)) == len(indices) == count
    scores = [result.relevance_score for result in results]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
    return indices


@pytest.mark.parametrize("limit", [None, 2])
def test_version_2(gateway, limit):
    client = cohere.ClientV2(api_key=gateway.key, base_url=gateway.url)
    answer = client.rerank(model=MODEL, query=QUERY, documents=DOCUMENTS, top_n=limit)
    assert ranked(answer.results, limit or 3)[0] == 1, "the document that answers the question is first"
    assert answer.meta.billed_units.search_units >= 1
    record = generation(gateway, answer.id)
    assert record["model"] == MODEL and record["total_cost"] > 0


def test_version_1_takes_objects_and_gives_them_back(gateway):
    client = cohere.Client(api_key=gateway.key, base_url=gateway.url)
    documents = [{"text": text} for text in DOCUMENTS]
    answer = client.rerank(model=MODEL, query=QUERY, documents=documents, return_documents=True)
    ranked(answer.results, 3)
    assert all(result.document.text == DOCUMENTS[result.index] for result in answer.results)


@pytest.mark.parametrize(("model", "status"), [("cohere/no-such-model", 404), (MODEL, 401)])
def test_errors_are_a_message(gateway, model, status):
    key = gateway_key() if status == 401 else gateway.key
    client = cohere.ClientV2(api_key=key, base_url=gateway.url)
    with pytest.raises(ApiError) as caught:
        client.rerank(model=model, query=QUERY, documents=DOCUMENTS)
    assert caught.value.status_code == status
    assert isinstance(caught.value.body["message"], str)
