"""A token that Plex has replaced is renewed from plex.tv, and the request is answered."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts import tokens as access_tokens
from accounts.models import User
from accounts.plex_links import PlexLink
from plex_integration.configuration.models import PlexConnection
from plex_simulator import Simulator
from tests.conftest import Client
from tests.service import at_once
from tests.viewers.conftest import (
    ITEMS,
    LIST,
    PLEX_TV,
    RESOURCES,
    MakeViewer,
    Viewer,
    link_to,
    reason_of,
)

RENEWED = {"Cache-Control": "no-cache"}
ANOTHER_KEY = "another-key-another-key-another-key"


def test_a_replaced_token_is_renewed_within_the_request(
    each_store: None, anna: Viewer, home: Simulator
) -> None:
    anna.client.data(ITEMS)
    home.rotate_server_token(anna.account)
    home.reset_requests()
    assert anna.client.get(ITEMS, headers=RENEWED).status_code == 200
    assert home.count(RESOURCES) == 1
    assert anna.link.server_token == anna.account.server_token


def test_a_token_that_was_replaced_before_the_first_request_is_renewed_within_it(
    each_store: None, anna: Viewer, home: Simulator
) -> None:
    home.rotate_server_token(anna.account)
    assert anna.client.get(ITEMS).status_code == 200
    assert anna.client.get(ITEMS).headers["X-Plex-Cache-Status"] == "HIT"
    assert home.count(RESOURCES) == 1


def test_requests_that_plex_refuses_at_the_same_moment_end_the_view_once(
    each_store: None, anna: Viewer, home: Simulator
) -> None:
    anna.client.data(ITEMS)
    before = anna.link.generation
    home.rotate_server_token(anna.account)
    home.fault("slow", path=LIST, delay=0.3)  # so that each has its token before it is refused
    home.reset_requests()
    paths = [(f"/api/v1{ITEMS}&start={start}", anna.headers) for start in range(8)]
    answers = at_once(anna.client.root, paths)
    assert [answer.status for answer in answers] == [200] * 8
    assert home.count(RESOURCES) == 1
    assert anna.link.generation == before + 1


def test_a_json_web_token_is_not_stored_in_place_of_the_token_that_works(
    each_store: None, anna: Viewer, home: Simulator
) -> None:
    home.issue_jwt(anna.account)
    PlexLink.objects.update(checked_at=timezone.now() - timedelta(hours=4))
    assert anna.client.get(ITEMS).status_code == 200
    assert anna.link.server_token == anna.account.server_token


def test_a_replaced_token_cannot_be_renewed_while_plex_tv_fails(
    each_store: None, anna: Viewer, home: Simulator
) -> None:
    anna.client.data(ITEMS)
    home.rotate_server_token(anna.account)
    home.fault("status", path=PLEX_TV, status=503)
    assert anna.client.get(ITEMS, headers=RENEWED).status_code != 200
    assert anna.link.state == PlexLink.State.ACTIVE


def test_tokens_of_another_encryption_key_are_those_of_a_link_to_sign_in_again(
    each_store: None, home: Simulator, viewer_of: MakeViewer, settings: Any
) -> None:
    key = settings.ENCRYPTION_KEY
    settings.ENCRYPTION_KEY = ANOTHER_KEY
    anna = viewer_of(home.add_account("Anna"))
    settings.ENCRYPTION_KEY = key
    assert reason_of(anna.client.get(ITEMS)) == "revoked"
    assert reason_of(anna.client.get("/plex/server")) == "revoked"


def test_a_profile_never_gets_the_token_of_the_account_that_picked_it(
    each_store: None, home: Simulator, transactional_db: None, server: Any, settings: Any
) -> None:
    parent = home.add_account("Paul", home=True)
    child = home.add_account("Kim", restriction_profile="little_kid")
    user = User.objects.create(username="paul", password="!")
    link = link_to(user, parent, home)
    key = settings.ENCRYPTION_KEY
    settings.ENCRYPTION_KEY = ANOTHER_KEY
    link.profile_token = "a-token-that-this-key-cannot-decrypt"
    settings.ENCRYPTION_KEY = key
    link.view_as(child.plex_tv_id)
    link.server_token = child.server_token
    link.save()
    home.rotate_server_token(child)
    client = Client(server.url, access_tokens.issue(user).access)
    assert client.get(ITEMS).status_code != 200
    assert PlexLink.objects.get().server_token != parent.server_token


def test_a_server_whose_identity_another_process_has_just_learned_is_the_viewers_own(
    each_store: None, anna: Viewer, home: Simulator
) -> None:
    # The service's own view reads the settings, which this process now holds for a moment.
    other = User.objects.create(username="without a link", password="!")
    Client(anna.client.root, access_tokens.issue(other).access).data(ITEMS)
    assert PlexConnection.objects.get().machine_identifier == ""
    PlexConnection.objects.update(machine_identifier=home.machine_identifier)
    assert anna.client.get(ITEMS).status_code == 200


def test_a_token_is_not_sent_to_another_server_at_the_same_address(
    each_store: None, anna: Viewer, home: Simulator
) -> None:
    PlexLink.objects.update(machine_identifier="another-server")
    home.remove_share(anna.account)
    home.reset_requests()
    assert reason_of(anna.client.get(ITEMS)) == "no_access"
    assert home.count("/library") == 0
