"""Links begin with the address in PUBLIC_URL; without it they are relative."""

import os
import subprocess
import sys
from contextlib import closing
from typing import Any

import pytest
import requests

from plex_simulator import Simulator
from tests.conftest import Client
from tests.service import PASSWORD, ROOT, House, Person, Service, Valkey, ask

PUBLIC = "https://media.example.org/plex"
ITEMS = "/plex/libraries/1/items?size=1"


def links(api: Client) -> list[str]:
    item = api.data(ITEMS)["items"][0]
    return [item["thumbUrl"], item["artUrl"]]


def test_without_the_setting_links_are_relative(api: Client) -> None:
    assert all(link.startswith("/api/v1/plex/items/") for link in links(api))


def test_links_are_absolute_where_the_setting_names_the_public_address(
    api: Client, settings: Any
) -> None:
    settings.PUBLIC_URL = PUBLIC
    assert all(link.startswith(f"{PUBLIC}/api/v1/plex/items/") for link in links(api))


def test_an_absolute_link_is_as_valid_as_a_relative_one(
    api: Client, settings: Any, anonymous: Client
) -> None:
    settings.PUBLIC_URL = PUBLIC
    root = anonymous.root.removesuffix("/api/v1")
    # What a proxy at the public address sends to the service.
    behind = links(api)[0].removeprefix(PUBLIC)
    assert requests.get(root + behind, timeout=30).status_code == 200


def test_two_services_that_share_a_cache_never_show_each_others_links(
    house: House, valkey: Valkey, plex: Simulator
) -> None:
    with (
        closing(house.service(valkey, workers=1)) as local,
        closing(house.service(valkey, workers=1, PUBLIC_URL=PUBLIC)) as public,
    ):
        for _ in range(2):  # a miss of each, then a hit of each
            relative = thumb(local, house.people[0])
            assert relative.startswith("/api/v1/")
            assert thumb(public, house.people[0]) == PUBLIC + relative


def thumb(service: Service, person: Person) -> str:
    answer = ask(service.url, f"/api/v1{ITEMS}", person.headers)
    assert answer.status == 200
    return str(answer.json()["data"]["items"][0]["thumbUrl"])


def test_the_links_of_collections_and_playlists_are_absolute_too(
    api: Client, settings: Any
) -> None:
    settings.PUBLIC_URL = PUBLIC
    collections = api.data("/plex/libraries/1/collections")["collections"]
    playlists = api.data("/plex/playlists")["playlists"]
    shown = [each["thumbUrl"] for each in (*collections, *playlists) if "thumbUrl" in each]
    assert shown
    assert all(link.startswith(f"{PUBLIC}/api/v1/plex/items/") for link in shown)


def test_the_address_of_a_new_playlist_is_absolute(
    api: Client, settings: Any, user: Any, plex: Simulator
) -> None:
    user.is_superuser = True
    user.save()
    settings.PUBLIC_URL = PUBLIC
    body = {"title": "A Long Sunday", "items": ["1000"]}
    created = api.post("/plex/playlists", json=body)
    key = created.json()["data"]["playlist"]["ratingKey"]
    assert created.headers["Location"] == f"{PUBLIC}/api/v1/plex/playlists/{key}"


def test_the_index_names_the_public_address_of_the_documentation(
    api: Client, settings: Any
) -> None:
    settings.PUBLIC_URL = PUBLIC
    index = api.data("/plex/")
    assert index["documentation"] == f"{PUBLIC}/api/v1/docs"
    assert index["schema"] == f"{PUBLIC}/api/v1/schema"


def test_problem_details_name_the_public_address_of_their_description(
    api: Client, settings: Any
) -> None:
    settings.PUBLIC_URL = PUBLIC
    problem = api.get("/plex/items", headers={"Accept": "application/problem+json"}).json()
    assert problem["type"] == f"{PUBLIC}/api/v1/errors#VALIDATION_ERROR"


def test_a_page_still_leads_to_a_picture(api: Client, settings: Any) -> None:
    settings.PUBLIC_URL = PUBLIC
    page = api.get(ITEMS, headers={"Accept": "text/html"}).text
    assert f'<a href="{PUBLIC}/api/v1/plex/items/' in page


def loaded(address: str) -> subprocess.CompletedProcess[str]:
    """Load the settings in a process of their own, and show the public address."""
    return subprocess.run(
        [sys.executable, "-c", "from medianest import settings; print(settings.PUBLIC_URL)"],
        cwd=ROOT,
        env=os.environ | {"PUBLIC_URL": address, "SECRET_KEY": PASSWORD * 2},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("address", "used"),
    [
        ("https://media.example.org", "https://media.example.org"),
        ("http://192.168.1.5:8000/", "http://192.168.1.5:8000"),
        ("https://example.org/media/plex/", "https://example.org/media/plex"),
        ("", ""),
    ],
)
def test_a_good_address_is_used_without_its_last_slash(address: str, used: str) -> None:
    assert loaded(address).stdout.strip() == used


@pytest.mark.parametrize(
    "address",
    ["media.example.org", "ftp://media.example.org", "https://", "https://a:b@media.example.org",
     "https://media.example.org?a=b", "https://media.example.org/#a", "https://media example.org",
     "https://media.example.org/a>b", "https://media.example.org//a", "https://media.example.org:x"],
)  # fmt: skip
def test_a_bad_address_stops_the_start_with_a_message(address: str) -> None:
    process = loaded(address)
    assert process.returncode != 0
    assert "PUBLIC_URL must look like https://media.example.org" in process.stderr
