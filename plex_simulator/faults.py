"""Faults: the ways in which tests and demos make the simulated server fail.

A fault can be limited to paths and to a number of requests. A path is a prefix, or a regular
expression if it starts with `^`. The paths of plex.tv, and no others, start with /api/.
"""

import gzip
import json
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from http import HTTPStatus
from typing import Any

from plex_simulator.messages import Request, Response
from plex_simulator.nodes import JSON_TYPE, XML_TYPE, error_page
from plex_simulator.plextv.responses import Refused, is_plex_tv, respond_with_error

PICTURES = r"^/(photo/:/transcode|library/metadata/\d+/(thumb|art)|(library/)?\w+/\d+/composite)"

# The kinds of faults, with their options and the defaults of these.
KINDS: dict[str, dict[str, Any]] = {
    "refused": {"seconds": None},  # closes the port until heal() or for some seconds
    "silent": {},  # accepts the request and never responds
    "disconnect": {},  # accepts the request and closes the connection
    "slow": {"delay": 1.0},  # sends the correct response after a delay
    "drip_headers": {"interval": 0.1},  # sends one byte at a time, from the status line on
    "drip_body": {"interval": 0.1},  # sends one byte at a time, from the body on
    "status": {"status": 500, "retry_after": None},  # 401, 403, 404, 429, 500, 503, …
    "truncated": {},  # sends half of the body, with its length as Content-Length
    "cut": {},  # sends half of the body, with the full Content-Length
    "html": {},  # sends the sign-in page of a network with status 200
    "empty": {},  # sends no body with status 200
    "redirect": {"to": "http://127.0.0.1:9/elsewhere"},
    "endless": {},  # sends valid rows without end
    "huge": {"size": 64 * 1024 * 1024},
    "doctype": {},  # sends XML with an entity bomb
    "wrong_encoding": {},  # declares gzip but sends the plain body
    "gzip_bomb": {"size": 100 * 1024 * 1024},  # the size after decompression
    "unknown_section_empty": {},  # sends no body with status 200 instead of 404
    "picture_html": {},  # sends HTML as image/jpeg
    "picture_svg": {},  # sends SVG as image/jpeg
    "picture_oversized": {"size": 11 * 1024 * 1024},
    "picture_missing": {},
}

# The code and message of the errors that plex.tv sends in its own form, by status.
PLEX_TV_ERRORS = {
    401: (1001, "User could not be authenticated"),
    429: (1003, "API rate limit exceeded"),
}

SIGN_IN_PAGE = (
    b"<!DOCTYPE html><html><body><form>Please sign in to the network</form></body></html>"
)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
ENTITY_BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE lol [<!ENTITY a "aaaaaaaaaa">'
    b'<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">'
    b'<!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;">]>'
    b'<MediaContainer size="0" title1="&d;"/>'
)
ROW = b'<Video ratingKey="1" key="/library/metadata/1" type="movie" title="Again"/>\n'


def matches(pattern: str | None, path: str) -> bool:
    """Return whether a path starts with a prefix or matches a regular expression (`^…`)."""
    if pattern is None:
        return True
    if pattern.startswith("^"):
        return re.search(pattern, path) is not None
    return path.startswith(pattern)


@dataclass(slots=True)
class Fault:
    """A fault that is switched on."""

    kind: str
    path: str | None
    remaining: int | None  # the number of requests it still applies to; None for all requests
    options: Mapping[str, Any]
    ended: threading.Event = field(default_factory=threading.Event)


class Faults:
    """The faults that are switched on. The latest one takes precedence."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._active: list[Fault] = []

    def add(self, kind: str, path: str | None, times: int | None, options: dict[str, Any]) -> Fault:
        """Switch a fault on; raise ValueError if the kind or an option is unknown."""
        if kind not in KINDS:
            raise ValueError(f"unknown fault {kind!r}; known: {', '.join(KINDS)}")
        unknown = options.keys() - KINDS[kind].keys()
        if unknown:
            raise ValueError(f"{kind} has no option {', '.join(sorted(unknown))}")
        if kind == "refused" and (path or times):
            raise ValueError(
                "refused closes the port for all requests: it takes no path and no times"
            )
        if kind.startswith("picture_"):
            path = path or PICTURES
        fault = Fault(kind, path, times, {**KINDS[kind], **options})
        if kind in _LARGE:
            _LARGE[kind](int(fault.options["size"]))  # made now: that takes up to a second
        with self._lock:
            self._active.insert(0, fault)
        return fault

    def next_for(self, path: str) -> Fault | None:
        """Return the fault that applies to a request, and count the request."""
        with self._lock:
            for fault in self._active:
                if fault.remaining != 0 and matches(fault.path, path):
                    if fault.remaining is not None:
                        fault.remaining -= 1
                    return fault
        return None

    def clear(self) -> None:
        """Switch all faults off and end those that delay a response."""
        with self._lock:
            ended, self._active = self._active, []
        for fault in ended:
            fault.ended.set()

    def report(self) -> list[dict[str, Any]]:
        """Describe the faults that are switched on."""
        with self._lock:
            return [
                {
                    "kind": fault.kind,
                    "path": fault.path,
                    "left": fault.remaining,
                    "options": dict(fault.options),
                }
                for fault in self._active
            ]


def _status_response(fault: Fault, request: Request) -> Response:
    """Make an error response as Plex does: with a maintenance message for 503."""
    status = int(fault.options["status"])
    after = fault.options["retry_after"]
    headers = {} if after is None else {"Retry-After": str(after)}
    if is_plex_tv(request.path) and status in PLEX_TV_ERRORS:
        refusal = respond_with_error(request, Refused(status, *PLEX_TV_ERRORS[status]))
        return replace(refusal, headers=headers)
    if status == 503 and not is_plex_tv(request.path):
        text = "Plex Media Server is currently running startup maintenance tasks."
        if request.wants_json:
            content = json.dumps({"code": 503, "title": "Maintenance", "status": text})
            return Response(503, content.encode(), JSON_TYPE, headers)
        body = f'<Response code="503" title="Maintenance" status="{text}"/>'
        return Response(503, body.encode(), XML_TYPE, headers)
    phrases = {code.value: code.phrase for code in HTTPStatus}
    return Response(
        status, error_page(status, phrases.get(status, "Unknown")), "text/html", headers
    )


def apply_fault(fault: Fault, response: Response, request: Request) -> Response:
    """Return the faulty response, or the correct one if the fault does not change it."""
    match fault.kind:
        case "status":
            return _status_response(fault, request)
        case "truncated":
            return Response(
                response.status,
                response.body[: len(response.body) // 2],
                response.type,
                response.headers,
            )
        case "html":
            return Response(200, SIGN_IN_PAGE, "text/html; charset=utf-8")
        case "empty":
            return Response()
        case "redirect":
            return Response(302, b"", "text/html", {"Location": str(fault.options["to"])})
        case "huge":
            return Response(200, _huge(int(fault.options["size"])))
        case "doctype":
            return Response(200, ENTITY_BOMB)
        case "wrong_encoding":
            headers = {**response.headers, "Content-Encoding": "gzip"}
            return Response(response.status, response.body, response.type, headers)
        case "gzip_bomb":
            bomb = _gzip_bomb(int(fault.options["size"]))
            return Response(200, bomb, XML_TYPE, {"Content-Encoding": "gzip"})
        case "unknown_section_empty" if response.status == 404:
            return Response()
        case "picture_html":
            return Response(200, SIGN_IN_PAGE, "image/jpeg")
        case "picture_svg":
            return Response(200, SVG, "image/jpeg")
        case "picture_oversized":
            content = b"\xff\xd8\xff\xe0" + bytes(int(fault.options["size"]))
            return Response(200, content, "image/jpeg")
        case "picture_missing":
            return Response(404, error_page(404, "Not Found"), "text/html")
    return response


def endless_rows() -> Iterator[bytes]:
    """Yield the start of a container and then rows without end."""
    yield b'<?xml version="1.0" encoding="UTF-8"?>\n<MediaContainer size="1">\n'
    while True:
        yield ROW * 200


@lru_cache(maxsize=1)
def _huge(size: int) -> bytes:
    rows = ROW * (size // len(ROW) + 1)
    return b"<MediaContainer>\n" + rows + b"</MediaContainer>"


@lru_cache(maxsize=1)
def _gzip_bomb(size: int) -> bytes:
    return gzip.compress(b"<MediaContainer>" + b" " * size + b"</MediaContainer>", 6)


_LARGE = {"huge": _huge, "gzip_bomb": _gzip_bomb}
