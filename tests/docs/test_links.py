"""Links between the pages of the documentation."""

import re
from pathlib import Path

import pytest

from tests.docs.pages import PAPERS, ROOT, anchors, prose


@pytest.mark.parametrize("page", PAPERS, ids=lambda page: page.name)
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    links = re.findall(r"\]\((?!https?://)([^)#]*)(?:#([^)]+))?\)", prose(page))
    for file, anchor in links:
        target = (page.parent / file).resolve() if file else page
        assert target.is_file(), file
        assert not anchor or anchor in anchors(target), f"{file}#{anchor}"


def test_the_screenshot_of_readme_is_a_small_picture() -> None:
    picture = ROOT / "docs" / "images" / "sample-client.png"
    assert picture.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    assert picture.stat().st_size < 200_000
    assert "](docs/images/sample-client.png)" in (ROOT / "README.md").read_text()
