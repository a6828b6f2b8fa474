"""The sign-in endpoints, under /api/v1/auth."""

from django.urls import path

from accounts import views

urlpatterns = [
    path("token", views.TokenView.as_view(), name="auth-token"),
    path("token/refresh", views.TokenRefreshView.as_view(), name="auth-refresh"),
    path("token/verify", views.TokenVerifyView.as_view(), name="auth-verify"),
    path("logout", views.LogoutView.as_view(), name="auth-logout"),
    path("session", views.SessionView.as_view(), name="auth-session"),
]
