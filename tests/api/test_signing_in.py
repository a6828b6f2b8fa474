"""Signing in, renewing, verifying, signing out, and every odd token, which is refused with 401."""

import base64
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Barrier
from typing import Any

import jwt
import pytest
import requests
from django.conf import settings as django_settings

from accounts import tokens
from plex_simulator import Simulator
from tests.conftest import PASSWORD, Client

CHALLENGE = 'Bearer realm="api"'


@pytest.fixture
def pair(user: Any, anonymous: Client) -> dict[str, Any]:
    response = anonymous.post("/auth/token", json={"username": "ada", "password": PASSWORD})
    assert response.status_code == 200
    data: dict[str, Any] = response.json()["data"]
    return data


def test_no_cache_may_store_a_token(pair: dict[str, Any], anonymous: Client) -> None:
    for path, body in (
        ("/auth/token", {"username": "ada", "password": PASSWORD}),
        ("/auth/token/verify", {"token": pair["access"]}),
        ("/auth/token/refresh", {"refresh": pair["refresh"]}),
    ):
        response = anonymous.post(path, json=body)
        assert (response.status_code, response.headers["Cache-Control"]) == (200, "no-store")


def refused(response: requests.Response) -> dict[str, Any]:
    """Assert the one answer that any bad token gets."""
    body = response.json()
    assert (response.status_code, body["error"]["code"]) == (401, "UNAUTHORIZED"), response.text
    assert body["success"] is False
    assert response.headers["WWW-Authenticate"] == CHALLENGE
    assert response.headers["Cache-Control"] == "no-store"
    error: dict[str, Any] = body["error"]
    return error


def session(client: Client, token: str) -> requests.Response:
    return client.get("/auth/session", headers={"Authorization": f"Bearer {token}"})


# --- The ordinary way -----------------------------------------------------------------------------


def test_a_name_and_password_give_a_pair(pair: dict[str, Any], anonymous: Client) -> None:
    assert pair.keys() == {"access", "refresh", "expiresIn"}
    assert pair["expiresIn"] == 15 * 60
    access = jwt.decode(pair["access"], options={"verify_signature": False})
    refresh = jwt.decode(pair["refresh"], options={"verify_signature": False})
    assert access["exp"] - time.time() == pytest.approx(15 * 60, abs=10)
    assert refresh["exp"] - time.time() == pytest.approx(7 * 86_400, abs=10)
    for claims in (access, refresh):
        assert PASSWORD not in str(claims)
        # The random id and the stamp of a token may hold these letters.
        assert "ada" not in str({**claims, "jti": None, "stamp": None})


def test_the_session_tells_who_is_signed_in(
    user: Any, pair: dict[str, Any], anonymous: Client
) -> None:
    data = session(anonymous, pair["access"]).json()["data"]
    assert data["user"] == {
        "id": user.pk,
        "username": "ada",
        "email": "ada@example.com",
        "isStaff": False,
    }
    assert data["expiresAt"].endswith(".000Z")
    ends = datetime.fromisoformat(data["expiresAt"]).timestamp()
    assert ends - time.time() == pytest.approx(15 * 60, abs=10)


def test_the_access_token_opens_the_api(
    plex: Simulator, pair: dict[str, Any], anonymous: Client
) -> None:
    Client(anonymous.root, pair["access"]).data("/plex/server")


def test_refreshing_gives_a_new_pair_and_ends_the_old_refresh_token(
    pair: dict[str, Any], anonymous: Client
) -> None:
    renewed = anonymous.post("/auth/token/refresh", json={"refresh": pair["refresh"]})
    data = renewed.json()["data"]
    assert data.keys() == {"access", "refresh", "expiresIn"}
    assert data["refresh"] != pair["refresh"]
    assert session(anonymous, data["access"]).status_code == 200
    refused(anonymous.post("/auth/token/refresh", json={"refresh": pair["refresh"]}))
    again = anonymous.post("/auth/token/refresh", json={"refresh": data["refresh"]})
    assert again.status_code == 200


def test_of_two_refreshes_at_once_exactly_one_wins(pair: dict[str, Any], anonymous: Client) -> None:
    at_once = Barrier(6)

    def refresh(_: int) -> int:
        at_once.wait(10)
        client = Client(anonymous.root)
        answer = client.post("/auth/token/refresh", json={"refresh": pair["refresh"]})
        return answer.status_code

    with ThreadPoolExecutor(6) as clients:
        statuses = sorted(clients.map(refresh, range(6)))
    assert statuses == [200, 401, 401, 401, 401, 401]


@pytest.mark.parametrize("kind", ["access", "refresh"])
def test_verifying_tells_what_a_token_is_and_when_it_ends(
    pair: dict[str, Any], anonymous: Client, kind: str
) -> None:
    answer = anonymous.post("/auth/token/verify", json={"token": pair[kind]})
    data = answer.json()["data"]
    claims = jwt.decode(pair[kind], options={"verify_signature": False})
    assert data["tokenType"] == kind
    assert datetime.fromisoformat(data["expiresAt"]).timestamp() == claims["exp"]


def test_a_spent_refresh_token_no_longer_verifies(pair: dict[str, Any], anonymous: Client) -> None:
    anonymous.post("/auth/token/refresh", json={"refresh": pair["refresh"]})
    refused(anonymous.post("/auth/token/verify", json={"token": pair["refresh"]}))


def test_signing_out_ends_the_refresh_token(pair: dict[str, Any], anonymous: Client) -> None:
    answer = anonymous.post("/auth/logout", json={"refresh": pair["refresh"]})
    assert answer.status_code == 200
    assert answer.json()["data"] == {}
    refused(anonymous.post("/auth/token/refresh", json={"refresh": pair["refresh"]}))
    refused(anonymous.post("/auth/logout", json={"refresh": pair["refresh"]}))


@pytest.mark.parametrize(
    ("username", "password"),
    [("ada", "a-guess"), ("ada", PASSWORD + " "), ("ada", " " + PASSWORD), ("nobody", PASSWORD),
     ("ADA", PASSWORD), ("ada", PASSWORD.upper()), ("ada\u200b", PASSWORD)],
)  # fmt: skip
def test_a_wrong_name_or_password_is_refused_without_saying_which(
    user: Any, anonymous: Client, username: str, password: str
) -> None:
    answer = anonymous.post("/auth/token", json={"username": username, "password": password})
    assert refused(answer)["message"] == "The username or password is wrong."
    assert password not in answer.text


@pytest.mark.parametrize(
    ("path", "body", "names"),
    [
        ("/auth/token", {}, {"username", "password"}),
        ("/auth/token", {"username": "ada"}, {"password"}),
        ("/auth/token", {"username": "", "password": ""}, {"username", "password"}),
        ("/auth/token", {"username": None, "password": "x"}, {"username"}),
        ("/auth/token", {"username": ["ada"], "password": "x"}, {"username"}),
        ("/auth/token", {"username": {"a": 1}, "password": True}, {"username", "password"}),
        ("/auth/token", {"username": "a\x00b", "password": "x"}, {"username"}),
        ("/auth/token", {"username": "x" * 151, "password": "x" * 129}, {"username", "password"}),
        ("/auth/token", [], {"body"}),
        ("/auth/token", "text", {"body"}),
        ("/auth/token", 7, {"body"}),
        ("/auth/token", None, {"body"}),
        ("/auth/token/refresh", {}, {"refresh"}),
        ("/auth/token/refresh", {"refresh": 5}, None),
        ("/auth/token/refresh", {"refresh": "x" * 4097}, {"refresh"}),
        ("/auth/token/verify", {}, {"token"}),
        ("/auth/token/verify", {"token": None}, {"token"}),
        ("/auth/logout", {}, {"refresh"}),
        ("/auth/logout", {"refresh": []}, {"refresh"}),
    ],
)
def test_a_bad_body_is_refused_by_name(
    user: Any, anonymous: Client, path: str, body: Any, names: set[str] | None
) -> None:
    answer = anonymous.post(
        path, data=json.dumps(body), headers={"Content-Type": "application/json"}
    )
    if names is None:
        refused(answer)
        return
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, "VALIDATION_ERROR"), answer.text
    assert set(error["details"]) == names


@pytest.mark.parametrize("username", ["\ud800", "a\udfffb"])
def test_half_a_character_is_refused(user: Any, anonymous: Client, username: str) -> None:
    answer = anonymous.post("/auth/token", json={"username": username, "password": username})
    assert answer.status_code in (400, 401)
    for path, name in (("/auth/token/refresh", "refresh"), ("/auth/token/verify", "token")):
        assert anonymous.post(path, json={name: username}).status_code in (400, 401)


# --- Who may no longer come in --------------------------------------------------------------------


def shut_out(anonymous: Client, pair: dict[str, Any]) -> None:
    refused(session(anonymous, pair["access"]))
    refused(anonymous.post("/auth/token/verify", json={"token": pair["access"]}))
    refused(anonymous.post("/auth/token/verify", json={"token": pair["refresh"]}))
    refused(anonymous.post("/auth/token/refresh", json={"refresh": pair["refresh"]}))


def test_a_deactivated_user_is_shut_out(user: Any, pair: dict[str, Any], anonymous: Client) -> None:
    user.is_active = False
    user.save()
    shut_out(anonymous, pair)
    refused(anonymous.post("/auth/token", json={"username": "ada", "password": PASSWORD}))


def test_a_changed_password_shuts_out_all_old_tokens(
    user: Any, pair: dict[str, Any], anonymous: Client
) -> None:
    user.set_password("another-long-one")
    user.save()
    shut_out(anonymous, pair)
    refused(anonymous.post("/auth/token", json={"username": "ada", "password": PASSWORD}))
    good = anonymous.post("/auth/token", json={"username": "ada", "password": "another-long-one"})
    assert good.status_code == 200


def test_revoking_shuts_out_all_old_tokens(
    user: Any, pair: dict[str, Any], anonymous: Client
) -> None:
    user.revoke_tokens()
    shut_out(anonymous, pair)
    assert session(anonymous, tokens.issue(user).access).status_code == 200


def test_revoking_one_user_leaves_others_in(
    user: Any, django_user_model: Any, anonymous: Client
) -> None:
    other = django_user_model.objects.create_user("bob")
    user.revoke_tokens()
    assert session(anonymous, tokens.issue(other).access).status_code == 200


def test_a_deleted_user_is_shut_out(user: Any, pair: dict[str, Any], anonymous: Client) -> None:
    user.delete()
    shut_out(anonymous, pair)


# --- Odd tokens -----------------------------------------------------------------------------------

Change = Callable[[dict[str, Any]], dict[str, Any]]


def with_(**claims: Any) -> Change:
    return lambda good: good | claims


def without(name: str) -> Change:
    return lambda good: {key: value for key, value in good.items() if key != name}


DEEP: Any = []
for _ in range(200):
    DEEP = [DEEP]

ODD: dict[str, Change] = {
    **{f"without {name}": without(name)
       for name in ("exp", "jti", "user_id", "stamp", "token_type")},
    **{f"user_id {text!r:.30}": with_(user_id=text)
       for text in ([], [1], {}, {"pk": 1}, 1, -1, 0, 10**30, 1.0, True, None, "", "-1", "+1", " 1",
                    "1 ", "01x", "１", "٣", "1_0", "9" * 18, "9" * 19, "9" * 5000, "a", "1\x00",
                    "\ud800")},
    **{f"exp {text!r:.30}": with_(exp=text)
       for text in (0, -1, -(10**30), 1, 10**12, 10**30, 1.5, 4e9, "4000000000", "", "nan", None,
                    True, [], [4_000_000_000], {}, {"exp": 1})},
    **{f"jti {text!r:.30}": with_(jti=text)
       for text in ([], ["x"], {}, 1, 1.5, None, True, "", "x" * 65, "x" * 100_000)},
    **{f"stamp {text!r:.30}": with_(stamp=text)
       for text in ([], {}, 1, None, True, "", "0" * 32, "é", "\ud800")},
    **{f"token_type {text!r:.30}": with_(token_type=text)
       for text in ([], {}, 1, None, "", "sliding", "ACCESS")},
    **{f"nbf {text!r:.30}": with_(nbf=text)
       for text in (4_000_000_000, 10**30, "soon", [], {}, "nan")},
    **{f"iat {text!r:.30}": with_(iat=text)
       for text in (4_000_000_000, 10**30, "soon", [], {})},
    "aud": with_(aud="someone-else"),
    "aud list": with_(aud=["a", 1, None]),
    "deep": with_(user_id=DEEP),
    "nothing": lambda _: {},
}  # fmt: skip


def claims_of(user: Any) -> dict[str, Any]:
    good: dict[str, Any] = tokens.RefreshToken.for_user(user).access_token.payload
    return dict(good)


def forge(claims: Any, key: str | None = None, algorithm: str = "HS256") -> str:
    """Sign any JSON as this service would, also what PyJWT would not."""
    signer = jwt.PyJWS()
    payload = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    return signer.encode(payload, key or django_settings.SECRET_KEY, algorithm=algorithm)


def everywhere_refused(client: Client, token: str) -> None:
    refused(session(client, token))
    for path, name in (
        ("/auth/token/verify", "token"),
        ("/auth/token/refresh", "refresh"),
        ("/auth/logout", "refresh"),
    ):
        answer = client.post(path, json={name: token})
        if len(token) > 4096:
            assert answer.status_code == 400
        else:
            refused(answer)


def test_the_forge_makes_good_tokens(user: Any, anonymous: Client) -> None:
    assert session(anonymous, forge(claims_of(user))).status_code == 200


@pytest.mark.parametrize("name", ODD)
def test_odd_but_signed_claims_are_refused(user: Any, anonymous: Client, name: str) -> None:
    token = forge(ODD[name](claims_of(user)))
    if len(token) < 20_000:  # longer headers end in the server's own 431 or 400
        everywhere_refused(anonymous, token)
    refresh = forge(ODD[name](dict(tokens.RefreshToken.for_user(user).payload)))
    if len(refresh) <= 4096:
        refused(anonymous.post("/auth/token/refresh", json={"refresh": refresh}))


@pytest.mark.parametrize(
    "payload",
    [b"", b"null", b"[]", b"7", b'"text"', b"{", b"\xff\xfe", b"[" * 3000, b'{"exp":1e999}',
     b'{"exp":NaN}', b'{"exp":Infinity}', b'{"exp":' + b"9" * 3000 + b"}", b'{"a":1,"a":2}'],
)  # fmt: skip
def test_odd_but_signed_payloads_are_refused(user: Any, anonymous: Client, payload: bytes) -> None:
    everywhere_refused(anonymous, forge(payload))


def test_an_endless_expiry_is_refused(user: Any, anonymous: Client) -> None:
    claims = claims_of(user)
    for value in ("1e999", "1e300", "NaN", "-Infinity", "4e9", "4000000000.0"):
        text = json.dumps(claims | {"exp": "EXP"}).replace('"EXP"', value)
        everywhere_refused(anonymous, forge(text.encode()))


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_another_algorithm_is_refused(user: Any, anonymous: Client, algorithm: str) -> None:
    key = django_settings.SECRET_KEY * 2
    everywhere_refused(anonymous, forge(claims_of(user), django_settings.SECRET_KEY, algorithm))
    everywhere_refused(anonymous, forge(claims_of(user), key, algorithm))


def test_an_unsigned_or_wrongly_signed_token_is_refused(user: Any, anonymous: Client) -> None:
    claims = claims_of(user)
    good = forge(claims)
    head, body, signature = good.split(".")
    none_head = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=").decode()
    no_head = base64.urlsafe_b64encode(b'{"alg":null}').rstrip(b"=").decode()
    odd_head = base64.urlsafe_b64encode(b'["HS256"]').rstrip(b"=").decode()
    more = forge(claims | {"user_id": "999"}).split(".")[1]
    for token in (
        jwt.encode(claims, None, algorithm="none"),
        forge(claims, "another-key-another-key-another-key-44"),
        f"{none_head}.{body}.",
        f"{none_head}.{body}.{signature}",
        f"{no_head}.{body}.{signature}",
        f"{odd_head}.{body}.{signature}",
        f"{head}.{more}.{signature}",
        f"{head}.{body}.",
        f"{head}.{body}",
        f"{head}.{body}.{signature}.{signature}",
        f"{head}.{body}.{signature[:-4]}",
        f".{body}.{signature}",
        "..",
        "x",
        "a.b.c",
    ):
        everywhere_refused(anonymous, token)


def test_an_expired_token_is_refused(user: Any, anonymous: Client) -> None:
    claims = claims_of(user)
    everywhere_refused(anonymous, forge(claims | {"exp": int(time.time()) - 1}))


def test_a_refresh_token_opens_nothing_and_an_access_token_renews_nothing(
    pair: dict[str, Any], anonymous: Client
) -> None:
    refused(session(anonymous, pair["refresh"]))
    refused(anonymous.post("/auth/token/refresh", json={"refresh": pair["access"]}))
    refused(anonymous.post("/auth/logout", json={"refresh": pair["access"]}))


def test_a_refresh_token_that_was_never_issued_is_refused(user: Any, anonymous: Client) -> None:
    claims = dict(tokens.RefreshToken.for_user(user).payload)
    invented = forge(claims | {"jti": "0" * 32})
    refused(anonymous.post("/auth/token/refresh", json={"refresh": invented}))


def test_another_users_stamp_is_refused(
    user: Any, django_user_model: Any, anonymous: Client
) -> None:
    other = django_user_model.objects.create_user("bob")
    everywhere_refused(anonymous, forge(claims_of(user) | {"user_id": str(other.pk)}))


# --- The Authorization header ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "spelled",
    ["Bearer {}", "bearer {}", "BEARER {}", "bEaReR {}", "Bearer  {}", "Bearer {} ", " Bearer {}"],
)
def test_the_scheme_may_be_in_any_case(
    pair: dict[str, Any], anonymous: Client, spelled: str
) -> None:
    assert raw_session(anonymous, spelled.format(pair["access"])) == 200


@pytest.mark.parametrize(
    "spelled",
    ["", "{}", "Bearer", "Bearer ", "Bearer{}", "Bearer:{}", "Bearer,{}", "Bearer {} {}",
     "Bearer {}x", "Bearer x{}", "Bearer {},Bearer {}", "Basic {}", "Token {}", "JWT {}",
     "Digest {}", "Bearer null", "Bearer undefined", 'Bearer "{}"', "Bearer <{}>", "Bearer\t{}",
     "Basic YWRhOmNvcnJlY3Q=", "Bearer \xff\xfe", "Bearer Ω", "Bearer " + "x" * 8000, "\t",
     "Bearer .", "Bearer %00", "Bearer {}%20"],
)  # fmt: skip
def test_odd_authorization_headers_are_refused(
    pair: dict[str, Any], anonymous: Client, spelled: str
) -> None:
    assert raw_session(anonymous, spelled.format(pair["access"], pair["access"])) == 401


def raw_session(anonymous: Client, authorization: str) -> int:
    """GET the session with a header that requests might tidy up."""
    headers = {"Authorization": authorization.encode("utf-8")}
    request = requests.Request("GET", anonymous.root + "/api/v1/auth/session").prepare()
    request.headers.update(headers)  # type: ignore[arg-type]
    answer = anonymous.send(request, timeout=30)
    if answer.status_code != 200:
        refused(answer)
    return answer.status_code


def test_a_token_in_the_query_or_a_cookie_opens_nothing(
    pair: dict[str, Any], anonymous: Client
) -> None:
    refused(anonymous.get(f"/auth/session?token={pair['access']}&access_token={pair['access']}"))
    refused(anonymous.get("/auth/session", cookies={"access": pair["access"]}))


def test_an_old_token_does_not_stop_signing_in(user: Any, anonymous: Client) -> None:
    answer = anonymous.post(
        "/auth/token",
        json={"username": "ada", "password": PASSWORD},
        headers={"Authorization": "Bearer an-old-one"},
    )
    assert answer.status_code == 200


def test_the_admins_cookie_opens_nothing(user: Any, client: Any, anonymous: Client) -> None:
    client.force_login(user)
    cookies = {name: morsel.value for name, morsel in client.cookies.items()}
    refused(anonymous.get("/auth/session", cookies=cookies))


def test_no_token_is_stored(user: Any, pair: dict[str, Any]) -> None:
    from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

    assert {row.token for row in OutstandingToken.objects.all()} == {""}


def test_no_password_or_token_is_logged(
    user: Any, anonymous: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    answer = anonymous.post("/auth/token", json={"username": "ada", "password": PASSWORD})
    pair = answer.json()["data"]
    session(anonymous, pair["access"] + "x")
    anonymous.post("/auth/token", json={"username": "ada", "password": "wrong-one"})
    anonymous.post("/auth/token/refresh", json={"refresh": pair["refresh"]})
    anonymous.post("/auth/token/refresh", json={"refresh": pair["refresh"]})
    for secret in (PASSWORD, "wrong-one", pair["access"], pair["refresh"]):
        assert secret not in caplog.text
