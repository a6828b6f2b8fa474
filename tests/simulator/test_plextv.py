import pytest

from plex_simulator import Simulator

from .conftest import Asker
from .test_changes import control

CLIENT = {"X_Plex_Client_Identifier": "tests"}


def test_a_pin_is_made_linked_and_read(fresh: Simulator, ask_fresh: Asker) -> None:
    made = ask_fresh("/api/v2/pins?strong=true", "POST", None, X_Plex_Product="Nest", **CLIENT)
    pin = made.json
    assert (made.status, pin["authToken"], pin["expiresIn"]) == (201, None, 900)
    assert (pin["product"], pin["clientIdentifier"]) == ("Nest", "tests")
    assert len(pin["code"]) > 20
    path = f"/api/v2/pins/{pin['id']}"
    assert ask_fresh(path, token=None, **CLIENT).json["authToken"] is None
    fresh.link_pin(pin["id"])
    assert ask_fresh(path, token=None, **CLIENT).json["authToken"] == fresh.owner_token
    assert ask_fresh(path, token=None, X_Plex_Client_Identifier="another").status == 404


def test_pins_are_linked_and_expired_over_http_too(fresh: Simulator, ask_fresh: Asker) -> None:
    pins = [ask_fresh("/api/v2/pins", "POST", None, **CLIENT).json for _ in range(2)]
    assert len({pin["code"] for pin in pins}) == 2
    assert len(pins[0]["code"]) == 4
    first, second = (f"/api/v2/pins/{pin['id']}" for pin in pins)
    control(fresh, "POST", f"pins/{pins[0]['id']}", state="linked", user="viewer")
    control(fresh, "POST", f"pins/{pins[1]['id']}", state="expired")
    assert ask_fresh(first, token=None, **CLIENT).json["authToken"] == fresh.viewer_token
    assert ask_fresh(second, token=None, **CLIENT).status == 404
    assert control(fresh, "POST", "pins/1", state="linked")[0] == 404


def test_a_code_is_linked_on_the_page_for_it(fresh: Simulator, ask_fresh: Asker) -> None:
    pin = ask_fresh("/api/v2/pins", "POST", None, **CLIENT).json
    for code, said in (("", "<p"), ("none", "no such code"), (pin["code"].upper(), "Linked.")):
        page = ask_fresh(f"/link?code={code}", token=None)
        assert (page.status, said in page.body.decode()) == (200, True)
    answer = ask_fresh(f"/api/v2/pins/{pin['id']}", token=None, **CLIENT).json
    assert answer["authToken"] == fresh.owner_token


def test_a_pin_needs_a_client(ask_fresh: Asker) -> None:
    assert ask_fresh("/api/v2/pins", "POST", None).status == 400


@pytest.mark.parametrize("token", [None, "nonsense"])
def test_user_and_resources_need_a_token(ask: Asker, token: str | None) -> None:
    assert ask("/api/v2/user", token=token).status == 401
    assert ask("/api/v2/resources", token=token).status == 401


def test_the_user_and_the_server_are_described(ask: Asker, simulator: Simulator) -> None:
    user = ask("/api/v2/user").json
    assert (user["username"], user["subscription"]["active"]) == ("Margit", True)
    mine = ask("/api/v2/resources?includeHttps=1").json[0]
    assert mine["clientIdentifier"] == simulator.machine_identifier
    assert mine["accessToken"] == simulator.owner_token
    assert mine["connections"][0]["uri"] == simulator.url
    theirs = ask("/api/v2/resources", token="viewer").json[0]
    assert (theirs["owned"], theirs["accessToken"]) == (False, simulator.viewer_token)
