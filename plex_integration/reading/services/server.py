"""`GET /server`."""

from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from plex_integration.caching import tags
from plex_integration.plex import PlexClient
from plex_integration.reading.services.read import Catalog, Read, Result


def server(catalog: Catalog, ids: Mapping[str, str], query: Mapping[str, Any]) -> Read:
    """Ask four things at the same time, of which only the server's own answer must succeed."""
    return Read((), _load)


def _load(plex: PlexClient) -> Result:
    call = plex.start(plex.server)
    sessions_call = plex.start(plex.session_count)
    libraries_call = plex.start(plex.libraries)
    storage_call = plex.start(plex.storage)
    known = call.result()
    libraries = libraries_call.result_or_none()
    sessions = sessions_call.result_or_none()
    storage = storage_call.result_or_none()
    totals = (storage or {}).values()
    data = {
        "server": known.server,
        "connection": _connection(plex.connection.url),
        "features": known.features,
        "statistics": {
            "accountID": None,
            "deviceID": None,
            "sessionCount": sessions,
            "libraryCount": None if libraries is None else len(libraries),
            "totalSize": _sum(each.totalSize for each in totals),
            "totalDuration": _sum(each.totalDuration for each in totals),
        },
    }
    is_partial = any(call.has_failed for call in (libraries_call, sessions_call, storage_call))
    return Result(data, tags.libraries(None), is_partial)


def _connection(url: str) -> dict[str, Any]:
    address = urlsplit(url)
    return {
        "uri": url,
        "local": _is_local(address.hostname or ""),
        "relay": None,
        "address": address.hostname,
        "port": address.port or (443 if address.scheme == "https" else 80),
        "protocol": address.scheme,
    }


def _sum(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _is_local(host: str) -> bool | None:
    """Tell whether an address is on the local network; None for a name, which may be anywhere."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_private
    except ValueError:
        return None
