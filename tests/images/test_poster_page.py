"""A page of 50 posters, loaded as a browser does: from the items answer alone, with no token."""

import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from html import escape
from html.parser import HTMLParser

from plex_simulator import Simulator
from tests.conftest import Client

from .conftest import Browser, shown

CHROMIUM = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"


class Images(HTMLParser):
    """The addresses of a page's images."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.addresses += [
            value or "" for name, value in attributes if (tag, name) == ("img", "src")
        ]


def test_fifty_posters_load_from_the_items_answer_alone(
    signed_in: Client, browser: Browser, small: Simulator
) -> None:
    items = signed_in.data("/plex/libraries/1/items?size=50")["items"]
    posters = [item["thumbUrl"] for item in items if "thumbUrl" in item]
    assert len(posters) == len({item["ratingKey"] for item in items if "thumb" in item}) == 50
    page = "".join(f'<img src="{escape(link)}&amp;width=160">' for link in posters)
    token = str(signed_in.headers["Authorization"]).removeprefix("Bearer ")
    assert token not in page
    assert small.owner_token not in page
    assert not re.search("token", page, re.IGNORECASE)
    addresses = Images(page).addresses
    small.reset_requests()

    def load(address: str) -> bytes:
        with Browser(browser.root) as client:
            answer = client.get(address, headers={"Accept": CHROMIUM})
            assert shown(answer).format == "WEBP"
            assert "Authorization" not in answer.request.headers
            assert "Cookie" not in answer.request.headers
            assert answer.url.startswith(browser.root)
            return bytes(answer.content)

    with ThreadPoolExecutor(6) as pool:  # as many connections as a browser opens
        pictures = list(pool.map(load, addresses))
    assert len(set(pictures)) == 50
    # One request to Plex per picture, none to learn which it is; and none at all the next time.
    assert Counter(served.path for served in small.requests) == {"/photo/:/transcode": 50}
    small.reset_requests()
    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(load, addresses)) == pictures
    assert small.count() == 0


def test_fifty_posters_with_a_token_cost_at_most_two_requests_each_and_then_none(
    signed_in: Client, small: Simulator
) -> None:
    keys = [item.rating_key for item in small.catalogue.items("1", "movie") if item.thumb][:50]
    for expected in (100, 0, 50):
        small.reset_requests()
        width = 160 if expected != 50 else 320
        for key in keys:
            shown(signed_in.get(f"/plex/items/{key}/images/thumb?width={width}"))
        assert small.count() == expected
