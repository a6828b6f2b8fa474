"""The sign-in endpoints: one action each."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth import authenticate
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import tokens
from accounts.models import User
from accounts.serializers import (
    Credentials,
    EmptyPayload,
    RefreshBody,
    SessionPayload,
    TokenBody,
    TokenPairPayload,
    TokenPayload,
)
from accounts.throttling import SignInAttempt
from medianest.api.fields import iso_instant


class _Public(APIView):
    """An endpoint whose body is the proof: an old `Authorization` header must not stop it."""

    authentication_classes = []
    permission_classes = [AllowAny]


class TokenView(_Public):
    """Sign in."""

    @extend_schema(request=Credentials, responses=TokenPairPayload, operation_id="authToken")
    def post(self, request: Request) -> Response:
        """Trade a name and password for an access and a refresh token."""
        credentials = Credentials.of(request)
        attempt = SignInAttempt(request._request, credentials["username"])
        attempt.begin()
        user = None
        try:
            user = authenticate(request, **credentials)
        finally:
            attempt.end(failed=user is None)
        if not isinstance(user, User):
            raise AuthenticationFailed("The username or password is wrong.")
        return Response(TokenPairPayload(tokens.issue(user)).data)


class TokenRefreshView(_Public):
    """Renew."""

    @extend_schema(request=RefreshBody, responses=TokenPairPayload, operation_id="authRefresh")
    def post(self, request: Request) -> Response:
        """Trade a refresh token for a fresh pair; the old refresh token is refused afterwards."""
        pair = _accepted(tokens.rotate, RefreshBody.of(request)["refresh"])
        return Response(TokenPairPayload(pair).data)


class TokenVerifyView(_Public):
    """Verify."""

    @extend_schema(request=TokenBody, responses=TokenPayload, operation_id="authVerify")
    def post(self, request: Request) -> Response:
        """Say whether a token, access or refresh, would be accepted now."""
        raw = TokenBody.of(request)["token"]
        try:
            token = tokens.read(raw, tokens.AccessToken)
        except tokens.TokenRefused:
            token = _accepted(tokens.read, raw, tokens.RefreshToken)
        _accepted(tokens.bearer, token)
        answer = {
            "tokenType": token.token_type,
            "expiresAt": iso_instant(tokens.expires_at(token)),
        }
        return Response(TokenPayload(answer).data)


class LogoutView(_Public):
    """Sign out."""

    @extend_schema(request=RefreshBody, responses=EmptyPayload, operation_id="authLogout")
    def post(self, request: Request) -> Response:
        """Refuse a refresh token from now on; its access token ends within 15 minutes."""
        _accepted(tokens.revoke, RefreshBody.of(request)["refresh"])
        return Response(EmptyPayload({}).data)


class SessionView(APIView):
    """Who am I."""

    @extend_schema(responses=SessionPayload, operation_id="authSession")
    def get(self, request: Request) -> Response:
        """Tell who is signed in, and until when this access token is good."""
        ends = (
            tokens.expires_at(request.auth)
            if request.auth
            else request._request.session.get_expiry_date()
        )
        answer = {"user": request.user, "expiresAt": iso_instant(ends)}
        return Response(SessionPayload(answer).data)


def _accepted(act: Callable[..., Any], *given: Any) -> Any:
    try:
        return act(*given)
    except tokens.TokenRefused:
        raise AuthenticationFailed("The token is not valid.") from None
