"""The pages of issued and used tokens in the admin. Nothing shows a token."""

from datetime import datetime

from django.contrib import admin
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

from accounts.models import User
from accounts.read_only_admin import ReadOnlyListAdmin


class _TokensAdmin(ReadOnlyListAdmin):
    """A list of whose tokens there are, without the tokens and their ids.

    A single token has no page: Django's would show the id in its title.
    """

    show_full_result_count = False


class OutstandingTokensAdmin(_TokensAdmin):
    """The refresh tokens that have been issued and have not expired for long."""

    list_display = ("user", "created_at", "expires_at")
    list_select_related = ("user",)
    search_fields = ("user__username",)
    ordering = ("-created_at",)


class BlacklistedTokensAdmin(_TokensAdmin):
    """The refresh tokens that have been used or revoked."""

    list_display = ("user", "blacklisted_at", "expires_at")
    list_select_related = ("token__user",)
    search_fields = ("token__user__username",)
    ordering = ("-blacklisted_at",)

    @admin.display(ordering="token__user__username")
    def user(self, token: BlacklistedToken) -> User | None:
        """Return the user whose token it was; None for one who was deleted."""
        return token.token.user

    @admin.display(ordering="token__expires_at")
    def expires_at(self, token: BlacklistedToken) -> datetime:
        """Return when the token expires."""
        return token.token.expires_at


# SimpleJWT's own pages show the ids, and let an operator delete what makes a token invalid.
admin.site.unregister([BlacklistedToken, OutstandingToken])
admin.site.register(OutstandingToken, OutstandingTokensAdmin)
admin.site.register(BlacklistedToken, BlacklistedTokensAdmin)
