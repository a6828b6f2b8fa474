"""Settings that look wrong: only what can be known from here."""

from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.http.request import validate_host

from medianest.monitoring.processes import Process
from plex_integration.admin.service.lines import Line, State
from plex_integration.configuration.connection import Connection

MIN_DIFFERENT_CHARACTERS = 10
_EXAMPLES = ("django-insecure", "change-me", "changeme", "only-to-", "only-for-the-", "example")
_KEYS = {
    "SECRET_KEY": "signs tokens, sessions and picture links",
    "ENCRYPTION_KEY": "encrypts the Plex tokens in the database",
}
_PROXY_HEADERS = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_FORWARDED")


def suspicious_settings(
    request: HttpRequest, connection: Connection | None, processes: Sequence[Process]
) -> Line:
    """Return which settings look wrong, also for this request."""
    found = [
        *secrets(),
        *hosts(),
        *_network(request),
        *https(),
        *workers_without_redis(),
        *shared(processes),
        *certificates(connection),
    ]
    if not found:
        return Line("Settings", State.OK, ["Nothing looks wrong."])
    return Line("Settings", State.ATTENTION, found)


def secrets() -> Iterator[str]:
    """Say which secrets others know, or can guess."""
    if settings.DEBUG:
        yield "DEBUG is on: errors show traces and settings to everybody. Set it to 0."
    for name, use in _KEYS.items():
        value = getattr(settings, name)
        if len(set(value)) < MIN_DIFFERENT_CHARACTERS:
            yield f"{name} has few different characters and is easy to guess. It {use}."
        elif any(example in value.lower() for example in _EXAMPLES):
            yield f"{name} is that of an example. Set it to random characters: it {use}."


def hosts() -> Iterator[str]:
    """Say what is wrong about the names of the service."""
    if "*" in settings.ALLOWED_HOSTS:
        yield "ALLOWED_HOSTS accepts any host name. Name the hosts of this service."
    host = urlsplit(settings.PUBLIC_URL).hostname
    if host and not validate_host(host, settings.ALLOWED_HOSTS):
        yield f"PUBLIC_URL names {host}, which ALLOWED_HOSTS does not accept. Add it there."


def https() -> Iterator[str]:
    """Say which settings do not fit to the addresses of the service, which speaks plain HTTP."""
    if endless := endless_redirects():
        yield endless
    if _is_behind_https():
        if not settings.SESSION_COOKIE_SECURE:
            yield "Browsers come over HTTPS, but SECURE_COOKIES is 0. Set it to 1."
        if settings.PROXY_COUNT == 0 and not settings.SECURE_SSL_REDIRECT:
            yield (
                "A proxy offers HTTPS, but PROXY_COUNT is 0: limits count all clients as one "
                "address. Set it to the number of your proxies."
            )
    elif settings.PUBLIC_URL and settings.SESSION_COOKIE_SECURE:
        yield (
            "SECURE_COOKIES is 1, but PUBLIC_URL begins with http: nobody can sign in to the admin "
            "there. Use HTTPS, or set it to 0."
        )


def _is_behind_https() -> bool:
    """Tell whether a proxy offers HTTPS, by the settings that are for that alone."""
    addresses = [settings.PUBLIC_URL, *settings.CSRF_TRUSTED_ORIGINS]
    if any(address.startswith("https:") for address in addresses):
        return True
    is_expected = settings.SESSION_COOKIE_SECURE or settings.SECURE_HSTS_SECONDS > 0
    return is_expected and not settings.PUBLIC_URL


def endless_redirects() -> str | None:
    """Say whether every request is redirected for ever."""
    if settings.SECURE_SSL_REDIRECT and settings.PROXY_COUNT == 0:
        return (
            "SSL_REDIRECT is 1, but PROXY_COUNT is 0: every request is redirected for ever. Set "
            "PROXY_COUNT to the number of your proxies."
        )
    return None


def workers_without_redis() -> Iterator[str]:
    """Say whether workers share nothing."""
    # What `manage.py serve` starts; a server that is started in another way is not known.
    workers = settings.WORKERS
    if not settings.REDIS_URL and workers > 1:
        yield (
            f"There are {workers} workers without Redis: each has a cache and limits of its own. "
            "Set REDIS_URL, or run one worker."
        )


def shared(processes: Sequence[Process]) -> Iterator[str]:
    """Say whether machines share no database."""
    is_sqlite = settings.DATABASES["default"]["ENGINE"].endswith("sqlite")
    if is_sqlite and len({each.host for each in processes}) > 1:
        yield (
            "Several machines run the service with SQLite: each has a database of its own. "
            "Use PostgreSQL."
        )


def certificates(connection: Connection | None) -> Iterator[str]:
    """Say whether anybody may claim to be Plex."""
    if connection and connection.verify is False and connection.url.startswith("https:"):
        yield (
            "The connection to Plex accepts any certificate. Verify it, or use an address with a "
            "valid one."
        )


def _network(request: HttpRequest) -> Iterator[str]:
    if settings.PROXY_COUNT == 0 and any(name in request.META for name in _PROXY_HEADERS):
        yield (
            "This request came through a proxy, but PROXY_COUNT is 0: "
            "limits count all clients behind the proxy as one address."
        )
    if request.is_secure() and not settings.SESSION_COOKIE_SECURE:
        yield "This page came over HTTPS, but SECURE_COOKIES is 0."
