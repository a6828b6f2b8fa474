"""The ways a server goes wrong, switched on by tests and demos.

A fault is limited to paths (a prefix, or a regular expression where it begins with `^`) and to a
number of requests where that is asked for.
"""

import gzip
import json
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from plex_simulator.messages import Reply
from plex_simulator.nodes import JSON_TYPE, XML_TYPE, html

PICTURES = r"^/(photo/:/transcode|library/metadata/\d+/(thumb|art)|(library/)?\w+/\d+/composite)"

# Each kind with its options and their defaults.
KINDS: dict[str, dict[str, Any]] = {
    "refused": {"seconds": None},  # the port is closed; reopened by heal() or after the seconds
    "silent": {},  # takes the request and never answers
    "disconnect": {},  # takes the request and hangs up
    "slow": {"delay": 1.0},  # answers rightly, later
    "drip_headers": {"interval": 0.1},  # one byte at a time, from the status line on
    "drip_body": {"interval": 0.1},
    "status": {"status": 500, "retry_after": None},  # 401, 403, 404, 429, 500, 503, …
    "truncated": {},  # half of the XML as if it were all
    "cut": {},  # half of the promised body, then hangs up
    "html": {},  # 200 and somebody's sign-in page
    "empty": {},  # 200 and no body
    "redirect": {"to": "http://127.0.0.1:9/elsewhere"},
    "endless": {},  # valid rows for ever
    "huge": {"size": 64 * 1024 * 1024},
    "doctype": {},  # XML with an entity bomb
    "wrong_encoding": {},  # says gzip and is not
    "gzip_bomb": {"size": 100 * 1024 * 1024},  # small on the wire, this large unpacked
    "unknown_section_empty": {},  # 404s of libraries become an empty 200
    "picture_html": {},  # HTML and SVG that call themselves image/jpeg
    "picture_svg": {},
    "picture_oversized": {"size": 11 * 1024 * 1024},
    "picture_missing": {},
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
    """Tell whether a path begins with a prefix, or is found by a ^regular expression."""
    if pattern is None:
        return True
    if pattern.startswith("^"):
        return re.search(pattern, path) is not None
    return path.startswith(pattern)


@dataclass(slots=True)
class Fault:
    kind: str
    path: str | None
    left: int | None  # how many requests it still spoils; None: all
    options: Mapping[str, Any]
    over: threading.Event = field(default_factory=threading.Event)


class Faults:
    """Those that are switched on; the latest goes first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._active: list[Fault] = []

    def add(self, kind: str, path: str | None, times: int | None, options: dict[str, Any]) -> Fault:
        if kind not in KINDS:
            raise ValueError(f"unknown fault {kind!r}; known: {', '.join(KINDS)}")
        unknown = options.keys() - KINDS[kind].keys()
        if unknown:
            raise ValueError(f"{kind} has no option {', '.join(sorted(unknown))}")
        if kind == "refused" and (path or times):
            raise ValueError("refused closes the port for all: it takes no path and no times")
        if kind.startswith("picture_"):
            path = path or PICTURES
        fault = Fault(kind, path, times, {**KINDS[kind], **options})
        with self._lock:
            self._active.insert(0, fault)
        return fault

    def take(self, path: str) -> Fault | None:
        """Pick the fault that spoils a request to this path, and count it."""
        with self._lock:
            for fault in self._active:
                if fault.left != 0 and matches(fault.path, path):
                    if fault.left is not None:
                        fault.left -= 1
                    return fault
        return None

    def clear(self) -> None:
        """Switch all off and end those that keep somebody waiting."""
        with self._lock:
            ended, self._active = self._active, []
        for fault in ended:
            fault.over.set()

    def report(self) -> list[dict[str, Any]]:
        with self._lock:
            return [
                {"kind": f.kind, "path": f.path, "left": f.left, "options": dict(f.options)}
                for f in self._active
            ]


def status_reply(fault: Fault, wants_json: bool) -> Reply:
    status = int(fault.options["status"])
    after = fault.options["retry_after"]
    headers = {} if after is None else {"Retry-After": str(after)}
    if status == 503:
        text = "Plex Media Server is currently running startup maintenance tasks."
        if wants_json:
            told = json.dumps({"code": 503, "title": "Maintenance", "status": text})
            return Reply(503, told.encode(), JSON_TYPE, headers)
        body = f'<Response code="503" title="Maintenance" status="{text}"/>'
        return Reply(503, body.encode(), XML_TYPE, headers)
    known = {code.value: code.phrase for code in HTTPStatus}
    return Reply(status, html(status, known.get(status, "Unknown")), "text/html", headers)


def spoilt(fault: Fault, good: Reply, wants_json: bool) -> Reply:
    """Turn a good reply into what the fault makes of it; good where it does not concern it."""
    match fault.kind:
        case "status":
            return status_reply(fault, wants_json)
        case "truncated":
            return Reply(good.status, good.body[: len(good.body) // 2], good.type, good.headers)
        case "html":
            return Reply(200, SIGN_IN_PAGE, "text/html; charset=utf-8")
        case "empty":
            return Reply()
        case "redirect":
            return Reply(302, b"", "text/html", {"Location": str(fault.options["to"])})
        case "huge":
            size = int(fault.options["size"])
            rows = ROW * (size // len(ROW) + 1)
            return Reply(200, b"<MediaContainer>\n" + rows + b"</MediaContainer>")
        case "doctype":
            return Reply(200, ENTITY_BOMB)
        case "wrong_encoding":
            headers = {**good.headers, "Content-Encoding": "gzip"}
            return Reply(good.status, good.body, good.type, headers)
        case "gzip_bomb":
            filling = b"<MediaContainer>" + b" " * int(fault.options["size"]) + b"</MediaContainer>"
            return Reply(200, gzip.compress(filling, 6), XML_TYPE, {"Content-Encoding": "gzip"})
        case "unknown_section_empty" if good.status == 404:
            return Reply()
        case "picture_html":
            return Reply(200, SIGN_IN_PAGE, "image/jpeg")
        case "picture_svg":
            return Reply(200, SVG, "image/jpeg")
        case "picture_oversized":
            filling = b"\xff\xd8\xff\xe0" + bytes(int(fault.options["size"]))
            return Reply(200, filling, "image/jpeg")
        case "picture_missing":
            return Reply(404, html(404, "Not Found"), "text/html")
    return good


def endless_rows() -> Iterator[bytes]:
    yield b'<?xml version="1.0" encoding="UTF-8"?>\n<MediaContainer size="1">\n'
    while True:
        yield ROW * 200
