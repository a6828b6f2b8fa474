"""The sign-in endpoints and the sign-in page, under /api/v1/auth."""

from django.urls import path

from accounts import pages, views

urlpatterns = [
    path("token", views.TokenView.as_view(), name="auth-token"),
    path("token/refresh", views.TokenRefreshView.as_view(), name="auth-refresh"),
    path("token/verify", views.TokenVerifyView.as_view(), name="auth-verify"),
    path("logout", views.LogoutView.as_view(), name="auth-logout"),
    path("session", views.SessionView.as_view(), name="auth-session"),
    path("sign-in", pages.SignInPage.as_view(), name="auth-sign-in"),
    path("sign-out", pages.SignOutPage.as_view(), name="auth-sign-out"),
]
