"""The connection's page: permissions, refused values, the stored token, and what takes effect."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client as Browser

from plex_integration.configuration import runtime
from plex_integration.configuration.connection import Connection
from plex_integration.configuration.models import PlexConnection
from plex_integration.plex import diagnose
from plex_simulator import Simulator
from tests.admin.conftest import CONNECTION, connection_form, messages_of, shown
from tests.certificates import TlsServer, certificates
from tests.conftest import Client

PAGE = f"{CONNECTION}1/change/"
TEST = f"{CONNECTION}test/"


def row() -> PlexConnection:
    runtime.current()
    return PlexConnection.objects.get()


def save(boss: Browser, **changes: Any) -> Any:
    return boss.post(PAGE, connection_form(row(), **changes))


def errors(response: Any) -> dict[str, list[str]]:
    assert response.status_code == 200, "nothing was refused"
    refused: dict[str, list[str]] = response.context["adminform"].form.errors
    return refused


# --- The row --------------------------------------------------------------------------------------


def test_the_first_start_takes_the_connection_from_the_environment(
    boss: Browser, plex: Simulator, settings: Any
) -> None:
    settings.PLEX_TIMEOUT = 7
    stored = row()
    assert (stored.url, stored.token, stored.seconds) == (
        plex.url,
        plex.accounts.owner.server_token,
        7,
    )
    assert boss.get(CONNECTION).headers["Location"] == PAGE


def test_after_the_first_start_the_environment_no_longer_matters(
    plex: Simulator, transactional_db: None
) -> None:
    stored = row()
    stored.url = "http://127.0.0.1:1"
    stored.save()
    connection = runtime.current().connection
    assert connection
    assert connection.url == "http://127.0.0.1:1"


def test_without_an_address_there_is_no_row_and_the_first_can_be_added(
    boss: Browser, plex: Simulator, settings: Any
) -> None:
    settings.PLEX_URL = ""
    assert boss.get(CONNECTION).headers["Location"] == f"{CONNECTION}add/"
    empty = PlexConnection(url=plex.url)
    assert boss.post(f"{CONNECTION}add/", connection_form(empty)).status_code == 302
    assert runtime.current().connection is None
    assert messages_of(boss.post(TEST))[-1:] == ["No token yet. Enter one, or sign in to Plex."]
    assert save(boss, token=plex.accounts.owner.server_token).status_code == 302
    assert "Connected" in messages_of(boss.post(TEST))[-1]
    assert boss.get(f"{CONNECTION}add/").status_code == 403


def test_the_token_is_stored_encrypted_and_only_its_last_four_characters_are_shown(
    boss: Browser, plex: Simulator
) -> None:
    stored = row()
    assert plex.accounts.owner.server_token not in stored.encrypted_token
    page = boss.get(PAGE).content.decode()
    assert plex.accounts.owner.server_token not in page
    assert stored.encrypted_token not in page
    assert f"Ends in …{plex.accounts.owner.server_token[-4:]}." in page
    assert 'type="password"' in page


def test_no_part_of_a_short_token_is_shown(boss: Browser) -> None:
    save(boss, token="short-one")
    assert row().token_ending == ""
    assert "Ends in" not in boss.get(PAGE).content.decode()


def test_a_token_that_cannot_be_decrypted_must_be_entered_again(
    boss: Browser, plex: Simulator, api: Client, settings: Any
) -> None:
    row()
    settings.ENCRYPTION_KEY = "another-key-another-key-another-key"
    runtime.reload()
    assert runtime.current().connection is None
    api.error("/plex/server", 503, "PLEX_SERVER_UNAVAILABLE")
    assert "cannot be decrypted" in shown(boss.get(PAGE))
    assert "cannot be decrypted" in messages_of(boss.post(TEST))[0]
    save(boss, token=plex.accounts.owner.server_token)
    api.data("/plex/server")


def test_a_changed_connection_clears_the_cache(boss: Browser, plex: Simulator, api: Client) -> None:
    api.data("/plex/libraries")
    assert api.get("/plex/libraries").headers["X-Plex-Cache-Status"] == "HIT"
    save(boss, seconds="9")
    assert api.get("/plex/libraries").headers["X-Plex-Cache-Status"] == "MISS"


def test_file_paths_are_hidden_by_the_setting(boss: Browser, api: Client) -> None:
    before = api.data("/plex/libraries")["libraries"][0]["location"]
    assert before[0]["path"]
    filled = connection_form(row())
    del filled["show_file_paths"]
    boss.post(PAGE, filled)
    assert api.data("/plex/libraries")["libraries"][0]["location"][0]["path"] is None


# --- Permissions and the log ----------------------------------------------------------------------


@pytest.mark.parametrize("path", [CONNECTION, PAGE, f"{CONNECTION}1/history/"])
def test_staff_may_not_see_the_connection(staff: Callable[..., Browser], path: str) -> None:
    row()
    allowed = staff("view_plexconnection", "change_plexconnection", "add_plexconnection")
    assert allowed.get(path).status_code == 403
    assert allowed.post(PAGE, connection_form(row())).status_code == 403
    assert allowed.post(TEST).status_code == 403


def test_the_connection_cannot_be_deleted(boss: Browser) -> None:
    row()
    assert boss.post(f"{CONNECTION}1/delete/", {"post": "yes"}).status_code == 403


def test_a_connection_is_tested_by_post_only(boss: Browser, plex: Simulator) -> None:
    assert boss.get(TEST).status_code == 405
    assert plex.requests == ()


def test_every_change_is_in_the_log_without_a_secret(boss: Browser, plex: Simulator) -> None:
    boss.get(CONNECTION)
    before = PlexConnection.objects.get().url
    save(boss, url="http://localhost:1", token="another-secret-token")
    (entry,) = LogEntry.objects.all()
    message = f"Address: {before} → http://localhost:1. Token changed."
    assert entry.get_change_message() == message
    assert entry.user.username == "root"
    history = boss.get(f"{CONNECTION}1/history/").content.decode()
    assert message in history
    assert "another-secret-token" not in history


# --- Refused values -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "ftp://plex.local",
        "file:///etc/passwd",
        "plex.local:32400",
        "http://",
        "http://:32400",
        "http://plex.local:port",
        "http://plex.local:99999",
        "http://user:secret@plex.local",
        "http://user@plex.local",
        "http://@plex.local",
        "http://plex.local/?a=1",
        "http://plex.local/#a",
        "http://plex.local\\@evil.example",
        "http://pl ex.local",
        "http://plex%2elocal",
        "http://169.254.169.254",
        "http://169.254.1.2:32400",
        "http://2852039166",
        "http://0xa9fea9fe",
        "http://0xA9.0xFE.0xA9.0xFE",
        "http://0251.0376.0251.0376",
        "http://169.254.43518",
        "http://[::ffff:169.254.169.254]",
        "http://[::ffff:a9fe:a9fe]",
        "http://[64:ff9b::a9fe:a9fe]",
        "http://[::169.254.169.254]",
        "http://[::a9fe:a9fe]:32400",
        "http://[::100.100.100.200]",
        "http://[2002:a9fe:a9fe::1]",
        "http://[fe80::1]:32400",
        "http://[fe80::1%25eth0]:32400",
        "http://[fd00:ec2::254]",
        "http://100.100.100.200",
        "http://metadata.google.internal",
        "http://METADATA.google.internal./computeMetadata/v1",
        "http://１６９.254.169.254",
        "http://[::1",
    ],
)
def test_an_address_that_cannot_be_plex_is_refused(boss: Browser, address: str) -> None:
    assert errors(save(boss, url=address, token="a-new-token-for-it"))["url"]
    assert row().url != address


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:32400",
        "https://[::1]:32400",
        "http://192.168.1.10:32400",
        "http://10.0.0.5",
        "https://plex.example.com/behind/a/proxy",
        "http://plex.local.:32400",
        "http://[fd12:3456::1]:32400",
    ],
)
def test_an_address_of_a_private_network_is_accepted(boss: Browser, address: str) -> None:
    assert save(boss, url=f" {address}/ ", token="a-new-token-for-it").status_code == 302
    assert row().url == address


def test_a_new_address_needs_the_token_again(boss: Browser, plex: Simulator) -> None:
    refused = save(boss, url="http://127.0.0.1:1")
    assert errors(refused)["token"] == ["Enter the token again for the new address."]
    assert row().url == plex.url
    assert save(boss, url=f"{plex.url.upper()}/".replace("HTTP", "http")).status_code == 302
    assert row().token == plex.accounts.owner.server_token


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("seconds", "0"),
        ("seconds", "121"),
        ("seconds", "nan"),
        ("token", "with blank"),
        ("token", "ünprintable"),
        ("tls", "own-ca"),
        ("authority", "no certificate"),
    ],
)
def test_a_value_out_of_bounds_is_refused(boss: Browser, field: str, value: str) -> None:
    refused = errors(save(boss, **{field: value}))
    assert set(refused) <= {field, "authority"}
    assert refused


# --- Test connection ------------------------------------------------------------------------------


def diagnosis(boss: Browser) -> str:
    row()
    response = boss.post(TEST)
    assert response.headers["Location"] == PAGE
    return messages_of(response)[-1]


def test_the_test_reports_name_version_libraries_and_time(boss: Browser) -> None:
    assert diagnosis(boss).startswith("Connected to Simulated Plex, version 1.41")
    assert " 6 libraries, in " in diagnosis(boss)
    assert diagnosis(boss).endswith(" ms.")


@pytest.mark.parametrize(
    ("fault", "options", "message"),
    [
        ("status", {"status": 401}, "Wrong token: Plex refuses it."),
        ("status", {"status": 503}, "Starting up: Plex answers, but is not ready yet."),
        ("status", {"status": 500}, "Not a Plex server: something else answers at this address."),
        ("html", {}, "Not a Plex server: something else answers at this address."),
        ("redirect", {"to": "http://x/"}, "Not a Plex server: something else answers"),
        ("silent", {}, "Cannot be reached: no answer within 0.3 seconds."),
        ("disconnect", {}, "Cannot be reached: the connection was closed without an answer."),
    ],
)
def test_a_failed_test_reports_the_reason_in_one_sentence(
    boss: Browser, plex: Simulator, settings: Any, fault: str, options: Any, message: str
) -> None:
    if fault == "silent":
        settings.PLEX_TIMEOUT = 0.3
    plex.fault(fault, **options)
    assert diagnosis(boss).startswith(message)


def test_a_wrong_token_is_distinguished_from_a_wrong_address(boss: Browser, settings: Any) -> None:
    settings.PLEX_TOKEN = "not-the-token"
    assert diagnosis(boss) == "Wrong token: Plex refuses it."


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("http://127.0.0.1:1", "the connection was refused; Plex does not run there"),
        ("http://there-is-no-such-host.invalid", "the host name is unknown"),
        ("http://[::ffff:169.254.169.254]", "the host is a link-local or metadata host"),
    ],
)
def test_an_unreachable_address_is_reported_with_the_reason(address: str, reason: str) -> None:
    message = diagnose(Connection(address, "a-token", True, 5, True)).message
    assert message.startswith(f"Cannot be reached: {reason}")


def test_tls_to_a_server_without_tls_is_reported(plex: Simulator) -> None:
    address = plex.url.replace("http", "https")
    message = diagnose(Connection(address, "t", True, 5, True)).message
    assert "the server does not use TLS" in message


@pytest.mark.parametrize(
    ("days", "name", "reason"),
    [
        (30, "localhost", "its certificate authority is not trusted"),
        (-1, "localhost", "it has expired"),
        (30, "elsewhere.example", "it is for another host name"),
    ],
)
def test_a_refused_certificate_is_reported_with_the_reason(
    tmp_path: Path, days: int, name: str, reason: str
) -> None:
    authority, server = certificates(tmp_path, name, days)
    verify: bool | str = True if "authority" in reason else str(authority)
    with TlsServer(server) as port:
        connection = Connection(f"https://localhost:{port}", "t", verify, 5, True)
        message = diagnose(connection).message
    assert message == f"Plex's certificate is not accepted: {reason}."


def test_a_custom_ca_certificate_is_trusted(boss: Browser, tmp_path: Path) -> None:
    authority, server = certificates(tmp_path, "localhost", 30)
    with TlsServer(server) as port:
        saved = save(
            boss,
            url=f"https://localhost:{port}",
            token="a-token-for-this-one",
            tls="own-ca",
            authority=authority.read_text(),
        )
        assert saved.status_code == 302
        assert diagnosis(boss).startswith("Not a Plex server")
