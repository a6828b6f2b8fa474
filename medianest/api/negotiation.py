"""Which media type and which coding a client gets: for a successful response, and for an error.

Must not import `rest_framework.views`: DRF loads this module while it loads that one.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

from django.http.request import MediaType
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request

JSON, HTML, PROBLEM = "application/json", "text/html", "application/problem+json"
ANY = "*/*"
_REFUSED = re.compile(r"q=0(\.0{0,3})?")


class Negotiation(DefaultContentNegotiation):
    """DRF's negotiation, in which `application/problem+json` says nothing about success."""

    def get_accept_list(self, request: Request) -> list[str]:
        """Return what the client accepts of a successful response; anything if it names nothing."""
        accepted: list[str] = super().get_accept_list(request)
        return [each for each in accepted if _name(MediaType(each)) != PROBLEM] or [ANY]


@lru_cache(maxsize=256)
def prefers_problem_details(accept: str) -> bool:
    """Tell whether a client wants errors as `application/problem+json` (RFC 9457).

    It does if its `Accept` names this type, and gives neither JSON nor HTML a higher quality.
    """
    ranges = [MediaType(each) for each in accept.split(",")]
    wanted = _quality(ranges, [PROBLEM])
    others = (_quality(ranges, [JSON, "application/*", ANY]), _quality(ranges, [HTML]))
    return 0 < wanted >= max(others)


@lru_cache(maxsize=256)
def prefers_page(accept: str) -> bool:
    """Tell whether a client wants HTML, as browsers do, where no view has negotiated."""
    names = {_name(MediaType(each)) for each in accept.split(",")}
    return HTML in names and JSON not in names


@lru_cache(maxsize=256)
def accepts_gzip(header: str) -> bool:
    """Tell whether a client accepts gzip (RFC 9110 section 12.5.3)."""
    accepted = {}
    for part in header.lower().split(","):
        coding, _, quality = part.partition(";")
        accepted[coding.strip()] = not _REFUSED.fullmatch(quality.replace(" ", ""))
    return accepted.get("gzip", accepted.get("*", False))


def _quality(ranges: Sequence[MediaType], names: Sequence[str]) -> float:
    """Return the quality of the first of these names that the client sends; 0 without any."""
    for name in names:
        found = [each.quality for each in ranges if _name(each) == name]
        if found:
            return max(found)
    return 0


def _name(media_type: MediaType) -> str:
    return f"{media_type.main_type}/{media_type.sub_type}"
