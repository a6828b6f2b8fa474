import http.client
import json
import threading
import time
from typing import Any

import pytest

from plex_simulator import Simulator, server
from tests.service import until

from .conftest import PlexClient, control


def test_another_process_can_control_the_simulator_over_http(
    fresh: Simulator, fresh_client: PlexClient
) -> None:
    overview = control(fresh, "GET", "")
    assert overview["libraries"][0]["items"] == {"movie": 60}
    assert fresh.owner_token not in json.dumps(overview)
    key = control(fresh, "POST", "items", library="1", type="movie", title="Remote")["ratingKey"]
    control(fresh, "PUT", f"items/{key}", title="Remoter")
    assert fresh_client.get(f"/library/metadata/{key}").xml[0].get("title") == "Remoter"
    control(fresh, "POST", f"items/{key}/watched", user="viewer")
    assert (
        fresh_client.get(f"/library/metadata/{key}", token="viewer").xml[0].get("viewCount") == "1"
    )
    control(fresh, "DELETE", f"items/{key}")
    assert fresh_client.get(f"/library/metadata/{key}").status == 404
    control(fresh, "POST", "faults", kind="status", status=500, path="/library", times=1)
    assert fresh_client.get("/library/sections").status == 500
    report = control(fresh, "GET", "requests?path=/library/sections")
    assert report["count"] == 1
    control(fresh, "DELETE", "requests")
    assert fresh.count() == 0
    assert control(fresh, "DELETE", "listeners") == {"dropped": 0}


def test_a_recorded_request_has_the_bytes_of_its_response(
    fresh: Simulator, fresh_client: PlexClient
) -> None:
    fresh.reset_requests()
    sent = fresh_client.get("/library/sections").body
    (recorded,) = until(lambda: fresh.requests, 10, "the request is recorded")
    assert recorded.size == len(sent)
    fresh.reset_requests()
    fresh.fault("disconnect")
    with pytest.raises((http.client.HTTPException, OSError)):
        fresh_client.get("/library/sections")
    fresh.heal()
    (recorded,) = until(lambda: fresh.requests, 10, "the request is recorded")
    assert (recorded.status, recorded.size) == (0, 0)


def test_a_request_is_recorded_before_a_long_response_is_received(
    fresh: Simulator, fresh_client: PlexClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = server.RecordedRequest

    def recorded_late(**values: Any) -> server.RecordedRequest:
        time.sleep(0.2)
        return recorded(**values)

    monkeypatch.setattr(server, "RecordedRequest", recorded_late)
    fresh.fault("huge", size=2_000_000)
    assert len(fresh_client.get("/library/sections").body) > 2_000_000
    assert fresh.count("/library/sections") == 1


def test_the_control_api_reports_invalid_requests(fresh: Simulator) -> None:
    assert control(fresh, "POST", "faults", kind="tired")[0] == 400
    assert control(fresh, "DELETE", "items/5")[0] == 404
    assert control(fresh, "GET", "nowhere")[0] == 404
    assert control(fresh, "POST", "items", library="1")[0] == 404
    assert control(fresh, "PUT", "items/1000", colour=1)[0] == 400


def test_the_control_api_responds_before_it_closes_the_port(fresh: Simulator) -> None:
    opened = threading.Event()
    heal = fresh.heal
    fresh.heal = lambda: (heal(), opened.set())  # type: ignore[method-assign,assignment]
    assert "faults" in control(fresh, "POST", "faults", kind="refused", seconds=0.1)
    assert opened.wait(5)
    assert control(fresh, "GET", "")["faults"] == []
