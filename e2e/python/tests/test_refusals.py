"""Requests that the gateway itself refuses, as SDK users see them."""

import re
import socket

import openai
import pytest
from harness import gateway_key
from wire import user

HELLO = {"model": "openai/gpt-4o", "messages": [user("Hello.")]}


def wrong_checksum(key):
    return key[:-1] + ("0" if key[-1] != "0" else "1")


@pytest.mark.parametrize("key", [gateway_key(), wrong_checksum(gateway_key()), "sk-not-ours", "tgk_short"])
def test_a_wrong_key_is_an_authentication_error(client_with, key):
    with pytest.raises(openai.AuthenticationError) as caught:
        client_with(api_key=key).chat.completions.create(**HELLO)
    assert caught.value.status_code == 401
    assert caught.value.type == "authentication_error"
    assert key not in str(caught.value), "a refusal must not repeat the secret"


def test_a_key_with_a_typing_error_is_told_apart_from_an_unknown_one(client_with):
    messages = []
    for key in (gateway_key(), wrong_checksum(gateway_key())):
        with pytest.raises(openai.AuthenticationError) as caught:
            client_with(api_key=key).chat.completions.create(**HELLO)
        messages.append(caught.value.message)
    assert messages[0] != messages[1]


@pytest.mark.parametrize(
    "headers",
    [{}, {"authorization": ""}, {"authorization": "Bearer"}, {"authorization": "Basic dTpw"}],
)
def test_a_missing_key_is_an_authentication_error(gateway, headers):
    status, _, body = gateway.call("POST", "/v1/chat/completions", HELLO, headers)
    assert status == 401
    assert b'"authentication_error"' in body


@pytest.mark.parametrize("other", [{}, {"authorization": "Bearer a-token-of-the-provider"}])
def test_the_key_is_taken_from_its_own_header_first(gateway, other):
    """gateway-api §2.1: `Authorization` may already carry a provider's own token."""
    headers = {"x-ai-gateway-api-key": f"Bearer {gateway.key}"} | other
    status, _, answer = gateway.call("POST", "/v1/chat/completions", HELLO, headers)
    assert status == 200, answer


def test_an_unknown_model_names_near_ones(client):
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model="openai/gtp-4o", messages=[user("Hello.")])
    assert caught.value.type == "model_not_found"
    assert caught.value.param == {"modelId": "openai/gtp-4o"}
    assert "openai/gpt-4o" in caught.value.message


def test_malformed_json_says_where(gateway):
    status, _, body = gateway.chat(b'{"model": "openai/gpt-4o", "messages": [}')
    assert status == 400
    assert b'"invalid_request_error"' in body
    assert re.search(rb"(line|column|byte|offset|position|character) \d+", body), body


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"messages": "Hello."}, "messages"),
        ({"messages": [{"role": "user", "content": 7}]}, "messages[0].content"),
        ({"messages": [user("Hello."), {"role": 3, "content": "x"}]}, "messages[1].role"),
        ({"stream": "yes"}, "stream"),
        ({"model": 5}, "model"),
    ],
)
def test_a_wrong_type_says_where(client, change, path):
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(**HELLO, extra_body=change)
    assert caught.value.type == "invalid_request_error"
    assert path in caught.value.message.replace("$.", "")


@pytest.mark.parametrize("missing", ["messages", "model"])
def test_a_missing_member_is_named(gateway, missing):
    body = {name: value for name, value in HELLO.items() if name != missing}
    status, _, answer = gateway.chat(body)
    assert status == 400
    assert missing.encode() in answer


@pytest.mark.parametrize(
    ("options", "path"),
    [
        ({"order": "openai"}, "providerOptions.gateway.order"),
        ({"tags": [f"tag-{number}" for number in range(11)]}, "tags"),
        ({"user": "u" * 257}, "user"),
    ],
)
def test_a_wrong_gateway_option_says_where(client, options, path):
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(**HELLO, extra_body={"providerOptions": {"gateway": options}})
    assert caught.value.type == "invalid_request_error"
    assert path in caught.value.message


def test_an_oversized_body_is_a_413_in_the_sdk(client):
    """The answer has to arrive, although the client is still sending."""
    with pytest.raises(openai.APIStatusError) as caught:
        client.chat.completions.create(model="openai/gpt-4o", messages=[user("x" * (65 << 20))])
    assert caught.value.status_code == 413


def test_an_oversized_body_is_refused_before_it_is_read(gateway):
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as connection:
        connection.sendall(
            b"POST /v1/chat/completions HTTP/1.1\r\nhost: gateway\r\ncontent-type: application/json\r\n"
            + f"authorization: Bearer {gateway.key}\r\n".encode()
            + b"content-length: 68719476736\r\n\r\n{"
        )
        head = connection.recv(65536)
    assert head.startswith(b"HTTP/1.1 413"), head[:200]


def test_a_wrong_method_is_405_without_a_body(gateway):
    for method, path in (("GET", "/v1/chat/completions"), ("POST", "/v1/models")):
        status, _, body = gateway.call(method, path, headers=gateway.authorized())
        assert (status, body) == (405, b"")


def test_an_unknown_path_under_v1_is_json(client, gateway):
    with pytest.raises(openai.NotFoundError) as caught:
        client.get("/nothing/here", cast_to=object)
    assert caught.value.type == "not_found_error"
    status, headers, _ = gateway.call("GET", "/nothing/here")
    assert status == 404
    assert headers["content-type"].startswith("text/html")
