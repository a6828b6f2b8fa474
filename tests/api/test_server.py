"""What the service tells about the Plex server itself."""

from urllib.parse import urlsplit

import pytest

from plex_simulator import Simulator
from tests.api import expected
from tests.conftest import Client


def test_the_server_is_described_as_by_plex(api: Client, plex: Simulator) -> None:
    assert api.data("/plex/server")["server"] == {
        "name": "Simulated Plex",
        "version": "1.41.3.9314-a0bfb8370",
        "platform": "Linux",
        "platformVersion": "22.04.3 LTS (Jammy Jellyfish)",
        "machineIdentifier": plex.machine_identifier,
        "updatedAt": expected.instant(plex.catalogue.started_at - 86_400),
        "createdAt": None,
        "multiuser": True,
        "transcoderActiveVideoSessions": 1,
        "transcoderAudio": True,
        "transcoderVideo": True,
        "transcoderVideoBitrates": [
            "64", "96", "208", "320", "720", "1500", "2000", "3000", "4000", "8000", "10000",
            "12000", "20000",
        ],
        "transcoderVideoQualities": [str(number) for number in range(13)],
        # Three parallel lists: neither sorted nor without repetitions.
        "transcoderVideoResolutions": [
            "128", "128", "160", "240", "320", "480", "768", "720", "720", "1080", "1080", "1080",
            "1080",
        ],
    }  # fmt: skip


def test_the_connection_is_how_the_service_reaches_plex(api: Client, plex: Simulator) -> None:
    assert api.data("/plex/server")["connection"] == {
        "uri": plex.url,
        "local": True,
        "relay": None,
        "address": "127.0.0.1",
        "port": plex.port,
        "protocol": "http",
    }


def test_a_host_name_is_returned_without_saying_whether_it_is_local(
    api: Client, plex: Simulator, settings: object
) -> None:
    settings.PLEX_URL = f"http://localhost:{plex.port}"  # type: ignore[attr-defined]
    connection = api.data("/plex/server")["connection"]
    assert connection["address"] == "localhost"
    assert connection["local"] is True
    assert connection["port"] == urlsplit(plex.url).port


def test_features_come_from_what_plex_says_and_the_rest_is_null(
    api: Client, plex: Simulator
) -> None:
    assert api.data("/plex/server")["features"] == {
        "activityNotifications": True,
        "collections": True,
        "contentRating": None,
        "dvr": True,
        "livetv": True,
        "musicAnalysis": True,
        "passthrough": None,
        "photoTranscoding": True,
        "playlists": True,
        "premium": True,
        "provider": "plex",
        "publicAddressMatches": None,
        "publish": True,
        "scannerPhotos": None,
        "searchByGenre": None,
        "sync": True,
        "transcodingThrottling": None,
        "voiceSearch": True,
    }


def test_statistics_sum_up_sessions_libraries_and_storage(api: Client, plex: Simulator) -> None:
    stored = [plex.catalogue.storage(library.key) for library in plex.catalogue.libraries]
    assert api.data("/plex/server")["statistics"] == {
        "accountID": None,
        "deviceID": None,
        "sessionCount": 3,
        "libraryCount": 6,
        "totalSize": sum(size for size, _ in stored),
        "totalDuration": sum(duration for _, duration in stored),
    }


def test_another_user_of_plex_sees_what_plex_shows_them(
    api: Client, plex: Simulator, settings: object
) -> None:
    settings.PLEX_TOKEN = plex.viewer_token  # type: ignore[attr-defined]
    data = api.data("/plex/server")
    assert data["server"]["name"] == "Simulated Plex"
    assert data["statistics"] == {
        "accountID": None,
        "deviceID": None,
        "sessionCount": None,
        "libraryCount": 3,
        "totalSize": None,
        "totalDuration": None,
    }
    assert data["features"]["premium"] is None
    assert data["features"]["publish"] is None


@pytest.mark.parametrize("fault", ["status", "html", "truncated", "disconnect", "empty", "doctype"])
@pytest.mark.parametrize(
    ("path", "lost"),
    [
        ("/status/sessions", {"sessionCount"}),
        ("/library/sections", {"libraryCount"}),
        ("/media/providers", {"totalSize", "totalDuration"}),
    ],
)
def test_a_part_that_fails_leaves_only_its_fields_null(
    api: Client, plex: Simulator, fault: str, path: str, lost: set[str]
) -> None:
    plex.fault(fault, path=path)
    statistics = api.data("/plex/server")["statistics"]
    nulls = {name for name, value in statistics.items() if value is None}
    assert nulls == lost | {"accountID", "deviceID"}


def test_all_parts_failing_still_leaves_the_server(api: Client, plex: Simulator) -> None:
    for path in ("/status/sessions", "/library/sections", "/media/providers"):
        plex.fault("status", path=path, status=403)
    data = api.data("/plex/server")
    assert data["server"]["name"] == "Simulated Plex"
    assert set(data["statistics"].values()) == {None}
