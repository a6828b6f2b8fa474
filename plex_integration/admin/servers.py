"""The servers of the Plex account that an operator has signed in to; one of them is chosen."""

from dataclasses import dataclass

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from plex_integration.admin import account
from plex_integration.admin.account import Account
from plex_integration.admin.connection_test import report_test
from plex_integration.admin.sign_in import UNAVAILABLE
from plex_integration.admin.single_row import SingleRowAdmin
from plex_integration.configuration.changes import learn_identity
from plex_integration.configuration.models import PlexConnection
from plex_integration.errors import PlexTvUnavailable
from plex_integration.plex import candidates
from plex_integration.plex.plextv.http import PlexTvRefused
from plex_integration.plex.plextv.servers import AccountServer, read_servers

SIGNED_OUT = "The sign-in to Plex has ended. Sign in again to choose a server."
RENEWED = "{name} answers at the saved address. Its new token is saved."
REFUSED = "plex.tv does not accept the sign-in any more. Sign in again."


@dataclass(frozen=True)
class _Row:
    """A server of the page, and whether it answers at the saved address."""

    server: AccountServer
    is_configured: bool


def page(request: HttpRequest, admin: SingleRowAdmin) -> HttpResponse:
    """Read the account's servers and show them.

    Goes back to the connection if the sign-in has ended.
    """
    found = account.signed_in(request)
    if found is None:
        messages.error(request, SIGNED_OUT)
        return HttpResponseRedirect(admin.page())
    problem = ""
    try:
        found = _with_servers(request, admin, found)
    except PlexTvUnavailable:
        problem = UNAVAILABLE
    except PlexTvRefused:
        account.forget(request)
        messages.error(request, REFUSED)
        return HttpResponseRedirect(admin.page())
    return _page(request, admin, found, problem)


def _with_servers(request: HttpRequest, admin: SingleRowAdmin, found: Account) -> Account:
    """Read the servers again. Raises PlexTvUnavailable or PlexTvRefused."""
    servers = read_servers(found.token)
    row = PlexConnection.objects.first()
    configured = candidates.find_server(row.url, row.verify) if row else ""
    complete = account.remember_servers(request, found, servers, configured)
    server = complete.own_server(configured)
    if row and server and not found.servers:
        _renew_token(request, admin, row.url, server)
    return complete


def _renew_token(
    request: HttpRequest, admin: SingleRowAdmin, url: str, server: AccountServer
) -> None:
    """Save the token of the server that answers at the saved address, after a sign-in.

    plex.tv may have ended the saved one with it: an account has one token for this service.
    """
    with transaction.atomic():
        row = PlexConnection.objects.select_for_update().filter(url=url).first()
        if row is None or not server.token or row.token == server.token:
            return
        row.token = server.token
        row.save()
        learn_identity(url, server.machine_identifier)
        admin.log_change(request, row, "Signed in to Plex. Changed Token.")
    messages.success(request, RENEWED.format(name=server.name))
    report_test(request, row)


def _page(
    request: HttpRequest, admin: SingleRowAdmin, found: Account, problem: str
) -> HttpResponse:
    own = [each for each in found.servers if each.is_owned]
    rows = [_Row(each, each.machine_identifier == found.configured) for each in own]
    rows.sort(key=lambda row: not row.is_configured)
    return TemplateResponse(
        request,
        "admin/plex_integration/plexconnection/servers.html",
        {
            **admin.admin_site.each_context(request),
            "title": "Choose your Plex server",
            "opts": admin.opts,
            "rows": rows,
            "shared": [each for each in found.servers if not each.is_owned],
            "problem": problem,
            "back": admin.page(),
        },
    )
