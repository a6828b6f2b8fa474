"""Everything made up from a seed and an index, the same in any order and on any day.

Each function is cheap and pure, so that a library of 250,000 items needs no start-up work.
"""

from collections.abc import Sequence
from functools import cache
from typing import TypeVar

from plex_simulator.generation import vocabulary
from plex_simulator.models import Chapter, Media, Part, Person, Role, Score, Stream, Tag

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
    Tag(FIRST_MUSIC_GENRE_ID + n, g) for n, g in enumerate(vocabulary.MUSIC_GENRES)
)
COUNTRIES = tuple(Tag(FIRST_COUNTRY_ID + n, name) for n, name in enumerate(vocabulary.COUNTRIES))
LABELS = (Tag(FIRST_LABEL_ID, "Favourites"), Tag(FIRST_LABEL_ID + 1, "Kids"))


Option = TypeVar("Option")


class Dice:
    """Throw for one thing about one item; the same throw always shows the same number."""

    def __init__(self, seed: int, salt: int) -> None:
        self._salt = hash((seed, salt))

    def __call__(self, index: int, purpose: int, sides: int) -> int:
        # Tuples of integers hash alike in every process, unlike strings.
        return (hash((self._salt, purpose, index)) >> 9) % sides

    def choice(self, index: int, purpose: int, options: Sequence[Option]) -> Option:
        return options[self(index, purpose, len(options))]

    def hexadecimal(self, index: int, purpose: int, digits: int) -> str:
        number = 0
        for part in range(0, digits, 8):
            number = number << 32 | self(index, purpose * 100 + part, 1 << 32)
        return f"{number:0{digits}x}"[-digits:]

    def uuid(self, index: int, purpose: int) -> str:
        text = self.hexadecimal(index, purpose, 32)
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"


def title(dice: Dice, index: int, purpose: int) -> str:
    """Make up a title; every thirteenth one is awkward until those are used up."""
    if index % 13 == 5 and index // 13 < len(vocabulary.AWKWARD_TITLES):
        return vocabulary.AWKWARD_TITLES[index // 13]
    shape = dice(index, purpose, 8)
    adjective = dice.choice(index, purpose + 1, vocabulary.ADJECTIVES)
    noun = dice.choice(index, purpose + 2, vocabulary.NOUNS)
    if shape == 0:
        return f"The {adjective} {noun}"
    if shape == 1:
        return f"The {noun} of {dice.choice(index, purpose + 3, vocabulary.PLACES)}"
    if shape == 2:
        return f"{noun} in {dice.choice(index, purpose + 3, vocabulary.PLACES)}"
    if shape == 3:
        return f"A {noun} for {dice.choice(index, purpose + 3, vocabulary.FIRST_NAMES)}"
    if shape == 4:
        return f"{dice.choice(index, purpose + 3, vocabulary.FIRST_NAMES)}'s {noun}"
    if shape == 5:
        return f"{adjective} {noun}: {dice.choice(index, purpose + 3, vocabulary.PLACES)}"
    return f"{adjective} {noun}"


def title_sort(text: str) -> str | None:
    """Strip a leading article, as Plex does; None where that changes nothing."""
    for article in ("The ", "A ", "An "):
        if text.startswith(article) and len(text) > len(article):
            return text[len(article) :]
    return None


def summary(dice: Dice, index: int, purpose: int) -> str:
    if index % 29 == 7:
        return vocabulary.AWKWARD_SUMMARIES[index // 29 % len(vocabulary.AWKWARD_SUMMARIES)]
    trade = dice.choice(index, purpose, vocabulary.TRADES)
    quest = dice.choice(index, purpose + 1, vocabulary.QUESTS)
    place = dice.choice(index, purpose + 2, vocabulary.PLACES)
    second = dice.choice(index, purpose + 3, vocabulary.FIRST_NAMES)
    noun = dice.choice(index, purpose + 4, vocabulary.NOUNS).lower()
    return f"A {trade} {quest} {place}, where {second} and a forgotten {noun} change everything."


@cache  # as many as there are names
def person(kind: str, number: int) -> Person:
    """Name the nth director, writer, producer or actor; a ninth of them have no picture."""
    first = vocabulary.FIRST_NAMES[number % len(vocabulary.FIRST_NAMES)]
    last = vocabulary.LAST_NAMES[number // len(vocabulary.FIRST_NAMES) % len(vocabulary.LAST_NAMES)]
    dice = Dice(FIRST_PERSON_ID[kind], number)
    portrait = dice.hexadecimal(number, 1, 32)
    thumb = f"https://metadata-static.plex.tv/{portrait[0]}/people/{portrait}.jpg"
    return Person(
        id=FIRST_PERSON_ID[kind] + number,
        tag=f"{first} {last}",
        tag_key=dice.hexadecimal(number, 2, 24),
        thumb=None if number % 9 == 4 else thumb,
    )


def role(dice: Dice, index: int, place: int, number: int) -> Role:
    throw = dice(index * 211 + place, 77, 10)
    name = dice.choice(index * 211 + place, 78, vocabulary.FIRST_NAMES)
    if throw == 0:
        return Role(person("actor", number), None)
    if throw == 1:
        return Role(person("actor", number), f"{name} / Narrator (voice)")
    if throw == 2:
        return Role(person("actor", number), f"Captain {name}")
    return Role(person("actor", number), name)


def distinct(dice: Dice, index: int, purpose: int, count: int, pool: int) -> tuple[int, ...]:
    """Draw up to `count` different numbers below `pool`, in a fixed order."""
    start = dice(index, purpose, pool)
    step = 1 + dice(index, purpose + 1, max(pool // 7, 1))
    drawn = dict.fromkeys((start + n * step) % pool for n in range(min(count, pool)))
    return tuple(drawn)


def added_at(dice: Dice, index: int, purpose: int, now: int) -> int:
    """Date an item: some six in a hundred within 30 days, the first two just in and just out."""
    if index == 0:
        return now - MONTH + 3600
    if index == 1:
        return now - MONTH - 3600
    if dice(index, purpose, 100) < 6:
        return now - 7200 - dice(index, purpose + 1, MONTH - 10_800)
    return now - MONTH - 7200 - dice(index, purpose + 1, 6 * 365 * DAY)


def updated_at(dice: Dice, index: int, purpose: int, added: int, now: int) -> int | None:
    if index % 11 == 7:
        return None
    return min(added + dice(index, purpose, 200 * DAY), now - 60)


def released(dice: Dice, index: int, purpose: int, year: int | None) -> str | None:
    if year is None or index % 31 == 30:
        return None
    day = f"{year}-{1 + dice(index, purpose, 12):02}-{1 + dice(index, purpose + 1, 28):02}"
    return f"{day} 12:00:00" if index % 53 == 52 else day


def score(dice: Dice, index: int, purpose: int, missing: int) -> float | None:
    """Rate from 0 to 10 in tenths; `missing` of a hundred have no rating."""
    if dice(index, purpose, 100) < missing:
        return None
    return (dice(index, purpose + 1, 51) + dice(index, purpose + 2, 51)) / 10


def scores(critic: float | None, audience: float | None) -> tuple[Score, ...]:
    listed = []
    if critic is not None:
        listed.append(Score("rottentomatoes://image.rating.ripe", critic, "critic"))
    if audience is not None:
        listed.append(Score("rottentomatoes://image.rating.upright", audience, "audience"))
        listed.append(Score("themoviedb://image.rating", round(audience * 0.9, 1), "audience"))
    return tuple(listed)


# resolution, width, height, bit rate, video codec, audio codec, channels, container, rate, profile
VERSIONS = (
    ("1080", 1920, 800, 9_800, "h264", "dca", 6, "mkv", "24p", "high"),
    ("1080", 1920, 1080, 7_400, "h264", "eac3", 6, "mkv", "24p", "high"),
    ("4k", 3840, 1602, 42_300, "hevc", "dca-ma", 8, "mkv", "24p", "main 10"),
    ("720", 1280, 544, 3_900, "h264", "ac3", 6, "mp4", "PAL", "main"),
    ("sd", 640, 368, 1_200, "mpeg4", "mp3", 2, "avi", "NTSC", "advanced simple"),
    ("576", 720, 576, 2_100, "mpeg2video", "ac3", 2, "mkv", "PAL", "main"),
    ("480", 720, 480, 1_900, "h264", "aac", 2, "m4v", "60p", "baseline"),
    ("1080", 1916, 1076, 5_300, "h264", "aac", 2, "mp4", "24p", "high"),
)


def versions(dice: Dice, index: int, purpose: int) -> tuple[int, ...]:
    """Pick the quality of each version of a film; one in ten has two."""
    first = dice(index, purpose, len(VERSIONS))
    if index % 10 == 4:
        return (first, (first + 2) % len(VERSIONS))
    return (first,)


def video(
    dice: Dice, index: int, key: int, chosen: tuple[int, ...], duration: int | None, path: str
) -> tuple[Media, ...]:
    """Describe an item's files: split in two now and then, hardly analysed in a few cases."""
    listed = []
    for number, version in enumerate(chosen):
        resolution, width, height, bitrate, codec, audio, channels, container, rate, profile = (
            VERSIONS[version]
        )
        media_id = key * 4 + number + 1
        bare = index % 47 == 23
        pieces = 2 if index % 33 == 16 else 1
        parts = []
        for piece in range(pieces):
            part_id = media_id * 4 + piece
            suffix = f" - pt{piece + 1}" if pieces > 1 else ""
            length = duration // pieces if duration else None
            size = (length or 5_400_000) * bitrate // 8 + dice(index, 61 + piece, 90_000)
            parts.append(
                Part(
                    id=part_id,
                    key=f"/library/parts/{part_id}/{1_600_000_000 + index}/file.{container}",
                    file=f"{path}{' - ' + resolution if number else ''}{suffix}.{container}",
                    size=size,
                    duration=None if bare else length,
                    container=None if bare else container,
                    video_profile=None if bare else profile,
                    streams=(
                        Stream(part_id * 8, 1, codec, 0, "English", "eng", f"{resolution}p"),
                        Stream(
                            part_id * 8 + 1, 2, audio, 1, "English", "eng",
                            f"English ({audio.upper()} {channels}ch)", channels, 640,
                        ),
                        Stream(part_id * 8 + 2, 3, "srt", 2, "German", "ger", "German (SRT)"),
                    ),
                )
            )  # fmt: skip
        if bare:
            listed.append(Media(media_id, tuple(parts), duration))
            continue
        listed.append(
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
    return tuple(listed)


def chapters(key: int, duration: int | None) -> tuple[Chapter, ...]:
    if duration is None:
        return ()
    length = duration // 6
    return tuple(
        Chapter(key * 8 + n, n + 1, n * length, (n + 1) * length, f"Chapter {n + 1}")
        for n in range(6)
    )
