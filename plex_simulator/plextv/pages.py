"""The pages of plex.tv where a person signs in: /link and /auth."""

from html import escape
from urllib.parse import parse_qs, urlsplit

from plex_simulator.messages import Request, Response
from plex_simulator.plextv.pins import Pin
from plex_simulator.plextv.site import Site

HTML_TYPE = "text/html; charset=utf-8"
# A browser keeps what follows the # to itself, so the page itself reads it.
READ_FRAGMENT = """
const values = new URLSearchParams(location.hash.replace(/^#[?]?/, ""));
for (const name of ["clientID", "code", "forwardUrl"])
  document.forms[0].elements[name].value = values.get(name) ?? "";
"""


def show_link_page(site: Site, request: Request) -> Response:
    """Show the page where a user enters a code; the owner is always signed in there."""
    code, message = request.arg("code").strip(), ""
    if code:
        pin = site.pins.find_code(code)
        if pin is not None:
            site.link(pin, site.accounts.owner)
        message = _report(pin)
    form = '<form><label>Code <input name="code" autofocus></label> <button>Link</button></form>'
    return _page("Link", message, form)


def show_auth_page(site: Site, request: Request) -> Response:
    """Show the page that lets a person choose the account to sign in with.

    Its address is /auth#?clientID=…&code=…&forwardUrl=…. A button sends the choice here again.
    """
    if request.method == "POST":
        return _sign_in(site, request)
    buttons = "".join(
        f'<p><button name="account" value="{account.uuid}">{escape(account.name)}</button></p>'
        for account in site.accounts.all
        if account.username
    )
    hidden = "".join(
        f'<input type="hidden" name="{name}">' for name in ("clientID", "code", "forwardUrl")
    )
    form = f'<form method="post" action="/auth">{hidden}{buttons}</form>'
    return _page("Sign in", "", f"{form}<script>{READ_FRAGMENT}</script>")


def _sign_in(site: Site, request: Request) -> Response:
    """Link the pin with a code to the chosen account, and return to `forwardUrl`."""
    form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
    pin = site.pins.find_code(form.get("code", ""))
    if pin is None or pin.client != form.get("clientID"):
        return _page("Sign in", _report(None), "")
    try:
        account = site.accounts.find(form.get("account", ""))
    except KeyError:
        return _page("Sign in", "There is no such account.", "")
    site.link(pin, account)
    target = form.get("forwardUrl", "")
    if urlsplit(target).scheme in ("http", "https"):
        return Response(303, b"", HTML_TYPE, {"Location": target})
    return _page("Sign in", _report(pin), "")


def _report(pin: Pin | None) -> str:
    return "There is no such code." if pin is None else "Linked. You may close this page."


def _page(title: str, message: str, content: str) -> Response:
    page = f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title} (simulated plex.tv)</title>
<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,"></head>
<body><h1>{title}</h1><p role="status">{message}</p>
{content}
</body></html>"""
    return Response(200, page.encode(), HTML_TYPE)
