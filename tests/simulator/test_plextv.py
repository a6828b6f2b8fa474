import pytest

from plex_simulator import Simulator

from .conftest import PlexClient, control

CLIENT = {"X_Plex_Client_Identifier": "tests", "Accept": "application/json"}


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
    token = fresh_client.get(first, token=None, **CLIENT).json["authToken"]
    assert token == fresh.accounts.viewer.token
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


def test_a_code_leads_to_its_own_pin_however_many_pins_are_open(
    fresh: Simulator, fresh_client: PlexClient
) -> None:
    pins = [fresh_client.post("/api/v2/pins", None, **CLIENT).json for _ in range(200)]
    assert len({pin["code"] for pin in pins}) == len(pins)
    fresh_client.get(f"/link?code={pins[-1]['code']}", token=None)
    entered = fresh_client.get(f"/api/v2/pins/{pins[-1]['id']}", token=None, **CLIENT).json
    assert entered["authToken"] == fresh.owner_token


def test_creating_a_pin_needs_a_client_identifier(fresh_client: PlexClient) -> None:
    assert fresh_client.post("/api/v2/pins", None).status == 400


@pytest.mark.parametrize("token", [None, "nonsense"])
def test_user_and_resources_need_a_token(client: PlexClient, token: str | None) -> None:
    assert client.get("/api/v2/user", token=token).status == 401
    assert client.get("/api/v2/resources", token=token).status == 401


def test_user_and_resources_describe_the_user_and_the_server(
    client: PlexClient, simulator: Simulator
) -> None:
    user = client.get("/api/v2/user", **CLIENT).json
    assert (user["username"], user["subscription"]["active"]) == ("Margit", True)
    _, mine, _ = client.get("/api/v2/resources?includeHttps=1", **CLIENT).json
    assert mine["clientIdentifier"] == simulator.machine_identifier
    assert mine["accessToken"] == simulator.owner_token
    assert mine["connections"][0]["uri"] == simulator.url
    viewer = simulator.accounts.viewer
    _, theirs, _ = client.get("/api/v2/resources", token=viewer.token, **CLIENT).json
    assert (theirs["owned"], theirs["accessToken"]) == (False, simulator.viewer_token)
    assert (theirs["ownerId"], theirs["sourceTitle"]) == (user["id"], "Margit")


def test_pins_and_errors_are_xml_for_clients_that_do_not_accept_json(
    fresh_client: PlexClient,
) -> None:
    pin = fresh_client.post("/api/v2/pins", None, X_Plex_Client_Identifier="tests").xml
    assert (pin.tag, pin.get("clientIdentifier"), pin.get("authToken")) == ("pin", "tests", None)
    refused = fresh_client.get("/api/v2/user", token=None)
    assert refused.status == 401
    (error,) = refused.xml
    assert (refused.xml.tag, error.tag, error.get("code")) == ("errors", "error", "1001")
    assert fresh_client.get("/api/v2/nothing").xml[0].get("status") == "404"


def test_a_second_sign_in_of_a_client_replaces_its_token(
    fresh: Simulator, fresh_client: PlexClient
) -> None:
    anna = fresh.add_account("Anna")

    def sign_in(client: str) -> str:
        headers = {"Accept": "application/json", "X_Plex_Client_Identifier": client}
        pin = fresh_client.post("/api/v2/pins?strong=true", None, **headers).json
        fresh.link_pin(pin["id"], anna)
        found = fresh_client.get(f"/api/v2/pins/{pin['id']}", token=None, **headers).json
        token: str = found["authToken"]
        return token

    first, elsewhere, second = sign_in("tests"), sign_in("another"), sign_in("tests")
    assert len({first, elsewhere, second}) == 3
    statuses = [fresh_client.get("/api/v2/user", token=t).status for t in (first, elsewhere)]
    assert statuses == [401, 200]
    user = fresh_client.get("/api/v2/user", token=second, **CLIENT).json
    assert (user["title"], user["authToken"]) == ("Anna", second)
    assert anna.token == second
