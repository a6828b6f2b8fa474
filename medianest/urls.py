"""The URL map of the project."""

from django.conf import settings
from django.contrib import admin
from django.templatetags.static import static
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from medianest.api.unknown_path import unknown_path
from medianest.docs import RedocView, SwaggerView, redoc_script
from medianest.health import HealthView, LiveView
from plex_integration.error_codes import ErrorCodesView
from plex_integration.index import IndexView
from plex_integration.openapi.views import SchemaView

if settings.METRICS_TOKEN:
    from medianest.metrics import metrics

handler400 = "medianest.api.error_views.bad_request"
handler403 = "medianest.api.error_views.permission_denied"
handler404 = "medianest.api.error_views.not_found"
handler500 = "medianest.api.error_views.server_error"

urlpatterns = [
    # The demo serves the sample client here instead.
    path("", RedirectView.as_view(pattern_name="docs")),
    path("admin/", admin.site.urls),
    path("api/v1/auth/", include("accounts.urls")),
    path("api/v1/auth/", include("plex_integration.linking.urls")),
    path("api/v1/plex", IndexView.as_view()),
    path("api/v1/plex/", include("plex_integration.urls")),
    path("api/v1/health", HealthView.as_view(), name="health"),
    path("api/v1/health/live", LiveView.as_view(), name="health-live"),
    path("api/v1/errors", ErrorCodesView.as_view(), name="errors"),
    path("api/v1/schema", SchemaView.as_view(), name="schema"),
    path("api/v1/docs", SwaggerView.as_view(), name="docs"),
    path("api/v1/redoc", RedocView.as_view(), name="redoc"),
    path("api/v1/redoc.js", redoc_script, name="redoc-script"),
    path("favicon.ico", RedirectView.as_view(url=static("plex_integration/icon.svg"))),
    re_path(r"^api(?:/|$)", unknown_path, name="api"),
]
if settings.METRICS_TOKEN:
    urlpatterns.append(path("metrics", metrics, name="metrics"))
