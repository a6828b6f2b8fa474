import pytest

from plex_simulator import Simulator

from .conftest import PlexClient, control

CLIENT = {"X_Plex_Client_Identifier": "tests"}


def test_a_linked_pin_contains_the_token_of_the_user(
    fresh: Simulator, fresh_client: PlexClient
) -> None:
    created = fresh_client.post("/api/v2/pins?strong=true", None, X_Plex_Product="Nest", **CLIENT)
    pin = created.json
    assert (created.status, pin["authToken"], pin["expiresIn"]) == (201, None, 900)
    assert (pin["product"], pin["clientIdentifier"]) == ("Nest", "tests")
    assert len(pin["code"]) > 20
    path = f"/api/v2/pins/{pin['id']}"
    assert fresh_client.get(path, token=None, **CLIENT).json["authToken"] is None
    fresh.link_pin(pin["id"])
    assert fresh_client.get(path, token=None, **CLIENT).json["authToken"] == fresh.owner_token
    assert fresh_client.get(path, token=None, X_Plex_Client_Identifier="another").status == 404


def test_the_control_api_can_link_and_expire_pins(
    fresh: Simulator, fresh_client: PlexClient
) -> None:
    pins = [fresh_client.post("/api/v2/pins", None, **CLIENT).json for _ in range(2)]
    assert len({pin["code"] for pin in pins}) == 2
    assert len(pins[0]["code"]) == 4
    first, second = (f"/api/v2/pins/{pin['id']}" for pin in pins)
    control(fresh, "POST", f"pins/{pins[0]['id']}", state="linked", user="viewer")
    control(fresh, "POST", f"pins/{pins[1]['id']}", state="expired")
    assert fresh_client.get(first, token=None, **CLIENT).json["authToken"] == fresh.viewer_token
    assert fresh_client.get(second, token=None, **CLIENT).status == 404
    assert control(fresh, "POST", "pins/1", state="linked")[0] == 404


def test_a_user_can_enter_a_code_on_the_link_page(
    fresh: Simulator, fresh_client: PlexClient
) -> None:
    pin = fresh_client.post("/api/v2/pins", None, **CLIENT).json
    for code, message in (("", "<p"), ("none", "no such code"), (pin["code"].upper(), "Linked.")):
        page = fresh_client.get(f"/link?code={code}", token=None)
        assert (page.status, message in page.body.decode()) == (200, True)
    response = fresh_client.get(f"/api/v2/pins/{pin['id']}", token=None, **CLIENT).json
    assert response["authToken"] == fresh.owner_token


def test_creating_a_pin_needs_a_client_identifier(fresh_client: PlexClient) -> None:
    assert fresh_client.post("/api/v2/pins", None).status == 400


@pytest.mark.parametrize("token", [None, "nonsense"])
def test_user_and_resources_need_a_token(client: PlexClient, token: str | None) -> None:
    assert client.get("/api/v2/user", token=token).status == 401
    assert client.get("/api/v2/resources", token=token).status == 401


def test_user_and_resources_describe_the_user_and_the_server(
    client: PlexClient, simulator: Simulator
) -> None:
    user = client.get("/api/v2/user").json
    assert (user["username"], user["subscription"]["active"]) == ("Margit", True)
    mine = client.get("/api/v2/resources?includeHttps=1").json[0]
    assert mine["clientIdentifier"] == simulator.machine_identifier
    assert mine["accessToken"] == simulator.owner_token
    assert mine["connections"][0]["uri"] == simulator.url
    theirs = client.get("/api/v2/resources", token="viewer").json[0]
    assert (theirs["owned"], theirs["accessToken"]) == (False, simulator.viewer_token)
