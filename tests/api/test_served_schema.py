"""`GET /api/v1/schema`: compact, compressed, with a validator, in JSON and YAML."""

import gzip
import json
from typing import Any

import pytest
import requests
import yaml
from django.test import Client as Browser

from plex_integration.openapi import generation
from tests.api.test_true_schema import DOCUMENT
from tests.server import Server
from tests.service import House, at_once

SCHEMA = "/api/v1/schema"
TYPES = {
    "*/*": "application/json",
    "application/json": "application/json",
    "application/vnd.oai.openapi+json": "application/vnd.oai.openapi+json",
    "application/yaml": "application/yaml",
    "application/vnd.oai.openapi": "application/vnd.oai.openapi",
}


def send(client: Browser, **headers: str) -> Any:
    return client.get(SCHEMA, headers={name.replace("_", "-"): headers[name] for name in headers})


@pytest.mark.parametrize(("accept", "expected"), TYPES.items())
def test_every_media_type_has_the_same_document(
    client: Browser, accept: str, expected: str
) -> None:
    answer = send(client, accept=accept)
    assert answer["Content-Type"] == expected
    read = yaml.safe_load if "json" not in expected else json.loads
    assert read(answer.content)["paths"] == DOCUMENT["paths"]
    assert set(answer["Vary"].split(", ")) >= {"Accept", "Accept-Encoding"}


def test_json_is_compact_and_compressed_to_a_tenth(client: Browser) -> None:
    plain = send(client)
    assert b"\n" not in plain.content
    assert len(plain.content) < 200_000
    packed = send(client, accept_encoding="br, gzip")
    assert packed["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.content) == plain.content
    assert len(packed.content) < len(plain.content) / 8
    assert "Content-Encoding" not in send(client, accept_encoding="gzip;q=0")


def test_a_client_that_has_the_document_gets_304(client: Browser) -> None:
    first = send(client)
    assert first["Cache-Control"] == "max-age=300, public"
    for etag in (first["ETag"], first["ETag"].removeprefix("W/"), f'"x", {first["ETag"]}'):
        again = send(client, if_none_match=etag, accept_encoding="gzip")
        assert (again.status_code, again.content) == (304, b"")
        assert again["ETag"] == first["ETag"]
    assert send(client, if_none_match='"another"').status_code == 200
    yaml_etag = send(client, accept="application/yaml")["ETag"]
    assert yaml_etag != first["ETag"]


def test_a_head_has_the_headers_of_a_get(server: Server, transactional_db: None) -> None:
    get = requests.get(server.url + SCHEMA, timeout=30)
    head = requests.head(server.url + SCHEMA, timeout=30)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("ETag", "Content-Type", "Cache-Control", "Content-Length"):
        assert head.headers[name] == get.headers[name]


def test_the_document_is_generated_once_in_a_process(
    client: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(client)

    def fail(*_: Any, **__: Any) -> None:
        raise AssertionError("generated again")

    monkeypatch.setattr(generation.SchemaGenerator, "get_schema", fail)
    assert send(client).status_code == 200


def test_nobody_needs_to_sign_in_for_it_and_a_bad_token_does_not_matter(client: Browser) -> None:
    assert send(client, authorization="Bearer nonsense").status_code == 200


def test_pages_that_need_the_document_at_the_same_time_all_get_it(house: House) -> None:
    """The first use of drf-spectacular is not safe in several threads."""
    service = house.service(None, workers=1)
    try:
        page = {"Accept": "text/html"}
        wanted = [("/api/v1/schema", page), ("/api/v1/health", page)] * 8
        assert {each.status for each in at_once(service.url, wanted)} == {200}
    finally:
        service.close()
