"""No token, secret, PIN or mail address is shown or stored in clear, from sign-in to revocation."""

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from django.db import connection
from django.test import Client as Browser

from accounts.models import User
from accounts.plex_links import PlexLink
from medianest.logs import SafeFormatter
from plex_integration.linking.pins import PlexPin
from plex_simulator import Simulator
from plex_simulator.models import Account
from tests.conftest import Client
from tests.linking.conftest import Start, client_of, rules
from tests.service import until
from tests.writing.conftest import SMALL

PIN, WRONG_PIN = "8472619350", "1928374650"
MAIL = "grandpa@example.com"
ADMIN_PAGES = (
    "/admin/",
    "/admin/accounts/user/",
    "/admin/accounts/user/{user}/change/",
    "/admin/accounts/user/{user}/history/",
    "/admin/plex_integration/viewersettings/",
    "/admin/plex_integration/plexconnection/1/change/",
    "/admin/plex_integration/cachestatus/",
    "/admin/plex_integration/policychange/",
    "/admin/token_blacklist/outstandingtoken/",
)


@pytest.fixture
def plex(settings: Any) -> Iterator[Simulator]:
    """A simulated Plex of this test's own, to which accounts can be added."""
    with Simulator(seed=11, **SMALL) as simulator:
        settings.PLEX_URL = simulator.url
        settings.PLEX_TOKEN = simulator.owner_token
        settings.PLEX_TIMEOUT = 10
        yield simulator


@pytest.fixture
def grandpa(plextv: Simulator) -> Account:
    return plextv.add_account("Grandpa", pin=PIN, email=MAIL)


class Life:
    """A link from the sign-in to its end: every answer, and every secret that was used."""

    def __init__(self, plex: Simulator) -> None:
        self._plex = plex
        self.answers: list[requests.Response] = []
        self.secrets: set[str] = {PIN, WRONG_PIN, MAIL}

    def got(self, response: requests.Response, status: int) -> requests.Response:
        assert response.status_code == status, response.text
        self.answers.append(response)
        for account in self._plex.accounts.all:
            self.secrets |= {*account.tokens.values(), account.server_token}
            self.secrets |= {account.email} - {""}
        return response


def live(
    client: Client, anonymous: Client, plex: Simulator, grandpa: Account, start: Start
) -> Life:
    """Sign in, switch with a wrong and the right PIN, read, lose the token, and unlink."""
    life = Life(plex)
    pin = start(anonymous)
    life.secrets.add(pin.secret)
    plex.fault("status", "/api/v2/user", status=503, times=1)
    plex.link_pin(pin.row.plex_id, grandpa)
    until(lambda: pin.row.state == "complete", 10, "the sign-in is finished")
    tokens = life.got(pin.get(), 200).json()["data"]
    own = Client(anonymous.root, tokens["access"])
    switch = f"/auth/plex/home-users/{grandpa.uuid}/switch"
    life.got(own.get("/auth/plex/home-users"), 200)
    life.got(own.post(switch, json={"pin": WRONG_PIN}), 403)
    life.got(own.post(switch, json={"pin": PIN}), 200)
    life.got(own.get("/plex/libraries"), 200)
    life.got(own.get("/auth/plex"), 200)
    plex.fault("html", "/api/v2/resources", times=1)
    life.got(own.post(switch, json={"pin": PIN}), 503)
    plex.revoke_account_tokens(grandpa)
    life.got(own.post(switch, json={"pin": PIN}), 403)
    return life


def stored_in(valkey: Any) -> Iterator[str]:
    """Return every key of Valkey, and every value as bytes in a text."""
    for key in valkey.client.keys("*"):
        yield key.decode("latin-1")
        yield (valkey.client.dump(key) or b"").decode("latin-1")


def stored_in_database() -> Iterator[str]:
    """Return every row of every table."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            yield from (str(row) for row in cursor.fetchall())


@pytest.fixture
def life(
    anonymous: Client,
    user: User,
    server: Any,
    shared: Any,
    start: Start,
    plextv: Simulator,
    grandpa: Account,
    caplog: pytest.LogCaptureFixture,
) -> Life:
    caplog.set_level(logging.DEBUG)
    rules(create_users=True)
    return live(client_of(server, user), anonymous, plextv, grandpa, start)


def found(secrets: set[str], texts: Iterator[str]) -> list[str]:
    assert len(secrets) > 8
    return [f"{secret} in {text[:200]}" for text in texts for secret in secrets if secret in text]


def test_no_secret_is_in_an_answer_the_log_redis_or_the_database(
    life: Life, valkey: Any, caplog: pytest.LogCaptureFixture
) -> None:
    formatter = SafeFormatter()
    lines = [formatter.format(record) for record in caplog.get_records("setup")]
    assert any("PLEX_TV_UNAVAILABLE" in line for line in lines)
    assert not found(life.secrets, iter(lines))
    # The client that created the PIN is the only one to be given its secret, and it was then.
    texts = (f"{each.text} {each.headers}" for each in life.answers)
    assert not found(life.secrets, texts)
    assert not found(life.secrets, stored_in(valkey))
    assert not found(life.secrets, stored_in_database())
    assert PlexLink.objects.exists()
    assert PlexPin.objects.exists()


def test_no_secret_is_in_a_page_of_the_admin(life: Life) -> None:
    browser = Browser()
    browser.force_login(User.objects.create_superuser("root", password=None))
    owner = PlexLink.objects.get().user_id
    pages = [browser.get(path.format(user=owner), follow=True) for path in ADMIN_PAGES]
    assert {page.status_code for page in pages} == {200}
    assert not found(life.secrets, (page.content.decode() for page in pages))


@pytest.mark.parametrize("build", [str, repr])
def test_no_text_of_a_link_or_a_pin_has_a_secret(life: Life, build: Callable[[Any], str]) -> None:
    texts = (build(each) for each in (*PlexLink.objects.all(), *PlexPin.objects.all()))
    assert not found(life.secrets, texts)
