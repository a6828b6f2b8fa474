"""The addresses of a server that an operator has chosen: test each of them, and use one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import reverse

from plex_integration.admin import account
from plex_integration.admin.account import Account
from plex_integration.admin.connection_test import report_test
from plex_integration.admin.servers import SIGNED_OUT
from plex_integration.admin.single_row import SingleRowAdmin
from plex_integration.configuration import runtime
from plex_integration.configuration.changes import learn_identity
from plex_integration.configuration.models import PlexConnection
from plex_integration.plex import candidates
from plex_integration.plex.candidates import Trial, Verify
from plex_integration.plex.plextv.servers import AccountServer, Address

NO_SERVER = "This account has no such server of its own. Choose one of the list."
NO_ADDRESS = "Choose an address."
NO_TOKEN = "plex.tv sent no token for this server that this service can use."  # noqa: S105
CHANGED = "Somebody else changed the connection in the meantime. Check it, and choose again."
SAVED = "{name} at {url} is saved. Takes effect within 2 seconds."


class NotUsable(Exception):
    """The address cannot be used. Its text is the message for the operator."""


@dataclass(frozen=True)
class Candidate:
    """An address that can be chosen. `trial` is None until it has been tested."""

    url: str
    description: str
    verify: Verify
    is_saved: bool = False
    trial: Trial | None = None


@dataclass(frozen=True)
class Choice:
    """What an operator chooses from: the addresses of a server. `row` is the saved connection."""

    server: AccountServer
    row: PlexConnection | None
    candidates: Sequence[Candidate]

    def find(self, url: str) -> Candidate | None:
        """Return the candidate with an address."""
        return next((each for each in self.candidates if each.url == url), None)

    @property
    def selected(self) -> str:
        """The address to select: the first one that is reachable, at first the saved one."""
        reachable = (each for each in self.candidates if each.trial and each.trial.is_reachable)
        saved = (each for each in self.candidates if each.is_saved and each.trial is None)
        found = next(reachable, None) or next(saved, None)
        return found.url if found else ""

    def tested(self) -> "Choice":
        """Return the choice with the result of every address."""
        urls = {each.url: each.verify for each in self.candidates}
        trials = candidates.try_addresses(urls, self.server.machine_identifier)
        tested = [replace(each, trial=trials[each.url]) for each in self.candidates]
        return replace(self, candidates=tested)


def page(request: HttpRequest, admin: SingleRowAdmin, machine_identifier: str) -> HttpResponse:
    """Show the addresses of a server with GET; with POST, test all of them or use one."""
    found = account.signed_in(request)
    if found is None:
        return _signed_out(request, admin)
    choice = _choice(found, machine_identifier)
    if choice is None:
        messages.error(request, NO_SERVER)
        return HttpResponseRedirect(reverse("admin:plex_integration_plexconnection_servers"))
    if "use" in request.POST:
        return _use(request, admin, choice)
    return _page(request, admin, choice.tested() if request.method == "POST" else choice)


def test(request: HttpRequest, machine_identifier: str) -> JsonResponse:
    """Test one address of a server, for the script of the page."""
    found = account.signed_in(request)
    choice = found and _choice(found, machine_identifier)
    if not choice:
        return JsonResponse({"message": SIGNED_OUT}, status=410)
    candidate = choice.find(request.POST.get("address", ""))
    if candidate is None:
        return JsonResponse({"message": NO_ADDRESS}, status=400)
    trial = _try(choice, candidate)
    return JsonResponse({"isReachable": trial.is_reachable, "message": trial.message})


def _signed_out(request: HttpRequest, admin: SingleRowAdmin) -> HttpResponse:
    # A form that is sent twice finds the address saved already.
    if not PlexConnection.objects.filter(url=request.POST.get("address", "")).exists():
        messages.error(request, SIGNED_OUT)
    return HttpResponseRedirect(admin.page())


def _choice(found: Account, machine_identifier: str) -> Choice | None:
    server = found.own_server(machine_identifier)
    if server is None:
        return None
    row = PlexConnection.objects.first()
    is_saved = found.configured == machine_identifier
    return Choice(server, row, _candidates(server, row if is_saved else None))


def _candidates(server: AccountServer, row: PlexConnection | None) -> list[Candidate]:
    """Return the addresses of a server; first the saved one, where it answers at that."""
    found = {each.url: Candidate(each.url, _describe(each), True) for each in server.addresses}
    if row is None:
        return list(found.values())
    found.pop(row.url, None)
    saved = Candidate(row.url, "The saved address", row.verify, is_saved=True)
    return [saved, *found.values()]


def _describe(address: Address) -> str:
    if address.is_relay:
        return "Plex relay, encrypted; slow"
    place = "Local network" if address.is_local else "Internet"
    if address.is_encrypted:
        return f"{place}, encrypted"
    return f"{place}, not encrypted" + ("" if address.is_local else ": others can read the token")


def _try(choice: Choice, candidate: Candidate) -> Trial:
    identifier = choice.server.machine_identifier
    return candidates.try_address(candidate.url, identifier, candidate.verify)


def _use(request: HttpRequest, admin: SingleRowAdmin, choice: Choice) -> HttpResponse:
    try:
        candidate = _usable(choice, request.POST.get("address", ""))
        _save(request, admin, choice.server, candidate)
    except NotUsable as failure:
        messages.error(request, str(failure))
        return _page(request, admin, choice)
    account.forget(request)
    messages.success(request, SAVED.format(name=choice.server.name, url=candidate.url))
    report_test(request, PlexConnection.objects.get())
    return HttpResponseRedirect(admin.page())


def _usable(choice: Choice, url: str) -> Candidate:
    """Return the chosen address if the server answers there now. Raises NotUsable."""
    candidate = choice.find(url)
    if candidate is None:
        raise NotUsable(NO_ADDRESS)
    if not choice.server.token:
        raise NotUsable(NO_TOKEN)
    trial = _try(choice, candidate)
    if not trial.is_reachable:
        raise NotUsable(f"{url} is not used. {trial.message}")
    return candidate


@transaction.atomic
def _save(
    request: HttpRequest, admin: SingleRowAdmin, server: AccountServer, chosen: Candidate
) -> None:
    """Save the address and the server's token, unless the connection was changed meanwhile."""
    row = _locked_row()
    if row.url == chosen.url and row.token == server.token:
        return  # the form was sent twice
    if request.POST.get("seen") != _digest(row):
        raise NotUsable(CHANGED)
    row.url, row.token = chosen.url, server.token
    if not chosen.is_saved:
        row.tls = PlexConnection.Tls.VERIFY
    row.save()
    learn_identity(row.url, server.machine_identifier)
    admin.log_change(request, row, f"Chose the server {server.name}. Changed Address and token.")


def _locked_row() -> PlexConnection:
    """Return the row, which nobody else changes before this transaction ends."""
    # A row that does not exist cannot be locked. This one is undone where nothing is saved.
    new = runtime.connection_from_environment()
    PlexConnection.objects.bulk_create([new], ignore_conflicts=True)
    return PlexConnection.objects.select_for_update().get()


def _digest(row: PlexConnection | None) -> str:
    """Return what changes with every saved address or token; "" before the first."""
    if row is None or not row.url:
        return ""
    return blake2b(f"{row.url}\n{row.encrypted_token}".encode(), digest_size=8).hexdigest()


def _page(request: HttpRequest, admin: SingleRowAdmin, choice: Choice) -> HttpResponse:
    return TemplateResponse(
        request,
        "admin/plex_integration/plexconnection/addresses.html",
        {
            **admin.admin_site.each_context(request),
            "title": f"Choose an address of {choice.server.name}",
            "opts": admin.opts,
            "choice": choice,
            "seen": _digest(choice.row),
            "back": admin.page(),
        },
    )
