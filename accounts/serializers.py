"""What the sign-in endpoints take and answer."""

from rest_framework import serializers

from medianest.api.fields import Instant
from medianest.api.serializers import Body


class Credentials(Body):
    """A name and a password."""

    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=128, trim_whitespace=False)


class RefreshBody(Body):
    """A refresh token."""

    refresh = serializers.CharField(max_length=4096)


class TokenBody(Body):
    """A token of either kind."""

    token = serializers.CharField(max_length=4096)


class TokenPairPayload(serializers.Serializer[object]):
    """A fresh pair; `expiresIn` is the access token's life in seconds."""

    access = serializers.CharField()
    refresh = serializers.CharField()
    expiresIn = serializers.IntegerField()


class TokenPayload(serializers.Serializer[object]):
    """What a good token is, and when it ends."""

    tokenType = serializers.ChoiceField(choices=["access", "refresh"])
    expiresAt = Instant()


class UserPayload(serializers.Serializer[object]):
    """The user who is signed in."""

    id = serializers.IntegerField()
    username = serializers.CharField()
    email = serializers.CharField()
    isStaff = serializers.BooleanField(source="is_staff")


class SessionPayload(serializers.Serializer[object]):
    """Who is signed in, and until when this access token is good."""

    user = UserPayload()
    expiresAt = Instant()


class EmptyPayload(serializers.Serializer[object]):
    """Nothing to say but success."""
