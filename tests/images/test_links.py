"""`thumbUrl` and `artUrl`: signed links that need no token, and what becomes of forged ones."""

import re
import time
from base64 import urlsafe_b64encode
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from django.urls import reverse
from django.utils.crypto import salted_hmac

from plex_integration.caching import known_requests
from plex_integration.configuration.connection import Scope
from plex_integration.images import signing
from plex_simulator import Simulator
from tests.conftest import Client

from .conftest import Browser, first, refusal, scaled, shown

SCOPE = Scope("scope", "server")

DAY = 24 * 3600
NOON = 1_800_014_400 - 1_800_014_400 % DAY + DAY // 2
VERSION = "metadata.1000.thumb.1700000000"


def ending(link: str) -> int:
    return int(dict(parse_qsl(urlsplit(link).query))["expires"])


def with_changed(link: str, **members: str) -> str:
    """Return a link with other parameters; the path is changed as `path`."""
    parts = urlsplit(link)
    path = members.pop("path", parts.path)
    return f"{path}?{urlencode(dict(parse_qsl(parts.query)) | members)}"


@pytest.fixture
def poster(signed_in: Client, small: Simulator) -> str:
    """A link to a poster, as an items answer has it."""
    key = first(small).rating_key
    items = signed_in.data("/plex/libraries/1/items?size=200&details=summary")["items"]
    small.reset_requests()
    return str(next(item for item in items if item["ratingKey"] == key)["thumbUrl"])


def test_a_link_shows_the_picture_without_a_token(
    browser: Browser, small: Simulator, poster: str
) -> None:
    answer = browser.get(poster)
    assert shown(answer).size == (400, 600)
    assert re.fullmatch(r"private, max-age=\d+, immutable", answer.headers["Cache-Control"])
    assert answer.headers["X-RateLimit-Limit"] == "600"
    assert scaled(small)[0]["url"] == first(small).thumb
    assert len(small.requests) == 1
    again = browser.get(poster, headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


def test_a_link_is_relative_to_the_origin_and_leads_to_the_endpoint(poster: str) -> None:
    path = urlsplit(poster).path
    key = path.split("/")[5]
    assert poster.startswith("/api/v1/plex/items/")
    assert path == reverse("plex-item-image", kwargs={"ratingKey": key, "kind": "thumb"})


def test_a_link_leaves_the_size_to_the_client(browser: Browser, poster: str) -> None:
    assert shown(browser.get(f"{poster}&width=160")).size == (160, 240)
    assert shown(browser.get(f"{poster}&height=160")).size == (107, 160)
    refusal(browser.get(f"{poster}&width=161"), 400, "VALIDATION_ERROR")


def test_every_answer_with_items_has_their_links(
    signed_in: Client, browser: Browser, small: Simulator
) -> None:
    movie, show = first(small), first(small, "2", "show")
    collection = small.catalogue.collections("1")[0].rating_key
    rows: list[Any] = [
        signed_in.data(f"/plex/items/{movie.rating_key}")["item"],
        *signed_in.data(f"/plex/items/{show.rating_key}/children")["items"],
        *signed_in.data(f"/plex/search?query={movie.title[:6]}")["results"],
        *signed_in.data("/plex/recently-added?limit=3")["items"],
        *signed_in.data("/plex/libraries/1/collections")["collections"],
        *signed_in.data("/plex/playlists")["playlists"],
    ]
    answer = signed_in.data(f"/plex/collections/{collection}")
    rows += [answer["collection"], *answer["items"][:3]]
    assert len(rows) > 10
    for row in rows:
        has_thumb = "thumb" in row or "composite" in row
        assert ("thumbUrl" in row, "artUrl" in row) == (has_thumb, "art" in row)
        for name in ("thumbUrl", "artUrl"):
            if name in row:
                shown(browser.get(f"{row[name]}&width=160"))


def test_a_signature_is_that_of_django_with_the_secret_of_this_moment(settings: Any) -> None:
    for secret in (settings.SECRET_KEY, "another-secret-for-this-test-alone"):
        settings.SECRET_KEY = secret
        link = signing.sign_link(SCOPE, "1000", "thumb", VERSION, NOON)
        message = f"scope\nthumb\n{ending(link)}\n1000\n{VERSION}"
        digest = salted_hmac("plex_integration.pictures.signing", message, algorithm="sha256")
        assert link.endswith(f"&signature={urlsafe_b64encode(digest.digest()[:18]).decode()}")


@pytest.mark.parametrize("second", [0, 1, DAY // 2, DAY - 1])
def test_a_link_is_good_for_24_to_48_hours_and_the_same_all_day(second: int) -> None:
    midnight = NOON - NOON % DAY
    link = signing.sign_link(SCOPE, "1000", "thumb", VERSION, midnight + second)
    assert DAY < ending(link) - (midnight + second) <= 2 * DAY
    assert link == signing.sign_link(SCOPE, "1000", "thumb", VERSION, midnight)
    assert link != signing.sign_link(SCOPE, "1000", "thumb", VERSION, midnight + DAY)


def test_a_link_ends_to_the_second(
    browser: Browser, poster: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown(browser.get(poster))
    real = time.time
    ahead = ending(poster) - real()
    monkeypatch.setattr(signing.time, "time", lambda: real() + ahead - 30)
    answer = browser.get(poster)
    shown(answer)
    assert 0 < int(re.findall(r"max-age=(\d+)", answer.headers["Cache-Control"])[0]) <= 30
    monkeypatch.setattr(signing.time, "time", lambda: real() + ahead)
    refusal(browser.get(poster), 401, "UNAUTHORIZED")


def test_a_forged_link_is_refused_and_plex_gets_no_request(
    browser: Browser, small: Simulator, poster: str
) -> None:
    parts = urlsplit(poster)
    given = dict(parse_qsl(parts.query))
    other = str(int(parts.path.split("/")[5]) + 1)
    first_letter = "A" if given["signature"][0] != "A" else "B"
    forged = [
        with_changed(poster, signature=first_letter + given["signature"][1:]),
        with_changed(poster, signature=given["signature"][:-1]),
        with_changed(poster, signature=given["signature"] + "A"),
        with_changed(poster, signature=""),
        with_changed(poster, signature="é"),
        with_changed(poster, expires=str(int(given["expires"]) + 1)),
        with_changed(poster, expires=str(int(given["expires"]) - 1)),
        with_changed(poster, expires="9" * 12),
        with_changed(poster, expires="9" * 4000),
        with_changed(poster, expires="-1"),
        with_changed(poster, expires="١٢٣"),
        with_changed(poster, expires="0"),
        with_changed(poster, version=given["version"] + "0"),
        with_changed(poster, version=""),
        with_changed(poster, version="metadata.1.thumb.1"),
        with_changed(poster, path=parts.path.replace("/thumb", "/art")),
        with_changed(poster, path=re.sub(r"/items/\d+/", f"/items/{other}/", parts.path)),
        parts.path,
        *(with_changed(poster, **{name: "x"}) for name in given),
    ]
    for link in forged:
        answer = browser.get(link)
        refusal(answer, 401, "UNAUTHORIZED")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert small.count() == 0


def test_a_link_of_another_key_or_another_server_is_refused(
    browser: Browser, small: Simulator, poster: str, settings: Any
) -> None:
    shown(browser.get(poster))
    original_key = settings.SECRET_KEY
    settings.SECRET_KEY = "another-key-another-key-another-key-another"
    refusal(browser.get(poster), 401, "UNAUTHORIZED")
    settings.SECRET_KEY = original_key
    settings.PLEX_TOKEN = small.viewer_token
    refusal(browser.get(poster), 401, "UNAUTHORIZED")


def test_a_signature_is_no_other_signature_of_this_service(poster: str, settings: Any) -> None:
    from django.core.signing import Signer

    query = dict(parse_qsl(urlsplit(poster).query))
    signed = f"{query['version']}:{query['signature']}"
    assert Signer().sign(query["version"]) != signed
    assert settings.SECRET_KEY not in poster


def test_a_link_tells_nothing_secret(
    signed_in: Client, small: Simulator, poster: str, browser: Browser
) -> None:
    token = str(signed_in.headers["Authorization"]).removeprefix("Bearer ")
    answer = browser.get(poster)
    exposed = poster + str(answer.headers) + answer.url
    for secret in (token, small.owner_token, small.url):
        assert secret not in exposed


def test_who_is_signed_in_may_follow_an_ended_or_broken_link(
    signed_in: Client, small: Simulator, poster: str
) -> None:
    path = poster.removeprefix("/api/v1")
    shown(signed_in.get(with_changed(path, signature="forged")))
    shown(signed_in.get(with_changed(path, expires="1")))
    good = signed_in.get(path)
    shown(good)
    assert "immutable" in good.headers["Cache-Control"]


def test_a_bad_token_is_refused_even_with_a_good_link(server: Any, poster: str) -> None:
    client = Client(server.url, "forged")
    refusal(client.get(poster.removeprefix("/api/v1")), 401, "UNAUTHORIZED")


def test_a_changed_picture_has_another_link_and_is_fetched_again(
    signed_in: Client, browser: Browser, small: Simulator
) -> None:
    item = small.catalogue.add("1", "movie", "Repainted", year=2001)
    key = item.rating_key
    try:
        small.catalogue.change(key, thumb=f"/library/metadata/{key}/thumb/1")
        old = signed_in.data(f"/plex/items/{key}")["item"]["thumbUrl"]
        shown(browser.get(old))
        shown(signed_in.get(f"/plex/items/{key}/images/thumb"))
        small.catalogue.change(key, thumb=f"/library/metadata/{key}/thumb/2")
        renew = {"Cache-Control": "no-cache"}
        new = signed_in.data(f"/plex/items/{key}", headers=renew)["item"]["thumbUrl"]
        assert new != old
        assert browser.get(new).headers["X-Plex-Cache-Status"] == "MISS"
        answer = signed_in.get(f"/plex/items/{key}/images/thumb", headers=renew)
        assert answer.headers["X-Plex-Cache-Status"] == "HIT"
        assert [each["url"][-1] for each in scaled(small)] == ["1", "2"]
    finally:
        small.catalogue.remove(key)


def test_a_cached_response_has_links_that_are_still_valid(
    signed_in: Client, browser: Browser, small: Simulator
) -> None:
    path = "/plex/libraries/1/items?size=5&details=summary"
    signed_in.data(path)
    known_requests.forget()
    small.fault("status", status=503)
    answer = signed_in.get(path, headers={"Cache-Control": "no-cache"})
    assert answer.headers["X-Plex-Cache-Status"] == "STALE"
    small.heal()
    for item in answer.json()["data"]["items"]:
        shown(browser.get(f"{item['thumbUrl']}&width=160"))


def test_two_hundred_links_are_signed_in_some_milliseconds() -> None:
    began = time.thread_time()  # however many others want the processor
    for number in range(200):
        signing.sign_link(SCOPE, str(number), "thumb", VERSION)
    assert time.thread_time() - began < 0.1
