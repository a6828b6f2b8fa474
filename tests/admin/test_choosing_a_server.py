"""Choosing a server of the account that has signed in, and the address at which it is used."""

import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from threading import Barrier
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.db import connections
from django.test import Client as Browser

from accounts.models import User
from medianest.serving import upstream
from medianest.serving.upstream import Access
from plex_integration.admin import account, addresses, servers, sign_in
from plex_integration.configuration import runtime
from plex_integration.configuration.models import PlexConnection
from plex_integration.plex.candidates import TOO_BUSY
from plex_simulator import Simulator
from plex_simulator.models import Account
from tests.admin.conftest import CONNECTION, messages_of, shown, signed_in
from tests.conftest import Client

SIGN_IN, SERVERS = f"{CONNECTION}sign-in/", f"{CONNECTION}servers/"
PAGE, ADD = f"{CONNECTION}1/change/", f"{CONNECTION}add/"
RESOURCES, IDENTITY = "/api/v2/resources", "/identity"
DEAD = "http://127.0.0.1:1"
ATTIC = "attic-0123456789"


@pytest.fixture
def plextv(plex: Simulator, settings: Any) -> Iterator[Simulator]:
    """A Plex and its plex.tv of the test's own, which the service does not know yet."""
    with Simulator(seed=3, movies=5, shows=1, artists=1) as simulator:
        settings.PLEX_URL = settings.PLEX_TOKEN = ""
        settings.PLEX_TV_URL = simulator.url
        yield simulator


@pytest.fixture
def operator(superuser: User, plextv: Simulator) -> Browser:
    """A superuser's browser, signed in to Plex with the owner's account."""
    return sign_in_to_plex(signed_in(superuser), plextv)


def sign_in_to_plex(browser: Browser, plextv: Simulator, user: Account | None = None) -> Browser:
    """Sign in with a code, as the owner or another account."""
    browser.post(SIGN_IN)
    session = browser.session
    pin = session["plex_integration.sign_in"] | {"checked": 0}
    session["plex_integration.sign_in"] = pin
    session.save()
    plextv.link_pin(pin["id"], user)
    assert browser.get(SIGN_IN).headers["Location"] == SERVERS
    return browser


def addresses_of(plextv: Simulator) -> str:
    return f"{SERVERS}{plextv.machine_identifier}/"


def chosen(browser: Browser, page: str, address: str, **changes: str) -> Any:
    """Use an address as the form of the page does."""
    seen = re.search(r'name="seen" value="(\w*)"', browser.get(page).content.decode())
    assert seen
    return browser.post(page, {"use": "yes", "address": address, "seen": seen[1]} | changes)


def offered(browser: Browser, page: str) -> list[str]:
    """Return the addresses that a page offers, in their order."""
    return re.findall(r'name="address" value="([^"]+)"', unescape(html(browser.get(page))))


def html(response: Any) -> str:
    content: str = response.content.decode()
    return content


def result_of(browser: Browser, page: str, address: str) -> dict[str, Any]:
    """Return the result of one address, as the page's script gets it."""
    result: dict[str, Any] = browser.post(f"{page}test/", {"address": address}).json()
    return result


# --- The servers ----------------------------------------------------------------------------------


def test_own_servers_can_be_chosen_and_shared_ones_are_explained(
    operator: Browser, plextv: Simulator
) -> None:
    operator.get(SERVERS)
    plextv.add_server("Attic", ATTIC, [{"uri": DEAD}], online=False)
    page = operator.get(SERVERS)
    assert "Simulated Plex Version 1.41.3.9314-a0bfb8370. Online, plex.tv says." in shown(page)
    assert "Attic Version 1.43.3.10828-00f62d37d. Offline, plex.tv says." in shown(page)
    assert f'href="{addresses_of(plextv)}"' in html(page)
    assert "Somebody Else&#x27;s Server, shared by somebody-else" in html(page)
    assert "this service needs the token of the server's owner" in shown(page)
    assert "Living Room TV" not in shown(page)


def test_an_account_that_owns_no_server_sees_that(superuser: User, plextv: Simulator) -> None:
    browser = sign_in_to_plex(signed_in(superuser), plextv, plextv.accounts.viewer)
    page = shown(browser.get(SERVERS))
    assert "This account owns no Plex Media Server." in page
    assert "Simulated Plex, shared by Margit" in page
    refused = browser.get(addresses_of(plextv))
    assert refused.headers["Location"] == SERVERS
    assert messages_of(refused)[-1] == addresses.NO_SERVER


def test_an_unavailable_plextv_is_reported_and_the_list_can_be_read_again(
    operator: Browser, plextv: Simulator
) -> None:
    plextv.fault("status", RESOURCES, status=503)
    page = shown(operator.get(SERVERS))
    assert f"{sign_in.UNAVAILABLE} Read the list again in a moment." in page
    assert "owns no Plex Media Server" not in page
    plextv.heal()
    assert "Simulated Plex" in shown(operator.get(SERVERS))


def test_the_servers_from_before_are_shown_while_plextv_is_unavailable(
    operator: Browser, plextv: Simulator
) -> None:
    operator.get(SERVERS)
    plextv.fault("disconnect", RESOURCES)
    page = shown(operator.get(SERVERS))
    assert sign_in.UNAVAILABLE in page
    assert "Simulated Plex" in page


def test_a_token_that_plextv_has_revoked_ends_the_choice(
    operator: Browser, plextv: Simulator
) -> None:
    plextv.revoke_account_tokens(plextv.accounts.owner)
    ended = operator.get(SERVERS)
    assert ended.headers["Location"] == ADD
    assert messages_of(ended)[-1] == servers.REFUSED
    assert operator.get(SERVERS).headers["Location"] == ADD


def test_nobody_chooses_without_a_sign_in(superuser: User, plextv: Simulator) -> None:
    browser = signed_in(superuser)
    for path in (SERVERS, addresses_of(plextv)):
        refused = browser.get(path)
        assert refused.headers["Location"] == ADD
        assert messages_of(refused)[-1] == servers.SIGNED_OUT
    assert browser.post(f"{addresses_of(plextv)}test/", {"address": DEAD}).status_code == 410
    assert plextv.requests == ()


def test_a_sign_in_ends_after_a_quarter_of_an_hour(
    operator: Browser, plextv: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time() + account.LIFETIME + 1
    monkeypatch.setattr(account.time, "time", lambda: now)
    assert messages_of(operator.get(SERVERS))[-1] == servers.SIGNED_OUT


def test_a_sign_in_ends_with_the_key_that_encrypted_it(operator: Browser, settings: Any) -> None:
    settings.ENCRYPTION_KEY = "another-key-another-key-another-key"
    assert messages_of(operator.get(SERVERS))[-1] == servers.SIGNED_OUT


def test_staff_may_not_choose_a_server(staff: Callable[..., Browser], plextv: Simulator) -> None:
    browser = staff("change_plexconnection", "view_plexconnection")
    for path in (SERVERS, addresses_of(plextv)):
        assert browser.get(path).status_code == 403
    assert browser.post(f"{addresses_of(plextv)}test/").status_code == 403


# --- The addresses --------------------------------------------------------------------------------


def test_each_address_is_tested_and_its_result_is_one_sentence(
    operator: Browser, plextv: Simulator, plex: Simulator
) -> None:
    for uri in (DEAD, plex.url, "http://169.254.1.2:32400"):
        plextv.add_address(uri, local=True)
    page = addresses_of(plextv)
    operator.get(SERVERS)
    assert offered(operator, page)[:4] == [plextv.url, DEAD, plex.url, "http://169.254.1.2:32400"]
    found = {url: result_of(operator, page, url) for url in offered(operator, page)[:4]}
    assert found[plextv.url]["isReachable"] is True
    assert found[plextv.url]["message"].startswith("Reachable in ")
    assert found[DEAD]["message"].startswith("Cannot be reached: the connection was refused")
    assert found[plex.url]["message"] == "Another Plex server answers at this address."
    assert "not allowed" in found["http://169.254.1.2:32400"]["message"]
    assert [each["isReachable"] for each in found.values()].count(True) == 1


def test_no_test_sends_a_token(operator: Browser, plextv: Simulator) -> None:
    operator.get(SERVERS)
    plextv.reset_requests()
    result_of(operator, addresses_of(plextv), plextv.url)
    (request,) = plextv.requests
    assert (request.path, request.user) == (IDENTITY, None)


def test_only_addresses_of_the_list_are_tested_or_used(
    operator: Browser, plextv: Simulator, plex: Simulator
) -> None:
    page = addresses_of(plextv)
    operator.get(SERVERS)
    refused = operator.post(f"{page}test/", {"address": plex.url})
    assert (refused.status_code, refused.json()) == (400, {"message": addresses.NO_ADDRESS})
    assert addresses.NO_ADDRESS in messages_of(chosen(operator, page, plex.url))
    assert plex.requests == ()
    assert not PlexConnection.objects.exists()


def test_the_page_without_a_script_tests_all_addresses_and_selects_the_best(
    operator: Browser, plextv: Simulator
) -> None:
    plextv.add_address(f"{DEAD}/other", local=True)
    operator.get(SERVERS)
    before = operator.get(addresses_of(plextv))
    assert "Not tested yet." in shown(before)
    assert " checked" not in html(before)
    page = operator.post(addresses_of(plextv), {"test": "yes"})
    assert f'value="{plextv.url}" checked' in html(page)
    assert html(page).count(" checked") == 1
    assert "Reachable in " in shown(page)
    assert "Not tested yet." not in shown(page)


def test_a_hundred_addresses_are_bounded(operator: Browser, plextv: Simulator) -> None:
    many = [{"uri": f"http://127.0.0.1:1/{n}", "local": True} for n in range(100)]
    plextv.add_server("Attic", ATTIC, many)
    operator.get(SERVERS)
    page = operator.get(f"{SERVERS}{ATTIC}/")
    assert len(offered(operator, f"{SERVERS}{ATTIC}/")) == 40
    assert "60 more addresses of this server are not listed." in shown(page)


def test_a_server_without_addresses_is_reported(operator: Browser, plextv: Simulator) -> None:
    plextv.add_server("Attic", ATTIC, online=False)
    operator.get(SERVERS)
    page = shown(operator.get(f"{SERVERS}{ATTIC}/"))
    assert "plex.tv says that this server is offline." in page
    assert "plex.tv lists no address of this server." in page


def test_addresses_are_not_tested_when_too_many_requests_wait_for_plex(
    operator: Browser, plextv: Simulator
) -> None:
    operator.get(SERVERS)
    with upstream.access(Access.REFUSE):
        assert result_of(operator, addresses_of(plextv), plextv.url)["message"] == TOO_BUSY.message


# --- Using an address -----------------------------------------------------------------------------


def test_the_used_address_is_saved_with_the_servers_own_token_and_tested(
    operator: Browser, plextv: Simulator, api: Client
) -> None:
    operator.get(SERVERS)
    saved = chosen(operator, addresses_of(plextv), plextv.url)
    assert saved.headers["Location"] == PAGE
    row = PlexConnection.objects.get()
    assert (row.url, row.token) == (plextv.url, plextv.accounts.owner.server_token)
    assert row.machine_identifier == plextv.machine_identifier
    messages = messages_of(saved)[-2:]
    assert messages[0].startswith(f"Simulated Plex at {plextv.url} is saved.")
    assert messages[1].startswith("Connected to Simulated Plex")
    assert api.data("/plex/server")["server"]["name"] == "Simulated Plex"
    (entry,) = LogEntry.objects.all()
    assert entry.get_change_message() == (
        "Chose the server Simulated Plex. Changed Address and token."
    )


def test_no_page_and_no_session_holds_a_token(operator: Browser, plextv: Simulator) -> None:
    plextv.add_server("Attic", ATTIC, [{"uri": DEAD}], access_token="secret-of-the-attic")
    pages = [operator.get(SERVERS), operator.get(addresses_of(plextv))]
    tokens = {*plextv.accounts.owner.tokens.values(), "secret-of-the-attic"}
    session = Session.objects.get(session_key=operator.session.session_key)
    stored = f"{session.session_data} {session.get_decoded()} {operator.cookies}"
    for token in tokens:
        assert token not in stored
        assert not [page for page in pages if token in html(page)]
    assert chosen(operator, addresses_of(plextv), plextv.url).status_code == 302
    assert "plex_integration.account" not in operator.session


def test_an_address_where_the_server_does_not_answer_any_more_is_not_saved(
    operator: Browser, plextv: Simulator
) -> None:
    plextv.add_address(DEAD, local=True)
    operator.get(SERVERS)
    refused = chosen(operator, addresses_of(plextv), DEAD)
    assert refused.status_code == 200
    assert messages_of(refused)[-1].startswith(f"{DEAD} is not used. Cannot be reached: ")
    assert not PlexConnection.objects.exists()


def test_a_server_whose_token_cannot_be_used_is_not_saved(
    operator: Browser, plextv: Simulator
) -> None:
    plextv.issue_jwt(plextv.accounts.owner)
    operator.get(SERVERS)
    refused = chosen(operator, addresses_of(plextv), plextv.url)
    assert addresses.NO_TOKEN in messages_of(refused)
    assert not PlexConnection.objects.exists()


def test_an_address_that_is_sent_twice_is_saved_once(operator: Browser, plextv: Simulator) -> None:
    operator.get(SERVERS)
    form = {"use": "yes", "address": plextv.url, "seen": ""}
    assert operator.post(addresses_of(plextv), form).headers["Location"] == PAGE
    again = operator.post(addresses_of(plextv), form)
    assert again.headers["Location"] == PAGE
    assert servers.SIGNED_OUT not in messages_of(again)
    assert LogEntry.objects.count() == 1


def test_two_requests_with_the_same_form_save_it_once(
    operator: Browser, superuser: User, plextv: Simulator
) -> None:
    # The second request has read the session before the first one saved it.
    operator.get(SERVERS)
    held = operator.session["plex_integration.account"]
    form = {"use": "yes", "address": plextv.url, "seen": ""}
    operator.post(addresses_of(plextv), form)
    session = operator.session
    session["plex_integration.account"] = held
    session.save()
    assert operator.post(addresses_of(plextv), form).headers["Location"] == PAGE
    assert LogEntry.objects.count() == 1


def test_an_administrator_learns_that_another_one_changed_the_connection(
    operator: Browser, plextv: Simulator
) -> None:
    operator.get(SERVERS)
    other = PlexConnection(url=DEAD)
    other.token = "token-of-the-other"
    other.save()
    refused = operator.post(addresses_of(plextv), {"use": "yes", "address": plextv.url, "seen": ""})
    assert addresses.CHANGED in messages_of(refused)
    assert PlexConnection.objects.get().token == "token-of-the-other"
    assert chosen(operator, addresses_of(plextv), plextv.url).status_code == 302
    assert PlexConnection.objects.get().url == plextv.url


def test_of_two_administrators_who_choose_at_the_same_time_one_learns_of_the_other(
    operator: Browser, superuser: User, plextv: Simulator, plex: Simulator
) -> None:
    plextv.add_server("Other", plex.machine_identifier, [{"uri": plex.url, "local": True}])
    operator.get(SERVERS)
    second = sign_in_to_plex(signed_in(superuser), plextv)
    second.get(SERVERS)
    choices = [(operator, plextv), (second, plex)]
    together = Barrier(len(choices))

    def use(browser: Browser, server: Simulator) -> Any:
        together.wait(30)
        form = {"use": "yes", "address": server.url, "seen": ""}
        try:
            return browser.post(f"{SERVERS}{server.machine_identifier}/", form)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(choices)) as pool:
        answers = [pool.submit(use, *choice) for choice in choices]
    saved, refused = sorted((each.result() for each in answers), key=lambda a: -a.status_code)
    assert (saved.status_code, refused.status_code) == (302, 200)
    assert addresses.CHANGED in messages_of(refused)
    assert PlexConnection.objects.get().url in messages_of(saved)[0]
    assert LogEntry.objects.count() == 1


def test_a_failed_choice_leaves_no_empty_connection(operator: Browser, plextv: Simulator) -> None:
    operator.get(SERVERS)
    chosen(operator, addresses_of(plextv), plextv.url, seen="something-else")
    assert not PlexConnection.objects.exists()


def test_the_settings_of_the_connection_stay_and_its_certificate_rule_is_renewed(
    operator: Browser, plextv: Simulator
) -> None:
    row = PlexConnection(url=DEAD, seconds=7, show_file_paths=False, tls=PlexConnection.Tls.ACCEPT)
    row.save()
    operator.get(SERVERS)
    chosen(operator, addresses_of(plextv), plextv.url)
    saved = PlexConnection.objects.get()
    assert (saved.seconds, saved.show_file_paths, saved.tls) == (7, False, "verify")


# --- The saved address ----------------------------------------------------------------------------


def test_the_server_that_answers_at_the_saved_address_comes_first_with_this_address(
    operator: Browser, plextv: Simulator, settings: Any
) -> None:
    plextv.add_server("Attic", ATTIC, [{"uri": DEAD}])
    saved = plextv.url.replace("127.0.0.1", "localhost")
    settings.PLEX_URL = saved
    runtime.reload()
    page = shown(operator.get(SERVERS))
    assert page.index("It answers at the saved address.") < page.index("Attic")
    assert offered(operator, addresses_of(plextv))[0] == saved
    assert f'value="{saved}" checked' in html(operator.get(addresses_of(plextv)))
    assert offered(operator, f"{SERVERS}{ATTIC}/") == [DEAD]
    assert chosen(operator, addresses_of(plextv), saved).status_code == 302
    row = PlexConnection.objects.get()
    assert (row.url, row.token) == (saved, plextv.accounts.owner.server_token)


def test_the_server_of_the_saved_address_gets_its_new_token_at_once(
    superuser: User, plextv: Simulator, settings: Any, api: Client
) -> None:
    # plex.tv ends the token of an earlier sign-in with the next one.
    settings.PLEX_URL, settings.PLEX_TOKEN = plextv.url, "token-of-an-earlier-sign-in"
    runtime.current()
    operator = sign_in_to_plex(signed_in(superuser), plextv)
    page = operator.get(SERVERS)
    assert PlexConnection.objects.get().token == plextv.accounts.owner.server_token
    assert servers.RENEWED.format(name="Simulated Plex") in shown(page)
    assert "Connected to Simulated Plex" in shown(page)
    assert api.data("/plex/server")["server"]["name"] == "Simulated Plex"
    (entry,) = LogEntry.objects.all()
    assert entry.get_change_message() == "Signed in to Plex. Changed Token."
    PlexConnection.objects.update(encrypted_token="")
    operator.get(SERVERS)
    assert PlexConnection.objects.get().token == ""


def test_an_address_alone_needs_no_more_than_the_sign_in(
    superuser: User, plextv: Simulator, settings: Any, api: Client
) -> None:
    settings.PLEX_URL = plextv.url
    runtime.current()
    sign_in_to_plex(signed_in(superuser), plextv).get(SERVERS)
    assert api.data("/plex/server")["server"]["name"] == "Simulated Plex"


def test_a_shared_server_at_the_saved_address_gets_no_token(
    superuser: User, plextv: Simulator, settings: Any
) -> None:
    settings.PLEX_URL = plextv.url
    runtime.current()
    sign_in_to_plex(signed_in(superuser), plextv, plextv.accounts.viewer).get(SERVERS)
    assert PlexConnection.objects.get().token == ""


def test_a_saved_address_without_an_answer_is_not_offered(
    operator: Browser, plextv: Simulator, settings: Any
) -> None:
    settings.PLEX_URL = DEAD
    runtime.reload()
    operator.get(SERVERS)
    assert DEAD not in offered(operator, addresses_of(plextv))
    assert chosen(operator, addresses_of(plextv), plextv.url).status_code == 302
    assert PlexConnection.objects.get().url == plextv.url


# --- The last test --------------------------------------------------------------------------------


def test_the_page_shows_the_result_of_the_last_test_until_something_changes(
    boss: Browser, plex: Simulator
) -> None:
    runtime.current()
    assert "Not tested since the last change." in shown(boss.get(PAGE))
    boss.post(f"{CONNECTION}test/")
    page = shown(boss.get(PAGE))
    assert re.search(r"Last test, \d{4}-\d\d-\d\d \d\d:\d\d UTC: Connected to Simulated", page)
    plex.fault("status", status=401)
    boss.post(f"{CONNECTION}test/")
    assert "UTC: Wrong token: Plex refuses it." in shown(boss.get(PAGE))
    PlexConnection.objects.get().save()
    assert "Not tested since the last change." in shown(boss.get(PAGE))


def test_a_test_of_the_connection_does_not_clear_the_cache(
    boss: Browser, plex: Simulator, api: Client
) -> None:
    api.data("/plex/libraries")
    boss.post(f"{CONNECTION}test/")
    assert api.get("/plex/libraries").headers["X-Plex-Cache-Status"] == "HIT"
