"""Generate titles, people, dates, ratings, files and chapters of items.

Every value depends on the seed and the index of the item alone. The functions are cheap and pure,
so that a library of 250,000 items can be generated on demand instead of at start.
"""

import re
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from plex_simulator.generation import vocabulary
from plex_simulator.models import Chapter, Media, Part, Person, Rating, Role, Stream, Tag
from plex_simulator.seeded_random import SeededRandom

DAY = 86_400
MONTH = 30 * DAY

PEOPLE = len(vocabulary.FIRST_NAMES) * len(vocabulary.LAST_NAMES)
FIRST_GENRE_ID = 101
FIRST_MUSIC_GENRE_ID = 201
FIRST_COUNTRY_ID = 301
FIRST_LABEL_ID = 401
FIRST_COLLECTION_TAG_ID = 50_001
FIRST_PERSON_ID = {"director": 100_001, "writer": 200_001, "producer": 300_001, "actor": 400_001}

GENRES = tuple(Tag(FIRST_GENRE_ID + n, name) for n, name in enumerate(vocabulary.GENRES))
MUSIC_GENRES = tuple(
    Tag(FIRST_MUSIC_GENRE_ID + n, name) for n, name in enumerate(vocabulary.MUSIC_GENRES)
)
COUNTRIES = tuple(Tag(FIRST_COUNTRY_ID + n, name) for n, name in enumerate(vocabulary.COUNTRIES))
LABELS = (Tag(FIRST_LABEL_ID, "Favourites"), Tag(FIRST_LABEL_ID + 1, "Kids"))


def make_edge_case_title(index: int) -> str | None:
    """Return an edge case for every 13th item until all edge cases are used."""
    if index % 13 == 5 and index // 13 < len(vocabulary.EDGE_CASE_TITLES):
        return vocabulary.EDGE_CASE_TITLES[index // 13]
    return None


def make_edge_case_summary(index: int) -> str | None:
    """Return an edge case for every 29th item."""
    if index % 29 == 7:
        return vocabulary.EDGE_CASE_SUMMARIES[index // 29 % len(vocabulary.EDGE_CASE_SUMMARIES)]
    return None


def make_title(rng: SeededRandom, index: int, purpose: int) -> str:
    pattern = rng.choice(index, purpose, vocabulary.TITLE_PATTERNS)
    noun = rng.choice(index, purpose + 2, vocabulary.NOUNS)
    return pattern.format(
        adjective=rng.choice(index, purpose + 1, vocabulary.ADJECTIVES),
        noun=noun,
        a_noun=f"{'An' if noun[0] in 'AEIOU' or noun == 'Hour' else 'A'} {noun}",
        place=rng.choice(index, purpose + 3, vocabulary.PLACES),
        name=rng.choice(index, purpose + 4, vocabulary.FIRST_NAMES),
    )


def strip_article(title: str) -> str | None:
    """Return a title without its leading article, or None if it has no article."""
    for article in ("The ", "A ", "An "):
        if title.startswith(article) and len(title) > len(article):
            return title[len(article) :]
    return None


def make_text(rng: SeededRandom, index: int, purpose: int, *sentences: Sequence[str]) -> str:
    """Choose one of each list of sentences, and fill in names, places and things."""
    chosen = (rng.choice(index, purpose + n, options) for n, options in enumerate(sentences))
    return " ".join(chosen).format(
        hero=rng.choice(index, purpose + 5, vocabulary.OCCUPATIONS),
        place=rng.choice(index, purpose + 6, vocabulary.PLACES),
        friend=rng.choice(index, purpose + 7, vocabulary.FIRST_NAMES),
        thing=rng.choice(index, purpose + 8, vocabulary.THINGS),
    )


def make_slug(title: str, guid: str) -> str | None:
    """Make the name that plex.tv uses in URLs; only items that Plex's agents matched have one."""
    if not guid.startswith("plex://"):
        return None
    return "-".join(re.findall("[a-z0-9]+", title.casefold())) or None


@cache  # The number of people is limited by the number of names.
def make_person(job: str, number: int) -> Person:
    """Make the nth director, writer, producer or actor; one in nine has no picture."""
    first = vocabulary.FIRST_NAMES[number % len(vocabulary.FIRST_NAMES)]
    last = vocabulary.LAST_NAMES[number // len(vocabulary.FIRST_NAMES) % len(vocabulary.LAST_NAMES)]
    rng = SeededRandom(FIRST_PERSON_ID[job], number)
    portrait = rng.hexadecimal(number, 1, 32)
    thumb = f"https://metadata-static.plex.tv/{portrait[0]}/people/{portrait}.jpg"
    return Person(
        id=FIRST_PERSON_ID[job] + number,
        tag=f"{first} {last}",
        tag_key=rng.hexadecimal(number, 2, 24),
        thumb=None if number % 9 == 4 else thumb,
    )


def make_role(rng: SeededRandom, index: int, position: int, number: int) -> Role:
    """Make the role at a position of an item's cast, played by the nth actor."""
    seed = index * 211 + position
    variant = rng.below(seed, 77, 10)
    name = rng.choice(seed, 78, vocabulary.FIRST_NAMES)
    actor = make_person("actor", number)
    if variant == 0:
        return Role(actor, None)
    if variant == 1:
        return Role(actor, f"{name} / Narrator (voice)")
    if variant == 2:
        return Role(actor, f"Captain {name}")
    return Role(actor, name)


def pick_distinct(
    rng: SeededRandom, index: int, purpose: int, count: int, bound: int
) -> tuple[int, ...]:
    """Pick up to `count` different numbers below `bound`."""
    start = rng.below(index, purpose, bound)
    step = 1 + rng.below(index, purpose + 1, max(bound // 7, 1))
    numbers = dict.fromkeys((start + n * step) % bound for n in range(min(count, bound)))
    return tuple(numbers)


def make_added_at(rng: SeededRandom, index: int, purpose: int, now: int) -> int:
    """Return when an item was added.

    About 6 % of the items were added in the last 30 days. The first item is one hour inside this
    limit and the second one hour outside, for tests of the boundary.
    """
    if index == 0:
        return now - MONTH + 3600
    if index == 1:
        return now - MONTH - 3600
    if rng.below(index, purpose, 100) < 6:
        return now - 7200 - rng.below(index, purpose + 1, MONTH - 10_800)
    return now - MONTH - 7200 - rng.below(index, purpose + 1, 6 * 365 * DAY)


def make_updated_at(
    rng: SeededRandom, index: int, purpose: int, added_at: int, now: int
) -> int | None:
    """Return when an item was updated; every 11th item has no such date."""
    if index % 11 == 7:
        return None
    return min(added_at + rng.below(index, purpose, 200 * DAY), now - 60)


def make_release_date(rng: SeededRandom, index: int, purpose: int, year: int | None) -> str | None:
    """Return a date in a year; some items have none, and some a date with a time."""
    if year is None or index % 31 == 30:
        return None
    month = 1 + rng.below(index, purpose, 12)
    day = 1 + rng.below(index, purpose + 1, 28)
    date = f"{year}-{month:02}-{day:02}"
    return f"{date} 12:00:00" if index % 53 == 52 else date


def make_rating(rng: SeededRandom, index: int, purpose: int, missing_percent: int) -> float | None:
    """Return a rating from 0 to 10 with one decimal; some percent of the items have none."""
    if rng.below(index, purpose, 100) < missing_percent:
        return None
    return (rng.below(index, purpose + 1, 51) + rng.below(index, purpose + 2, 51)) / 10


def list_ratings(critic: float | None, audience: float | None) -> tuple[Rating, ...]:
    """List the ratings of an item per rating site."""
    ratings = []
    if critic is not None:
        ratings.append(Rating("rottentomatoes://image.rating.ripe", critic, "critic"))
    if audience is not None:
        ratings.append(Rating("rottentomatoes://image.rating.upright", audience, "audience"))
        ratings.append(Rating("themoviedb://image.rating", round(audience * 0.9, 1), "audience"))
    return tuple(ratings)


class Quality(NamedTuple):
    """The resolution, codecs and container of a file."""

    resolution: str
    width: int
    height: int
    bitrate: int
    codec: str
    audio: str
    channels: int
    container: str
    rate: str
    profile: str


QUALITIES = tuple(Quality(*row) for row in (
    ("1080", 1920, 800, 9_800, "h264", "dca", 6, "mkv", "24p", "high"),
    ("1080", 1920, 1080, 7_400, "h264", "eac3", 6, "mkv", "24p", "high"),
    ("4k", 3840, 1602, 42_300, "hevc", "dca-ma", 8, "mkv", "24p", "main 10"),
    ("720", 1280, 544, 3_900, "h264", "ac3", 6, "mp4", "PAL", "main"),
    ("sd", 640, 368, 1_200, "mpeg4", "mp3", 2, "avi", "NTSC", "advanced simple"),
    ("576", 720, 576, 2_100, "mpeg2video", "ac3", 2, "mkv", "PAL", "main"),
    ("480", 720, 480, 1_900, "h264", "aac", 2, "m4v", "60p", "baseline"),
    ("1080", 1916, 1076, 5_300, "h264", "aac", 2, "mp4", "24p", "high"),
))  # fmt: skip


def pick_qualities(rng: SeededRandom, index: int, purpose: int) -> tuple[int, ...]:
    """Pick the quality of each version of a movie; one movie in ten has two versions."""
    first = rng.below(index, purpose, len(QUALITIES))
    if index % 10 == 4:
        return (first, (first + 2) % len(QUALITIES))
    return (first,)


def is_analysed(index: int) -> bool:
    """Return whether the codecs and sizes of an item's files are known."""
    return index % 47 != 23


def list_file_sizes(
    rng: SeededRandom, index: int, bitrate: int, duration: int | None
) -> tuple[int, ...]:
    """List the sizes in bytes of the files of a media version; some consist of two files."""
    count = 2 if index % 33 == 16 else 1
    length = duration // count if duration else 5_400_000
    return tuple(
        length * bitrate // 8 + rng.below(index, 61 + part, 90_000) for part in range(count)
    )


def make_media(
    rng: SeededRandom,
    index: int,
    key: int,
    qualities: tuple[int, ...],
    duration: int | None,
    path: str,
) -> tuple[Media, ...]:
    """Make one media version per quality.

    Some items are not analysed, so that codecs and sizes of the picture are missing.
    """
    versions = []
    for number, quality in enumerate(qualities):
        resolution, width, height, bitrate, codec, audio, channels, container, rate, profile = (
            QUALITIES[quality]
        )
        media_id = key * 4 + number + 1
        not_analysed = not is_analysed(index)
        sizes = list_file_sizes(rng, index, bitrate, duration)
        parts = []
        for part, size in enumerate(sizes):
            part_id = media_id * 4 + part
            suffix = f" - pt{part + 1}" if len(sizes) > 1 else ""
            length = duration // len(sizes) if duration else None
            parts.append(
                Part(
                    id=part_id,
                    key=f"/library/parts/{part_id}/{1_600_000_000 + index}/file.{container}",
                    file=f"{path}{' - ' + resolution if number else ''}{suffix}.{container}",
                    size=size,
                    duration=None if not_analysed else length,
                    container=None if not_analysed else container,
                    video_profile=None if not_analysed else profile,
                    streams=() if not_analysed else make_streams(part_id * 8, quality),
                )
            )
        if not_analysed:
            versions.append(Media(media_id, tuple(parts), duration))
            continue
        versions.append(
            Media(
                id=media_id,
                parts=tuple(parts),
                duration=duration,
                bitrate=bitrate,
                width=width,
                height=height,
                aspect_ratio=2.35 if width > 2 * height else 1.78,
                audio_channels=channels,
                audio_codec=audio,
                video_codec=codec,
                video_resolution=resolution,
                container=container,
                video_frame_rate=rate,
                video_profile=profile,
            )
        )
    return tuple(versions)


ENGLISH, GERMAN = ("English", "eng"), ("German", "ger")


def make_streams(first_id: int, quality: int) -> tuple[Stream, ...]:
    """Make the streams of a video file: video, audio and three kinds of subtitles."""
    resolution, width, height, bitrate, codec, audio, channels, *_ = QUALITIES[quality]
    name = {"4k": "4K", "sd": "SD"}.get(resolution, f"{resolution}p")
    audio_bitrate = 96 * channels
    return (
        Stream(
            first_id, 1, codec, 0, f"{name} ({codec.upper()})", *ENGLISH, default=True,
            bitrate=bitrate - audio_bitrate, width=width, height=height,
        ),
        Stream(
            first_id + 1, 2, audio, 1, f"English ({audio.upper()} {channels}ch)", *ENGLISH,
            default=True, selected=True, bitrate=audio_bitrate, channels=channels,
        ),
        Stream(first_id + 2, 3, "srt", 2, "German (SRT)", *GERMAN),
        Stream(first_id + 3, 3, "srt", 3, "English Forced (SRT)", *ENGLISH, "Forced", forced=True),
        Stream(first_id + 4, 3, "srt", 4, "English SDH (SRT)", *ENGLISH, "SDH"),
    )  # fmt: skip


def make_chapters(key: int, duration: int | None) -> tuple[Chapter, ...]:
    """Divide a video into six chapters of equal length."""
    if duration is None:
        return ()
    length = duration // 6
    return tuple(
        Chapter(key * 8 + n, n + 1, n * length, (n + 1) * length, f"Chapter {n + 1}")
        for n in range(6)
    )
