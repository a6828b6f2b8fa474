"""The paths under /api/v1/auth/plex."""

from django.urls import path

from plex_integration.linking import views

urlpatterns = [
    path("plex", views.LinkView.as_view(), name="auth-plex"),
    path("plex/pins", views.PinsView.as_view(), name="auth-plex-pins"),
    path("plex/pins/<str:pinId>", views.PinView.as_view(), name="auth-plex-pin"),
    path("plex/home-users", views.HomeUsersView.as_view(), name="auth-plex-home-users"),
    path(
        "plex/home-users/<str:uuid>/switch",
        views.HomeSwitchView.as_view(),
        name="auth-plex-home-switch",
    ),
]
