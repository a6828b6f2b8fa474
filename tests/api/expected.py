"""What the API should say about the simulator's catalogue, worked out anew from the facts alone."""

import re
from datetime import UTC, datetime
from typing import Any

from plex_simulator.catalogue import Catalogue
from plex_simulator.models import Account, Collection, Item, Media, Part

SCHEMES = {"imdb": "imdb", "tmdb": "tmdb", "tvdb": "tvdb", "mbid": "musicbrainz"}
LEGACY = re.compile(r"com\.plexapp\.agents\.(?:imdb|thetvdb)://(tt\d+|\d+)\?lang=en")


def instant(seconds: int | None) -> str | None:
    """Spell epoch seconds as the API does."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def library(catalogue: Catalogue, key: str) -> dict[str, str]:
    found = catalogue.library(key)
    assert found is not None
    return {"id": found.key, "title": found.title, "type": found.type}


class SignedLink:
    """A link to an item's picture, which is at a path of Plex's: equal to any signed so."""

    def __init__(self, rating_key: str, kind: str, path: str) -> None:
        steps = path.removeprefix("/library").strip("/").replace("?width=", "/")
        version = steps.replace("&height=", "x").replace("/", ".")
        self._pattern = (
            f"/api/v1/plex/items/{rating_key}/images/{kind}"
            rf"\?version={re.escape(version)}&expires=\d+&signature=[\w-]{{24}}"
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and re.fullmatch(self._pattern, other) is not None

    def __repr__(self) -> str:
        return self._pattern


def signed(rating_key: str, kind: str, path: str | None) -> SignedLink | None:
    return None if path is None else SignedLink(rating_key, kind, path)


def known(**members: Any) -> dict[str, Any]:
    """Leave out what there is none of."""
    return {name: value for name, value in members.items() if value not in (None, [], {})}


def item(catalogue: Catalogue, facts: Item, user: Account | None = None) -> dict[str, Any]:
    """Everything the API says about an item with all its details."""
    seen = facts.seen_by(user or catalogue.owner)
    is_show = facts.type == "show"
    plain_collections = {made.tag_id for made in catalogue.collections(facts.library_key)}
    watchable = facts.type in ("show", "season")
    return {
        "ratingKey": facts.rating_key,
        "key": f"/library/metadata/{facts.rating_key}",
        "type": facts.type,
        "title": facts.title,
        "addedAt": instant(facts.added_at),
        "updatedAt": instant(facts.updated_at),
        "library": library(catalogue, facts.library_key),
        "playbackProgress": {
            "viewOffset": seen.view_offset,
            "viewCount": seen.view_count,
            "lastViewedAt": instant(seen.last_viewed_at),
        },
        "summary": facts.summary,
    } | known(
        guid=facts.guid,
        externalIds=external_ids(facts),
        subtype=facts.subtype,
        titleSort=facts.sort_title,
        originalTitle=facts.original_title,
        rating=facts.rating,
        audienceRating=facts.audience_rating,
        year=facts.year,
        tagline=facts.tagline,
        contentRating=facts.content_rating,
        duration=facts.duration,
        originallyAvailableAt=facts.originally_available_at,
        art=facts.art,
        artUrl=signed(facts.rating_key, "art", facts.art),
        thumb=facts.thumb,
        thumbUrl=signed(facts.rating_key, "thumb", facts.thumb),
        banner=facts.banner,
        theme=facts.theme,
        studio=facts.studio,
        genres=[{"id": tag.id, "tag": tag.tag} for tag in facts.genres],
        directors=[{"id": person.id, "tag": person.tag} for person in facts.directors],
        writers=[{"id": person.id, "tag": person.tag} for person in facts.writers],
        actors=[
            known(id=role.id, tag=role.tag, role=role.role, thumb=role.person.thumb)
            for role in facts.roles[:20]
        ],
        countries=[{"id": tag.id, "tag": tag.tag} for tag in facts.countries],
        collections=[
            {"id": tag.id, "tag": tag.tag}
            for tag in facts.collections
            if tag.id in plain_collections
        ],
        media=[media(each) for each in facts.media],
        parentRatingKey=facts.parent_rating_key,
        parentTitle=facts.parent_title,
        grandparentRatingKey=facts.grandparent_rating_key,
        grandparentTitle=facts.grandparent_title,
        index=facts.index,
        parentIndex=facts.parent_index,
        seasonCount=_first(facts.season_count, facts.child_count) if is_show else None,
        episodeCount=facts.leaf_count if is_show else None,
        childCount=facts.child_count,
        leafCount=facts.leaf_count,
        viewedLeafCount=seen.viewed_leaf_count if watchable else None,
    )


def summary(
    catalogue: Catalogue, facts: Item, user: Account | None = None, *, guids: bool = False
) -> dict[str, Any]:
    """What the API says about an item from Plex's lists alone, which cut it short."""
    members = item(catalogue, facts, user)
    for name, most in (("genres", 2), ("directors", 2), ("writers", 2), ("countries", 2)):
        if name in members:
            members[name] = [{"tag": each["tag"]} for each in members[name]][:most]
    if "actors" in members:
        members["actors"] = [{"tag": each["tag"]} for each in members["actors"]][:3]
    if facts.collections:
        members["collections"] = [{"tag": tag.tag} for tag in facts.collections[:2]]
    if facts.type == "album":
        members.pop("leafCount")
    if not guids and not LEGACY.fullmatch(facts.guid):
        members.pop("externalIds", None)
    return members


def external_ids(facts: Item) -> dict[str, str]:
    ids = {SCHEMES[scheme]: rest for scheme, rest in (g.split("://") for g in facts.guids)}
    if legacy := LEGACY.fullmatch(facts.guid):
        ids["imdb" if legacy[1].startswith("tt") else "tvdb"] = legacy[1]
    return ids


def media(facts: Media) -> dict[str, Any]:
    return {
        "id": facts.id,
        "duration": facts.duration,
        "bitrate": facts.bitrate,
        "width": facts.width,
        "height": facts.height,
        "aspectRatio": facts.aspect_ratio,
        "audioChannels": facts.audio_channels,
        "audioCodec": facts.audio_codec,
        "videoCodec": facts.video_codec,
        "videoResolution": facts.video_resolution,
        "container": facts.container,
        "videoFrameRate": facts.video_frame_rate,
        "videoProfile": facts.video_profile,
        "parts": [part(each) for each in facts.parts],
    }


def part(facts: Part) -> dict[str, Any]:
    return {
        "id": facts.id,
        "key": facts.key,
        "duration": facts.duration,
        "file": facts.file,
        "size": facts.size,
        "container": facts.container,
        "videoProfile": facts.video_profile,
    }


def collection(
    catalogue: Catalogue, facts: Collection, user: Account | None = None
) -> dict[str, Any]:
    count = len(catalogue.collection_items(facts.rating_key, user))
    kind = "metadata" if facts.custom_thumb else "collections"
    picture = "thumb" if facts.custom_thumb else "composite"
    query = "" if facts.custom_thumb else "?width=400&height=600"
    thumb = f"/library/{kind}/{facts.rating_key}/{picture}/{facts.updated_at}{query}"
    return {
        "ratingKey": facts.rating_key,
        "key": f"/library/metadata/{facts.rating_key}",
        "type": "collection",
        "title": facts.title,
        "titleSort": facts.sort_title,
        "summary": facts.summary,
        "addedAt": instant(facts.added_at),
        "updatedAt": instant(facts.updated_at),
        "thumb": thumb,
        "thumbUrl": signed(facts.rating_key, "thumb", thumb),
        "childCount": count,
        "smart": facts.smart,
        "subtype": facts.subtype,
        "library": library(catalogue, facts.library_key),
    } | known(
        art=facts.art,
        artUrl=signed(facts.rating_key, "art", facts.art),
        contentRating=facts.content_rating,
    )


def _first(*values: int | None) -> int | None:
    return next((value for value in values if value is not None), None)
