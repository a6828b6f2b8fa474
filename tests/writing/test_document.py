"""The OpenAPI document against what writing really answers."""

from typing import Any

from accounts.models import User
from plex_simulator import Simulator
from tests.api.test_true_schema import DOCUMENT, validate
from tests.writing.conftest import Writer, link

READ_BY_POST = "/api/v1/plex/items"
PLACES = {
    "collection": ("/plex/libraries/{libraryKey}/collections", "/plex/collections/{collectionKey}"),
    "playlist": ("/plex/playlists", "/plex/playlists/{playlistKey}"),
}


def test_every_answer_and_refusal_is_as_the_document_describes_it(
    writer: Writer, reader: Writer, plex: Simulator, movies: list[str]
) -> None:
    seen: set[tuple[str, str]] = set()

    def write(method: str, template: str, path: str, body: Any = None, **kwargs: Any) -> Any:
        response = writer.request(method, path, json=body, **kwargs)
        validate(response.json(), template, response.status_code, method.lower())
        described = DOCUMENT["paths"][f"/api/v1{template}"][method.lower()]["responses"]
        for name in response.headers:
            if name in ("Location", "Cache-Control") or name.startswith(("X-RateLimit", "X-Plex")):
                assert name in described[str(response.status_code)].get("headers", {name: 1})
        refused = reader.request(method, path, json=body)
        validate(refused.json(), template, refused.status_code, method.lower())
        assert refused.status_code == 403
        seen.add((method, template))
        return response.json()["data"] if response.ok else response.json()["error"]

    for kind, (new, one) in PLACES.items():
        path = new.replace("{libraryKey}", "1")
        body = {"title": "As described", "items": movies[:3], "summary": "x"}
        assert write("POST", new, f"{path}?dryRun=1", body)["dryRun"] is True
        made = write("POST", new, path, body)[kind]
        at = f"/plex/{kind}s/{made['ratingKey']}"
        item = f"{at}/items/{movies[0]}"
        assert write("PATCH", one, at, {"title": "Changed"})[kind]["title"] == "Changed"
        assert write("PATCH", one, at, {})["code"] == "VALIDATION_ERROR"
        assert write("POST", f"{one}/items", f"{at}/items", {"items": movies[2:4]})["items"]
        place = f"{one}/items/{{ratingKey}}"
        assert write("PUT", f"{place}/position", f"{item}/position", {"after": movies[1]})["items"]
        assert write("DELETE", place, item)["items"][0]["state"] == "removed"
        assert write("DELETE", place, item)["code"] == "ITEM_NOT_FOUND"
        assert write("DELETE", one, at)["deleted"]["ratingKey"] == made["ratingKey"]
    link(plex, User.objects.get(username="user1"), plex.accounts.viewer)
    watched, progress = "/plex/items/{ratingKey}/watched", "/plex/items/{ratingKey}/progress"
    item, show = f"/plex/items/{movies[0]}", plex.catalogue.items("2", "show")[0].rating_key
    assert write("DELETE", watched, f"{item}/watched")["item"]["ratingKey"] == movies[0]
    assert write("PUT", watched, f"{item}/watched?dryRun=1")["changed"] is True
    assert write("PUT", watched, f"/plex/items/{show}/watched")["item"]["type"] == "show"
    offset = write("PUT", progress, f"{item}/progress", {"viewOffset": 60_000})["item"]
    assert offset["playbackProgress"]["viewOffset"] == 60_000
    refusal = write("PUT", progress, f"{item}/progress", {"viewOffset": -1})
    assert refusal["code"] == "VALIDATION_ERROR"
    described = {
        (method.upper(), path.removeprefix("/api/v1"))
        for path, operations in DOCUMENT["paths"].items()
        for method in operations
        if method != "get" and path.startswith("/api/v1/plex/") and path != READ_BY_POST
    }
    assert seen == described


def test_a_half_done_write_is_as_the_document_describes_it(
    writer: Writer, plex: Simulator, movies: list[str]
) -> None:
    plex.fault("disconnect", "^/library/collections$")
    response = writer.post("/plex/libraries/1/collections", json={"title": "x", "items": movies})
    template = PLACES["collection"][0]
    validate(response.json(), template, response.status_code, "post")
