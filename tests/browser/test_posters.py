"""A page of 50 posters in a real browser: links of the items answer, and nothing else."""

from html import escape
from typing import Any

import requests
from playwright.sync_api import Page, Request

from tests.browser.conftest import USER, Site

LOADED = "[...document.images].filter((image) => image.complete && image.naturalWidth > 0).length"


def posters(origin: str) -> tuple[str, list[str]]:
    """Return an access token, and the first 50 links that it gets."""
    name, password = USER
    response = requests.post(
        f"{origin}/api/v1/auth/token", json={"username": name, "password": password}, timeout=60
    )
    access: str = response.json()["data"]["access"]
    listed = requests.get(
        f"{origin}/api/v1/plex/libraries/1/items?size=60&details=summary",
        headers={"Authorization": f"Bearer {access}"},
        timeout=60,
    )
    items: list[Any] = listed.json()["data"]["items"]
    return access, [item["thumbUrl"] for item in items if "thumbUrl" in item][:50]


def remaining(link: str) -> int:
    """Return how many more pictures this address may ask for, after this one."""
    return int(requests.get(link, timeout=60).headers["X-RateLimit-Remaining"])


def show(page: Page, links: list[str]) -> str:
    """Put the posters on a page of the service's own origin; return the page."""
    images = "".join(
        f'<img src="{escape(link)}&amp;width=160" alt="" width="160" height="240">'
        for link in links
    )
    page.goto("/api/v1/health/live")
    page.set_content(f"<!doctype html><title>Posters</title>{images}", wait_until="load")
    page.wait_for_function(f"{LOADED} === {len(links)}")
    return page.content()


def test_fifty_posters_load_without_a_token_and_from_the_browsers_memory_the_next_time(
    site: Site,
) -> None:
    access, links = posters(site.origin)
    assert len(links) == 50
    sent: list[Request] = []
    heard: list[str] = []
    site.context.on("request", lambda request: sent.append(request))
    site.context.on("console", lambda message: heard.append(message.text))
    page = site.page
    shown = show(page, links)
    site.shoot("posters")
    pictures = [each for each in sent if "/images/" in each.url]
    assert len(pictures) == 50
    for each in pictures:
        headers = each.all_headers()
        assert not {"authorization", "cookie"} & headers.keys()
        answer = each.response()
        assert answer
        assert (answer.status, answer.headers["content-type"]) == (200, "image/webp")
        assert access not in each.url + str(headers) + str(answer.all_headers())
    for text in (shown, *heard, *(each.url for each in sent)):
        assert access not in text
        assert "token" not in text.lower()
    assert remaining(site.origin + links[0]) == 600 - 50 - 1
    show(page, links)
    assert remaining(site.origin + links[0]) == 600 - 50 - 2
