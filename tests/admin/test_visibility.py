"""The page that says why a user does not see an item or a library: each reason, and its limits."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client as Browser

from accounts import tokens
from accounts.models import User
from accounts.plex_links import PlexLink
from medianest.serving import upstream
from medianest.serving.upstream import Access
from plex_integration.admin.visibility import explanation
from plex_integration.admin.visibility.hidden_items import HiddenItem
from plex_integration.configuration import runtime
from plex_integration.configuration.models import ViewerSettings
from plex_integration.plex import PlexClient
from plex_simulator import Simulator
from plex_simulator.generation.metadata import LABELS
from plex_simulator.models import Account
from tests.admin.conftest import VISIBILITY as PAGE
from tests.admin.conftest import shown, signed_in
from tests.conftest import Client
from tests.pace import Stopwatch
from tests.viewers.conftest import link_to

KIDS = LABELS[1]
NOT_A_USER = "There is no user with this name."


@pytest.fixture
def boss(plextv: Simulator, superuser: User) -> Browser:
    """A superuser's browser, in front of a Plex of its own."""
    return signed_in(superuser)


@pytest.fixture
def ada(transactional_db: None) -> User:
    user: User = User.objects.create_user("ada", "ada@example.com")
    return user


@pytest.fixture
def anna(plextv: Simulator, ada: User) -> Account:
    """The Plex account that ada is linked to; movies and shows are shared with it."""
    account = plextv.add_account("Anna", libraries=("1", "2"))
    link_to(ada, account, plextv, account_name="Anna")
    return account


@pytest.fixture
def movie(plextv: Simulator) -> Any:
    return plextv.catalogue.items("1", "movie")[0]


def get_page(browser: Browser, kind: str, key: str, user: str = "ada") -> Any:
    response = browser.get(PAGE, {"user": user, "kind": kind, "key": key})
    assert response.status_code == 200
    return response


def sentence(browser: Browser, kind: str, key: str) -> str:
    """Return the sentence that the page begins with."""
    return str(get_page(browser, kind, key).context["explanation"].sentence)


def steps(browser: Browser, kind: str, key: str) -> list[tuple[str, str]]:
    """Return the steps that the page lists: their names and their outcomes."""
    found = get_page(browser, kind, key).context["explanation"].steps
    return [(step.name, step.outcome.value) for step in found]


ALL = ["Link", "Share", "Server token", "Library", "Filter or profile", "Cache"]


def test_a_linked_user_sees_an_item_and_every_step_is_listed(
    boss: Browser, anna: Account, movie: Any
) -> None:
    assert sentence(boss, "item", movie.rating_key) == f"ada can see “{movie.title}”."
    assert steps(boss, "item", movie.rating_key) == [(name, "Passed") for name in ALL]


def test_a_user_without_a_link_sees_what_the_service_sees(
    boss: Browser, ada: User, plextv: Simulator, movie: Any
) -> None:
    assert sentence(boss, "item", movie.rating_key) == f"ada can see “{movie.title}”."
    assert "what this service's own account sees" in shown(get_page(boss, "item", movie.rating_key))
    assert plextv.count("/api/") == 0


def test_a_library_can_be_explained(boss: Browser, anna: Account, plextv: Simulator) -> None:
    title = plextv.catalogue.libraries[1].title
    assert sentence(boss, "library", "2") == f"ada can see “{title}”."
    assert [name for name, _ in steps(boss, "library", "2")] == [*ALL[:4], "Cache"]


def test_users_without_a_link_see_nothing_where_one_is_required(boss: Browser, ada: User) -> None:
    ViewerSettings(unlinked="refuse").save()
    assert sentence(boss, "library", "1") == (
        "ada is not linked to a Plex account, and users without one get PLEX_LINK_REQUIRED."
    )
    assert steps(boss, "library", "1") == [("Link", "Refused")]


def test_a_user_who_needs_a_link_sees_nothing_without_one(boss: Browser, ada: User) -> None:
    ada.needs_own_view = True
    ada.save()
    assert sentence(boss, "library", "1") == (
        "ada is not linked to a Plex account, and needs one to see anything."
    )


def test_a_deactivated_user_sees_nothing(boss: Browser, anna: Account, ada: User) -> None:
    ada.is_active = False
    ada.save()
    assert sentence(boss, "library", "1") == "ada is deactivated: every request is refused."


@pytest.mark.parametrize(
    ("state", "found"),
    [
        ("pending", "ada was imported and has not signed in with Plex yet."),
        ("revoked", "plex.tv refuses the token of ada's Plex account: ada must sign in again."),
    ],
)
def test_a_link_that_cannot_be_used_is_the_first_refusal(
    boss: Browser, anna: Account, plextv: Simulator, state: str, found: str
) -> None:
    PlexLink.objects.update(state=state)
    assert sentence(boss, "library", "1") == found
    assert steps(boss, "library", "1") == [("Link", "Refused")]
    assert plextv.count() == 0


def test_tokens_that_cannot_be_decrypted_are_reported(boss: Browser, anna: Account) -> None:
    PlexLink.objects.update(encrypted_account_token="x")
    assert sentence(boss, "library", "1") == (
        "The tokens of ada's link cannot be decrypted, because the encryption key has changed: "
        "ada must sign in with Plex again."
    )


def test_a_removed_share_is_reported(boss: Browser, anna: Account, plextv: Simulator) -> None:
    plextv.remove_share(anna)
    assert sentence(boss, "library", "1") == "plex.tv does not list this server for Anna."
    assert steps(boss, "library", "1") == [("Link", "Passed"), ("Share", "Refused")]


def test_a_link_without_access_is_compared_with_plex_tv(
    boss: Browser, anna: Account, plextv: Simulator, movie: Any
) -> None:
    PlexLink.objects.update(state="no_access")
    assert sentence(boss, "item", movie.rating_key) == f"ada can see “{movie.title}”."
    plextv.fault("status", path="/api/", status=503)
    assert sentence(boss, "item", movie.rating_key) == (
        "The link has no token for this server, and plex.tv does not say whether there is one."
    )


def test_an_account_token_that_plex_tv_refuses_is_reported(
    boss: Browser, anna: Account, plextv: Simulator
) -> None:
    plextv.revoke_account_tokens(anna)
    assert sentence(boss, "library", "1") == (
        "plex.tv refuses the token of ada's Plex account: ada must sign in again."
    )
    assert PlexLink.objects.get().state == "active", "looking changes nothing"


def test_a_replaced_server_token_is_no_obstacle(
    boss: Browser, anna: Account, plextv: Simulator, movie: Any
) -> None:
    plextv.rotate_server_token(anna)
    assert sentence(boss, "item", movie.rating_key) == f"ada can see “{movie.title}”."
    assert "Plex has replaced the token" in shown(get_page(boss, "item", movie.rating_key))


@pytest.mark.parametrize("status", [401, 403])
def test_a_server_token_that_plex_refuses_is_reported(
    boss: Browser, anna: Account, plextv: Simulator, status: int
) -> None:
    plextv.fault("status", path="/library/sections", status=status)
    assert sentence(boss, "library", "1") == "Plex refuses the server token of Anna."


def test_a_library_that_is_not_shared_is_named(
    boss: Browser, anna: Account, plextv: Simulator
) -> None:
    music = next(each for each in plextv.catalogue.libraries if each.type == "artist")
    artist = plextv.catalogue.items(music.key, "artist")[0]
    expected = f"The library “{music.title}” is not shared with Anna."
    assert sentence(boss, "library", music.key) == expected
    assert sentence(boss, "item", artist.rating_key) == expected


@pytest.mark.parametrize("is_linked", [True, False])
def test_what_plex_does_not_have_is_reported(
    boss: Browser, ada: User, plextv: Simulator, request: Any, is_linked: bool
) -> None:
    if is_linked:
        request.getfixturevalue("anna")
    own = "or does not show it to this service's own account."
    assert sentence(boss, "item", "999999") == f"Plex has no item 999999, {own}"
    assert sentence(boss, "library", "99") == f"Plex has no library 99, {own}"


def test_the_filter_that_hides_an_item_is_named_with_its_condition(
    boss: Browser, anna: Account, plextv: Simulator, movie: Any
) -> None:
    plextv.catalogue.change(movie.rating_key, labels=(KIDS,))
    plextv.set_filters(anna, {"filterMovies": "contentRating!=XX&label!=Other%2CKids"})
    assert sentence(boss, "item", movie.rating_key) == (
        f"“{movie.title}” is hidden from Anna by the share's filter "
        "filterMovies (label!=Other, Kids)."
    )
    assert steps(boss, "item", movie.rating_key)[-1] == ("Filter or profile", "Refused")


def test_an_episode_is_hidden_with_its_show(
    boss: Browser, anna: Account, plextv: Simulator
) -> None:
    show = plextv.catalogue.items("2", "show")[0]
    episode = plextv.catalogue.items("2", "episode")[0]
    plextv.catalogue.change(show.rating_key, labels=(KIDS,))
    plextv.set_filters(anna, {"filterTelevision": "label!=Kids"})
    assert "by the share's filter filterTelevision (label!=Kids)." in sentence(
        boss, "item", episode.rating_key
    )


def test_an_age_profile_is_named_with_its_filter(
    boss: Browser, ada: User, plextv: Simulator, movie: Any
) -> None:
    juno = plextv.add_account("Juno", restriction_profile="little_kid")
    link_to(ada, juno, plextv, profile_name="Juno", profile_uuid=juno.uuid)
    plextv.catalogue.change(movie.rating_key, content_rating="R")
    found = sentence(boss, "item", movie.rating_key)
    assert found.startswith(
        f"“{movie.title}” is hidden from Juno, who has the age profile little_kid, "
        "by the share's filter filterMovies (contentRating=G, "
    )


@pytest.mark.parametrize(
    ("attributes", "found"),
    [
        ({"restriction_profile": "teen", "filters": {}}, "by the age profile teen."),
        ({"home": True}, "and neither a filter of the share nor an age profile explains it."),
    ],
)
def test_an_item_that_no_filter_hides_is_explained_by_the_age_profile_or_not_at_all(
    plextv: Simulator, transactional_db: None, movie: Any, attributes: Any, found: str
) -> None:
    account = plextv.add_account("Juno", **attributes)
    connection = runtime.required_connection()
    client = PlexClient(connection, 5)
    item, library = client.item(movie.rating_key), client.libraries()[0]
    hidden = HiddenItem(item, library, account.plex_tv_id, "Juno")
    assert hidden.reason(connection, plextv.machine_identifier).endswith(found)


def test_a_filter_that_cannot_be_read_is_reported_with_what_to_do(
    boss: Browser, anna: Account, plextv: Simulator, movie: Any
) -> None:
    plextv.set_filters(anna, {"filterMovies": "label=None"})
    plextv.revoke_account_tokens(plextv.accounts.owner)
    assert sentence(boss, "item", movie.rating_key) == (
        f"Plex hides “{movie.title}” from Anna, and the filters of the share cannot be read: "
        "sign in to Plex as the server's owner on the page Plex connection."
    )


def test_while_plex_tv_is_unavailable_the_stored_token_is_used(
    boss: Browser, anna: Account, plextv: Simulator, movie: Any
) -> None:
    plextv.fault("status", path="/api/", status=429)
    assert sentence(boss, "item", movie.rating_key) == f"ada can see “{movie.title}”."
    assert steps(boss, "item", movie.rating_key)[1] == ("Share", "Unknown")
    plextv.set_filters(anna, {"filterMovies": "label=None"})
    assert sentence(boss, "item", movie.rating_key) == (
        f"Plex hides “{movie.title}” from Anna, and the filters of the share cannot be read: "
        "plex.tv is not accessible."
    )


def test_while_plex_is_unavailable_nothing_is_claimed(
    boss: Browser, anna: Account, plextv: Simulator
) -> None:
    plextv.fault("status", path="/library", status=503)
    assert sentence(boss, "item", "1000").startswith("It is not known whether ada can see this: ")
    assert steps(boss, "item", "1000")[-1] == ("Server token", "Unknown")


def test_a_token_of_another_server_is_not_sent(
    boss: Browser, anna: Account, plextv: Simulator
) -> None:
    PlexLink.objects.update(machine_identifier="another")
    plextv.fault("status", path="/api/", status=503)
    assert "has no token for this server" in sentence(boss, "library", "1")
    assert plextv.count("/library") == 0


@pytest.mark.parametrize("kind", ["one process", "Redis"])
def test_cached_lists_without_an_item_are_reported_with_their_age(
    boss: Browser,
    anna: Account,
    ada: User,
    plextv: Simulator,
    server: Any,
    request: Any,
    kind: str,
) -> None:
    if kind == "Redis":
        request.getfixturevalue("shared")
    api = Client(server.url, tokens.issue(ada).access)
    api.data("/plex/libraries/1/items?size=2")
    movies = plextv.catalogue.items("1", "movie")
    listed = {each["ratingKey"] for each in api.data("/plex/libraries/1/items?size=2")["items"]}
    cached = next(movie for movie in movies if movie.rating_key in listed)
    missing = next(movie for movie in movies if movie.rating_key not in listed)
    assert sentence(boss, "item", cached.rating_key) == f"ada can see “{cached.title}”."
    found = sentence(boss, "item", missing.rating_key)
    assert found.startswith(f"ada can see “{missing.title}”, but 1 cached list does not show it")
    assert found.endswith(" s old.")


def test_a_cached_list_of_libraries_without_a_library_is_reported(
    boss: Browser, anna: Account, ada: User, plextv: Simulator, server: Any
) -> None:
    share = anna.share
    plextv.unshare_library(anna, "2")
    Client(server.url, tokens.issue(ada).access).data("/plex/libraries")
    assert sentence(boss, "library", "1").endswith("”.")
    anna.share = share
    title = plextv.catalogue.libraries[1].title
    assert sentence(boss, "library", "2").startswith(
        f"ada can see “{title}”, but 1 cached list does not show it"
    )


def test_an_item_without_a_title_is_named_by_its_key(
    boss: Browser, anna: Account, plextv: Simulator, movie: Any
) -> None:
    plextv.catalogue.change(movie.rating_key, title="")
    assert sentence(boss, "item", movie.rating_key) == f"ada can see “{movie.rating_key}”."
    plextv.set_filters(anna, {"filterMovies": "label=None"})
    assert f"“{movie.rating_key}” is hidden" in sentence(boss, "item", movie.rating_key)


def test_no_page_shows_a_token_or_a_mail_address(
    boss: Browser, anna: Account, plextv: Simulator, movie: Any
) -> None:
    plextv.set_filters(anna, {"filterMovies": "label=None"})
    page = get_page(boss, "item", movie.rating_key).content.decode()
    secrets = (anna.token, anna.server_token, anna.email, plextv.owner_token)
    assert not [secret for secret in secrets if secret in page]


def test_staff_who_may_see_users_see_the_page_and_others_do_not(
    staff: Callable[..., Browser], plextv: Simulator, anna: Account
) -> None:
    browser = staff("view_user")
    assert sentence(browser, "library", "1").startswith("ada can see")
    assert PAGE in browser.get("/admin/").content.decode()
    User.objects.get(username="staff").user_permissions.clear()
    assert browser.get(PAGE).status_code == 403
    assert browser.get(PAGE, {"user": "ada", "kind": "item", "key": "1"}).status_code == 403
    assert PAGE not in browser.get("/admin/").content.decode()


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ({"user": "nobody", "kind": "item", "key": "1"}, NOT_A_USER),
        ({"user": "ada", "kind": "item", "key": "../1"}, "A key consists of 1 to 10 digits."),
        ({"user": "ada", "kind": "item", "key": ""}, "This field is required."),
        ({"user": "ada", "kind": "user", "key": "1"}, "Select a valid choice."),
        ({"user": "a\0b", "kind": "item", "key": "1"}, "Null characters are not allowed."),
    ],
)
def test_a_question_that_cannot_be_answered_is_refused(
    boss: Browser, ada: User, plextv: Simulator, query: dict[str, str], error: str
) -> None:
    response = boss.get(PAGE, query)
    assert response.status_code == 200
    assert error in shown(response)
    assert plextv.count() == 0


def test_the_page_of_a_user_links_to_the_question(boss: Browser, ada: User) -> None:
    page = boss.get(f"/admin/accounts/user/{ada.pk}/change/").content.decode()
    assert f'href="{PAGE}?user=ada"' in page
    assert 'value="ada"' in boss.get(PAGE, {"user": "ada"}).content.decode()


def test_all_requests_together_have_one_time_limit(
    boss: Browser, anna: Account, plextv: Simulator, movie: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explanation, "MAX_SECONDS", 1.0)
    plextv.fault("slow", path="/", delay=0.6)
    watch = Stopwatch()
    assert sentence(boss, "item", movie.rating_key).startswith("It is not known")
    assert watch.keeps(2.0)


def test_the_question_is_not_answered_while_too_many_requests_wait(
    boss: Browser, anna: Account, plextv: Simulator
) -> None:
    runtime.current()
    with upstream.access(Access.REFUSE):
        assert sentence(boss, "library", "1") == (
            "It is not known whether ada can see this: "
            "Too many requests are waiting for Plex. Try again."
        )
    assert plextv.count() == 0
