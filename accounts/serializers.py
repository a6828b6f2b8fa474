"""Request bodies and payloads of the sign-in endpoints."""

from rest_framework import serializers

from medianest.api.fields import Instant, RequestText
from medianest.api.serializers import Body


class SignInBody(Body):
    """A user name and a password."""

    username = RequestText(max_length=150)
    password = RequestText(max_length=128, trim_whitespace=False)


class RefreshTokenBody(Body):
    """A refresh token."""

    refresh = RequestText(max_length=4096)


class VerifyTokenBody(Body):
    """An access or a refresh token."""

    token = RequestText(max_length=4096)


class TokenPairPayload(serializers.Serializer[object]):
    """A new pair; `expiresIn` is the lifetime of the access token in seconds."""

    access = serializers.CharField()
    refresh = serializers.CharField()
    expiresIn = serializers.IntegerField()


class TokenInfoPayload(serializers.Serializer[object]):
    """The type of a valid token, and when it expires."""

    tokenType = serializers.ChoiceField(choices=["access", "refresh"])
    expiresAt = Instant()


class UserPayload(serializers.Serializer[object]):
    """The user who is signed in."""

    id = serializers.IntegerField()
    username = serializers.CharField()
    email = serializers.CharField()
    isStaff = serializers.BooleanField(source="is_staff")


class SessionPayload(serializers.Serializer[object]):
    """The signed-in user, and when the access token expires."""

    user = UserPayload()
    expiresAt = Instant()


class EmptyPayload(serializers.Serializer[object]):
    """An empty payload: the request succeeded."""
