"""Every setting of the service, read from the environment; a bad value stops the start.

docs/operating.md lists each variable with its default.
"""

import hashlib
import logging
import os
import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import dj_database_url
from corsheaders.defaults import default_headers
from django.core.exceptions import ImproperlyConfigured

from medianest.addresses import refusal
from medianest.redis_address import RedisAddress

BASE_DIR = Path(__file__).resolve().parent.parent

SQLITE, POSTGRESQL = "django.db.backends.sqlite3", "django.db.backends.postgresql"


def env_text(name: str, default: str = "") -> str:
    """Return a variable's text without surrounding blanks."""
    return os.environ.get(name, default).strip()


def env_secret(name: str) -> str:
    """Return a secret: a variable's text, or the line in the file that `<name>_FILE` names."""
    text, path = env_text(name), env_text(f"{name}_FILE")
    if text and path:
        raise ImproperlyConfigured(f"Set {name} or {name}_FILE, not both")
    return line_of_file(f"{name}_FILE", path) if path else text


def line_of_file(name: str, path: str) -> str:
    """Return the only line of the file that a setting names; no error shows what it holds."""
    try:
        text = Path(path).read_text("utf-8-sig").strip()
    except OSError as error:
        raise ImproperlyConfigured(f"{name}: {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        text = ""
    if not text.isprintable() or not text:
        raise ImproperlyConfigured(f"{name}: {path} must hold one line of text, the secret")
    return text


def env_redis_url(name: str) -> str:
    """Return the URL of a Redis. The errors of the parser may show the password."""
    url = env_secret(name)
    try:
        if url:
            RedisAddress.parse(url).check_parameters()
    except ValueError:
        raise ImproperlyConfigured(
            f"{name} must look like redis://:password@host:6379/0, "
            "redis+sentinel://:password@host:26379,host:26379/mymaster/0 or "
            "redis+cluster://:password@host:6379,host:6379; "
            "in a password, write special characters as %XX. TLS and its parameters need rediss"
        ) from None
    return url


def env_database(name: str, default: str) -> Any:
    """Return the database that a URL names. The errors of the parser may show the password."""
    try:
        database = dj_database_url.parse(
            env_secret(name) or default, conn_max_age=60, conn_health_checks=True
        )
        if database["ENGINE"] not in (SQLITE, POSTGRESQL):
            raise ValueError("another database")
        return database
    except ValueError:
        raise ImproperlyConfigured(
            f"{name} must look like postgres://user:password@host:5432/name or "
            "sqlite:////path; in a password, write special characters as %XX"
        ) from None


def env_flag(name: str, *, default: bool) -> bool:
    """Return a variable as a boolean: 1, 0, true or false."""
    text = env_text(name).lower()
    if text in ("", "1", "0", "true", "false"):
        return text in ("1", "true") if text else default
    raise ImproperlyConfigured(f"{name} must be 1, 0, true or false")


def env_list(name: str, default: str = "") -> list[str]:
    """Return a comma-separated variable as a list of its non-empty parts."""
    return [part.strip() for part in env_text(name, default).split(",") if part.strip()]


def env_number(name: str, default: float, *, minimum: float, maximum: float) -> float:
    """Return a variable as a finite number within its bounds."""
    text = env_text(name) or str(default)
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not minimum <= number <= maximum:
        raise ImproperlyConfigured(f"{name} must be a number from {minimum:g} to {maximum:g}")
    return number


def env_whole_number(name: str, default: int, *, minimum: int, maximum: int) -> int:
    """Return a variable as a whole number within its bounds."""
    text = env_text(name) or str(default)
    if not text.isascii() or not text.isdigit() or not minimum <= int(text) <= maximum:
        raise ImproperlyConfigured(f"{name} must be a whole number from {minimum} to {maximum}")
    return int(text)


# Where the database file and cached images are by default.
DATA_FOLDER = Path(env_text("DATA_FOLDER") or BASE_DIR)

DEBUG = env_flag("DEBUG", default=False)

SECRET_KEY = env_secret("SECRET_KEY")
if len(SECRET_KEY) < 32:
    raise ImproperlyConfigured(
        "SECRET_KEY must be set to at least 32 random characters, for example the output of: "
        "python -c 'import secrets; print(secrets.token_urlsafe(48))'"
    )

# What encrypts the Plex token in the database.
ENCRYPTION_KEY = env_secret("ENCRYPTION_KEY") or SECRET_KEY
if len(ENCRYPTION_KEY) < 32:
    raise ImproperlyConfigured("ENCRYPTION_KEY must be at least 32 random characters, or not set")

ALLOWED_HOSTS = env_list("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CORS_ALLOWED_ORIGINS = env_list("CORS_ALLOWED_ORIGINS")
CORS_URLS_REGEX = r"^/api/"
# What pages of other origins may send and read: every header that the documentation names.
CORS_ALLOW_HEADERS = [
    *default_headers,
    "cache-control",
    "idempotency-key",
    "if-none-match",
    "x-pin-secret",
    "x-request-id",
]
CORS_EXPOSE_HEADERS = [
    "Age",
    "Allow",
    "Cache-Status",
    "ETag",
    "Idempotency-Replayed",
    "Link",
    "Location",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "Server-Timing",
    "Vary",
    "WWW-Authenticate",
    "X-Plex-Cache-Age",
    "X-Plex-Cache-Status",
    "X-Plex-Response-Time",
    "X-RateLimit-Limit",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
    "X-Request-ID",
]

# Where clients reach the service; without it, links in responses are relative.
PUBLIC_URL = env_text("PUBLIC_URL").rstrip("/")
if PUBLIC_URL:
    _refused = refusal(PUBLIC_URL)
    if _refused is None and not re.fullmatch(r"[^/]+//[^/]+(/[A-Za-z0-9._~-]+)*", PUBLIC_URL):
        _refused = "Its path may contain only letters, digits, slashes and the characters . _ ~ -"
    if _refused:
        raise ImproperlyConfigured(
            f"PUBLIC_URL must look like https://media.example.org or "
            f"https://example.org/media. {_refused}"
        )

# --- Plex -----------------------------------------------------------------------------------------

PLEX_URL = env_text("PLEX_URL").rstrip("/")
PLEX_TOKEN = env_secret("PLEX_TOKEN")
PLEX_TIMEOUT = env_number("PLEX_TIMEOUT", 10, minimum=0.1, maximum=120)
# True, False, or the path of a file with the CA that signed Plex's certificate.
PLEX_VERIFY_TLS: bool | str = env_flag("PLEX_VERIFY_TLS", default=True)
if PLEX_VERIFY_TLS and env_text("PLEX_CA_FILE"):
    PLEX_VERIFY_TLS = env_text("PLEX_CA_FILE")
    if not Path(PLEX_VERIFY_TLS).is_file():
        raise ImproperlyConfigured("PLEX_CA_FILE must name an existing file")
PLEX_SHOW_FILE_PATHS = env_flag("PLEX_SHOW_FILE_PATHS", default=True)
# The folder of cached images, shared by all workers, and its limit in MiB.
PICTURES_FOLDER = Path(env_text("PICTURES_FOLDER") or DATA_FOLDER / "var" / "pictures")
PICTURES_MIB = int(env_number("PICTURES_MIB", 1024, minimum=0, maximum=1024 * 1024))
if PLEX_URL:
    if _refused := refusal(PLEX_URL):
        raise ImproperlyConfigured(f"PLEX_URL must look like http://192.168.1.10:32400. {_refused}")
    if not PLEX_TOKEN.isascii() or not PLEX_TOKEN.isprintable():
        raise ImproperlyConfigured("PLEX_TOKEN must be printable ASCII")

# Where an operator signs in to Plex to get a token for this service.
PLEX_TV_URL = env_text("PLEX_TV_URL", "https://plex.tv").rstrip("/")
if _refused := refusal(PLEX_TV_URL):
    raise ImproperlyConfigured(f"PLEX_TV_URL must look like https://plex.tv. {_refused}")

# python-plexapi reads these when it is first imported. Its configuration file belongs to the host,
# not to this service; reading an empty attribute must never send a request; and with the fixed
# identifier a start is not a new device in Plex.
os.environ |= {
    "PLEXAPI_CONFIG_PATH": os.devnull,
    "PLEXAPI_PLEXAPI_AUTORELOAD": "false",
    "PLEXAPI_PLEXAPI_TIMEZONE": "UTC",
    "PLEXAPI_LOG_SHOW_SECRETS": "false",
    "PLEXAPI_HEADER_PRODUCT": "MediaNest",
    "PLEXAPI_HEADER_DEVICE_NAME": "MediaNest",
    "PLEXAPI_HEADER_PROVIDES": "",
    "PLEXAPI_HEADER_IDENTIFIER": "medianest-"
    + hashlib.sha256(f"plex-client-identifier:{SECRET_KEY}".encode()).hexdigest()[:24],
}

# --- Redis ----------------------------------------------------------------------------------------

REDIS_URL = env_redis_url("REDIS_URL")
# A separate Redis for the limits, for a cache that may evict keys without a time to live.
REDIS_LIMITS_URL = env_redis_url("REDIS_LIMITS_URL")
# How many own proxies append to X-Forwarded-For; with 0 the header is ignored.
PROXY_COUNT = int(env_number("PROXY_COUNT", 0, minimum=0, maximum=10))

# No request waits longer for Redis: after a failed operation the store works without it.
_REDIS_OPTIONS = {
    "CLIENT_CLASS": "medianest.store.cache_backend.CacheClient",
    "SOCKET_CONNECT_TIMEOUT": 0.1,
    "SOCKET_TIMEOUT": 0.25,
}
CACHES: dict[str, dict[str, Any]] = (
    {
        alias: {
            "BACKEND": "django_redis.cache.RedisCache",
            "LOCATION": url,
            "KEY_PREFIX": "medianest",
            "OPTIONS": _REDIS_OPTIONS,
        }
        for alias, url in {"default": REDIS_URL, "limits": REDIS_LIMITS_URL}.items()
        if url
    }
    if REDIS_URL
    else {
        "default": {
            "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
            "OPTIONS": {"MAX_ENTRIES": 1000},
        }
    }
)

# --- Workers and their threads (ASGI) -------------------------------------------------------------

# How many processes `manage.py serve` starts. Without Redis each would count limits by itself.
WORKERS = env_whole_number("WORKERS", 2 if REDIS_URL else 1, minimum=1, maximum=64)

# Those that run what waits for no other server, and those in which requests wait for Plex. Each
# may hold one connection to the database.
GENERAL_THREADS = int(env_number("GENERAL_THREADS", 8, minimum=1, maximum=256))
WAITING_THREADS = int(env_number("WAITING_THREADS", 24, minimum=1, maximum=1024))

# --- Django ---------------------------------------------------------------------------------------

INSTALLED_APPS = [
    # Before Django's admin, because it overrides some of its templates.
    "plex_integration",
    "accounts.apps.SiteConfig",  # django.contrib.admin
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "corsheaders",
    "rest_framework",
    "rest_framework_simplejwt.token_blacklist",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "accounts",
]

MIDDLEWARE = [
    "medianest.api.middleware.RequestMiddleware",
    "medianest.api.middleware.ContentPolicyMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "medianest.api.middleware.TimingMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    # Above the fast path, so that its responses have the same headers as all others.
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "medianest.api.query_limits.QueryLimitsMiddleware",
    "medianest.serving.static_files.StaticFilesMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]

ROOT_URLCONF = "medianest.urls"
WSGI_APPLICATION = "medianest.wsgi.application"
ASGI_APPLICATION = "medianest.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = {
    "default": env_database(
        "DATABASE_URL", default=f"sqlite:///{quote(str(DATA_FOLDER / 'db.sqlite3'))}"
    )
}
if DATABASES["default"]["ENGINE"] == SQLITE:
    # Several worker processes share the file: wait for a lock, but not for long, and let readers go
    # on while one writes.
    DATABASES["default"]["ENGINE"] = "medianest.database.sqlite"
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 1,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        **DATABASES["default"].get("OPTIONS", {}),
    }
else:
    # Seconds. With Django's own backend a request could wait for a response for ever.
    DATABASES["default"]["ENGINE"] = "medianest.database.postgresql"
    DATABASES["default"]["OPTIONS"] = {
        "connect_timeout": 5,
        "response_timeout": 10,
        **DATABASES["default"].get("OPTIONS", {}),
    }

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "accounts.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

LANGUAGE_CODE = "en-us"
USE_I18N = False
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
WHITENOISE_USE_FINDERS = not STATIC_ROOT.is_dir()
if (client_folder := Path(env_text("SAMPLE_CLIENT"))).is_absolute():
    # The demo's copy of the sample client, which knows the users of the demo.
    WHITENOISE_ROOT, WHITENOISE_INDEX_FILE = client_folder, True
elif env_flag("SAMPLE_CLIENT", default=False):
    # Serve the sample client's files, and its index at /.
    WHITENOISE_ROOT, WHITENOISE_INDEX_FILE = BASE_DIR / "sample_client", True

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = env_flag("SECURE_COOKIES", default=False)
SECURE_SSL_REDIRECT = env_flag("SSL_REDIRECT", default=False)
# Health checks, and Prometheus, come from inside the network, over plain HTTP.
SECURE_REDIRECT_EXEMPT = [r"api/v1/health(/live)?$"]
SECURE_HSTS_SECONDS = int(env_number("HSTS_SECONDS", 0, minimum=0, maximum=10 * 365 * 24 * 3600))
SECURE_HSTS_INCLUDE_SUBDOMAINS = env_flag("HSTS_INCLUDE_SUBDOMAINS", default=False)
SECURE_HSTS_PRELOAD = env_flag("HSTS_PRELOAD", default=False)
# The service speaks plain HTTP: only the proxy knows how the request reached it.
SECURE_PROXY_SSL_HEADER: tuple[str, str] | None = (
    ("HTTP_X_FORWARDED_PROTO", "https") if PROXY_COUNT else None
)
# Behind a TLS proxy the admin's forms come from https://…, which Django cannot see.
CSRF_TRUSTED_ORIGINS = env_list("CSRF_TRUSTED_ORIGINS")
SECURE_REFERRER_POLICY = "same-origin"
CSRF_FAILURE_VIEW = "medianest.api.error_views.csrf_failure"
# As much as the ASGI application reads (`medianest/serving/bodies.py`).
DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024

# --- What the service tells about itself ----------------------------------------------------------

# The standard variables of OpenTelemetry, which its SDK reads itself. Whether requests are traced:
TRACING = bool(
    env_text("OTEL_EXPORTER_OTLP_ENDPOINT") or env_text("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
) and not env_flag("OTEL_SDK_DISABLED", default=False)
if TRACING and env_text("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf") != "http/protobuf":
    raise ImproperlyConfigured("OTEL_EXPORTER_OTLP_PROTOCOL must be http/protobuf, or not set")

# What Prometheus sends to read /metrics. Without it there is no such path and nothing is counted.
METRICS_TOKEN = env_secret("METRICS_TOKEN")
if METRICS_TOKEN and not re.fullmatch(r"[!-~]{16,}", METRICS_TOKEN):
    raise ImproperlyConfigured(
        "METRICS_TOKEN must be at least 16 random ASCII characters without blanks, or not set"
    )
# Where the workers of a machine count for it, each in files of its own.
METRICS_FOLDER = Path(env_text("METRICS_FOLDER") or DATA_FOLDER / "var" / "metrics")
if METRICS_TOKEN:
    SECURE_REDIRECT_EXEMPT.append(r"^metrics$")

LOG_FORMAT = env_text("LOG_FORMAT") or "text"
if LOG_FORMAT not in ("text", "json"):
    raise ImproperlyConfigured("LOG_FORMAT must be text or json")
if LOG_FORMAT == "json":
    # Python's own warnings are written as plain text otherwise.
    logging.captureWarnings(True)
if LOG_FORMAT == "json" or TRACING or METRICS_TOKEN:
    MIDDLEWARE.append("medianest.api.request_facts.RequestFactsMiddleware")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "request": {"()": "medianest.api.middleware.RequestLogFilter"},
        "once": {"()": "medianest.logs.LoggedOnce"},
    },
    "formatters": {
        "text": {
            "()": "medianest.logs.SafeFormatter",
            "format": "{asctime} {levelname} {name} [{requestId}] {message}",
            "style": "{",
        },
        "json": {"()": "medianest.logs.JsonFormatter"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": LOG_FORMAT,
            "filters": ["request"],
        }
    },
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "django": {"handlers": [], "propagate": True},
        "django.request": {"filters": ["once"]},
        "django.server": {"handlers": [], "propagate": True, "level": "WARNING"},
        # urllib3 logs URLs, and at WARNING headers that Plex sent.
        "urllib3": {"level": "ERROR"},
        "plexapi": {"level": "ERROR"},
    },
}

# --- The API --------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.BearerAuthentication",
        "accounts.authentication.BrowserSession",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": [
        "medianest.api.renderers.EnvelopeRenderer",
        "plex_integration.browsable.PlexBrowsableRenderer",
    ],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "medianest.api.negotiation.Negotiation",
    "DEFAULT_METADATA_CLASS": "medianest.api.metadata.EndpointMetadata",
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "medianest.api.schema.EndpointSchema",
    "EXCEPTION_HANDLER": "medianest.api.exceptions.exception_handler",
    # `?format=` is ignored like any other unknown parameter.
    "URL_FORMAT_OVERRIDE": None,
    "STRICT_JSON": True,
    "UNICODE_JSON": True,
}

SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=15),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=7),
    "ALGORITHM": "HS256",
    "SIGNING_KEY": SECRET_KEY,
    "UPDATE_LAST_LOGIN": False,
}

SPECTACULAR_SETTINGS = {
    "TITLE": "MediaNest Plex Integration API",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "DESCRIPTION": (
        "Plex libraries, search, collections and recently added content as JSON, behind JWT "
        "sign-in. Every response is one envelope: `success`, `data` or `error`, and `metadata`."
    ),
    "SCHEMA_PATH_PREFIX": r"/api/v1/",
    "SERVE_INCLUDE_SCHEMA": False,
    # Swagger UI sends the document to no validator on another host.
    "SWAGGER_UI_SETTINGS": {
        "deepLinking": True,
        "validatorUrl": None,
        "defaultModelsExpandDepth": 0,
    },
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    # The document describes JSON: the session of the browsable API is not part of it.
    "AUTHENTICATION_WHITELIST": ["accounts.authentication.BearerAuthentication"],
    # In the order of the URLs: signing in comes before signing out.
    "SORT_OPERATIONS": False,
    # A self-hosted service: the document that it serves names its own address instead.
    "SERVERS": [{"url": "http://localhost:8000", "description": "A service on this computer."}],
    "TAGS": [
        {"name": "Sign-in", "description": "Get, renew, check and revoke tokens."},
        {
            "name": "Plex account",
            "description": "Sign in with Plex, link a user to a Plex account, and switch between "
            "the profiles of its Plex Home.",
        },
        {"name": "Server", "description": "The connected Plex Media Server."},
        {"name": "Libraries", "description": "Libraries, their items and genres."},
        {"name": "Items", "description": "Single items and their children."},
        {"name": "Search", "description": "Search by text or by an external id."},
        {"name": "Collections", "description": "Read and edit collections and their items."},
        {"name": "Playlists", "description": "Read and edit playlists and their items."},
        {"name": "Pictures", "description": "Posters and backgrounds, scaled."},
        {
            "name": "Watch state",
            "description": "What to continue, and what a linked user's Plex account has watched.",
        },
        {"name": "Health", "description": "Checks for load balancers and people."},
    ],
    "COMPONENT_SPLIT_REQUEST": True,
    "COMPONENT_SPLIT_PATCH": False,
    "ENUM_ADD_EXPLICIT_BLANK_NULL_CHOICE": False,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "POSTPROCESSING_HOOKS": ["plex_integration.openapi.document.complete"],
}
