"""The sign-in endpoints. Each has one method."""

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
    EmptyPayload,
    RefreshTokenBody,
    SessionPayload,
    SignInBody,
    TokenInfoPayload,
    TokenPairPayload,
    VerifyTokenBody,
)
from accounts.throttling import SignInAttempt
from medianest.api.fields import iso_instant


class _Public(APIView):
    """An endpoint whose credentials are in the body.

    It ignores the `Authorization` header, in which a client may still send an expired token.
    """

    tag = "Sign-in"
    authentication_classes = []
    permission_classes = [AllowAny]

    @property
    def default_response_headers(self) -> dict[str, str]:
        """The headers of every response: nobody may store a token (RFC 6749 section 5.1)."""
        return {**super().default_response_headers, "Cache-Control": "no-store"}


class TokenView(_Public):
    """`/auth/token`"""

    @extend_schema(request=SignInBody, responses=TokenPairPayload, operation_id="signIn")
    def post(self, request: Request) -> Response:
        """Sign in.

        Get an access and a refresh token for a user name and a password.
        """
        credentials = SignInBody.of(request)
        attempt = SignInAttempt(request._request, credentials["username"])
        attempt.begin()
        user = None
        try:
            user = authenticate(request, **credentials)
        finally:
            attempt.end(failed=user is None)
        if not isinstance(user, User):
            raise AuthenticationFailed("The username or password is wrong.")
        return Response(TokenPairPayload(tokens.sign_in(user)).data)


class TokenRefreshView(_Public):
    """`/auth/token/refresh`"""

    @extend_schema(
        request=RefreshTokenBody, responses=TokenPairPayload, operation_id="refreshToken"
    )
    def post(self, request: Request) -> Response:
        """Renew the tokens.

        Get a new pair for a refresh token, which cannot be used again.
        """
        pair = _accepted(tokens.rotate, RefreshTokenBody.of(request)["refresh"])
        return Response(TokenPairPayload(pair).data)


class TokenVerifyView(_Public):
    """`/auth/token/verify`"""

    @extend_schema(request=VerifyTokenBody, responses=TokenInfoPayload, operation_id="verifyToken")
    def post(self, request: Request) -> Response:
        """Check a token.

        Tell the type of an access or refresh token that is valid, and when it expires.
        """
        raw = VerifyTokenBody.of(request)["token"]
        try:
            token = tokens.read(raw, tokens.AccessToken)
        except tokens.TokenRefused:
            token = _accepted(tokens.read, raw, tokens.RefreshToken)
        _accepted(tokens.bearer, token)
        payload = {
            "tokenType": token.token_type,
            "expiresAt": iso_instant(tokens.expires_at(token)),
        }
        return Response(TokenInfoPayload(payload).data)


class LogoutView(_Public):
    """`/auth/logout`"""

    @extend_schema(request=RefreshTokenBody, responses=EmptyPayload, operation_id="signOut")
    def post(self, request: Request) -> Response:
        """Sign out.

        Revoke a refresh token. Its access token expires within 15 minutes.
        """
        _accepted(tokens.revoke, RefreshTokenBody.of(request)["refresh"])
        return Response(EmptyPayload({}).data)


class SessionView(APIView):
    """`/auth/session`"""

    tag = "Sign-in"

    @extend_schema(responses=SessionPayload, operation_id="getSession")
    def get(self, request: Request) -> Response:
        """Get the signed-in user.

        And when the access token expires.
        """
        expires = (
            tokens.expires_at(request.auth)
            if request.auth
            else request._request.session.get_expiry_date()
        )
        payload = {"user": request.user, "expiresAt": iso_instant(expires)}
        return Response(SessionPayload(payload).data)


def _accepted(function: Callable[..., Any], *arguments: Any) -> Any:
    """Return the result of a function of `tokens`. Raises AuthenticationFailed for TokenRefused."""
    try:
        return function(*arguments)
    except tokens.TokenRefused:
        raise AuthenticationFailed("The token is not valid.") from None
