"""Failover: what the caller gets, and what the metadata says about how."""

import openai
import pytest
from wire import check_chunks, check_metadata, stream_chunks, user

HELLO = [user("Hello.")]
ORDER = {"providerOptions": {"gateway": {"order": ["faulty", "backup"]}}}


def check_both_attempts(routing):
    (model,) = routing["modelAttempts"]
    assert model["success"] is True
    attempts = model["providerAttempts"]
    assert model["providerAttemptCount"] == len(attempts) >= 2
    assert routing["attempts"] == attempts, "readers look for either form"
    *failed, last = attempts
    assert {(a["provider"], a["success"], a["statusCode"]) for a in failed} == {("faulty", False, 503)}
    assert all(a["error"] for a in failed)
    assert (last["provider"], last["success"], last["statusCode"]) == ("backup", True, 200)
    assert all(a["endTime"] >= a["startTime"] for a in attempts)
    assert (routing["resolvedProvider"], routing["finalProvider"]) == ("faulty", "backup")
    assert "backup" in routing["fallbacksAvailable"]


def test_the_second_endpoint_answers_when_the_first_fails(client):
    answer = client.chat.completions.create(model="openai/failover", messages=HELLO, extra_body=ORDER)
    body = answer.to_dict()
    metadata = body["choices"][0]["message"]["provider_metadata"]
    check_metadata(metadata, body)
    check_both_attempts(metadata["gateway"]["routing"])


def test_the_same_in_a_stream(gateway):
    chunks = stream_chunks(gateway, {"model": "openai/failover", "messages": HELLO, **ORDER})
    final = check_chunks(chunks, "openai/failover")
    check_both_attempts(final["choices"][0]["delta"]["provider_metadata"]["gateway"]["routing"])


def test_attempts_do_not_share_credentials(client, simulator):
    """I24: nothing of one attempt leaks into the next."""
    client.chat.completions.create(
        model="openai/failover", messages=HELLO, user="failover-keys", extra_body=ORDER
    )
    keys = [seen["headers"]["authorization"] for seen in simulator.requests("failover-keys")]
    assert set(keys[:-1]) == {"Bearer sk-fake-faulty"}
    assert keys[-1] == "Bearer sk-fake-backup"


def test_when_everything_failed_the_error_shows_the_attempts(client):
    with pytest.raises(openai.InternalServerError) as caught:
        client.chat.completions.create(model="openai/fail-503", messages=HELLO)
    routing = caught.value.response.json()["providerMetadata"]["gateway"]["routing"]
    attempts = routing["modelAttempts"][0]["providerAttempts"]
    assert attempts and all(a["success"] is False and a["statusCode"] == 503 for a in attempts)


def test_only_restricts_the_providers(client):
    options = {"providerOptions": {"gateway": {"only": ["backup"]}}}
    answer = client.chat.completions.create(model="openai/failover", messages=HELLO, extra_body=options)
    routing = answer.choices[0].message.to_dict()["provider_metadata"]["gateway"]["routing"]
    assert routing["totalProviderAttemptCount"] == 1
    assert routing["finalProvider"] == "backup"
