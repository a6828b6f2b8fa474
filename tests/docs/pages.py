"""The pages of the documentation, and the fenced blocks in them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PAPERS = [*PAGES, ROOT / "CHANGELOG.md", ROOT / "SECURITY.md"]

_FENCE = re.compile(r"^```([^\n`]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block: the language, what follows it on the opening line, and the text."""

    language: str
    mark: str
    text: str


@dataclass(frozen=True)
class Command:
    """A block of shell commands, and the output that the page shows below it."""

    text: str
    shown: str
    is_background: bool = False


def blocks(page: Path) -> list[Block]:
    """Return the fenced blocks of a page in their order."""
    found = [(info.partition(" "), text) for info, text in _FENCE.findall(page.read_text())]
    return [Block(language, mark, text) for (language, _, mark), text in found]


def commands(page: Path) -> Iterator[Command]:
    """Yield the commands of a page that can run here, in their order."""
    found = blocks(page)
    for block, following in zip_longest(found, found[1:], fillvalue=Block("", "", "")):
        if block.language == "sh" and not block.mark.startswith("not-run:"):
            shown = following.text if following.language in ("json", "text") else ""
            yield Command(block.text, shown, block.mark == "background")


def prose(page: Path) -> str:
    """Return a page's text without its fenced blocks."""
    return _FENCE.sub("", page.read_text())


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as repository hosts build them."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", each).strip().lower().replace(" ", "-") for each in headings}
