"""The pages of users and of issued tokens in the admin. Nothing shows a token."""

from datetime import datetime

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

from accounts.models import User

RIGHTS = ("is_superuser", "groups", "user_permissions")
"""The fields that give rights."""


@admin.register(User)
class UsersAdmin(UserAdmin):  # type: ignore[type-arg] # generic in the stubs only
    """Django's own page for users, with an action that revokes their tokens.

    Only superusers give rights, and only they change superusers: otherwise a member of the staff
    who may change users could take every right.
    """

    actions = ["revoke_all_tokens"]

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        """Return the fields that this user cannot change."""
        fields = tuple(super().get_readonly_fields(request, obj))
        return fields if request.user.is_superuser else (*fields, *RIGHTS)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Tell whether this user may change users, or one of them."""
        return super().has_change_permission(request, obj) and _is_within_reach(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Tell whether this user may delete users, or one of them."""
        return super().has_delete_permission(request, obj) and _is_within_reach(request, obj)

    @admin.action(description="Revoke all tokens of selected users", permissions=["change"])
    def revoke_all_tokens(self, request: HttpRequest, users: QuerySet[User]) -> None:
        """Revoke every token of these users, and log it for each of them."""
        allowed = [user for user in users if _is_within_reach(request, user)]
        for user in allowed:
            user.revoke_tokens()
            self.log_change(request, user, "Revoked all tokens.")
        count = len(allowed)
        owners = "1 user" if count == 1 else f"{count} users"
        messages.success(request, f"All tokens of {owners} revoked.")


class _TokensAdmin(admin.ModelAdmin):  # type: ignore[type-arg] # generic in the stubs only
    """A list of whose tokens there are, without the tokens and their ids.

    A single token has no page: Django's would show the id in its title.
    """

    actions = None
    list_display_links = None
    show_full_result_count = False

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return obj is None and super().has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


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


def _is_within_reach(request: HttpRequest, user: User | None) -> bool:
    """Tell whether the user of a request may change another: a superuser only as a superuser."""
    return user is None or not user.is_superuser or bool(request.user.is_superuser)


# SimpleJWT's own pages show the ids, and let an operator delete what makes a token invalid.
admin.site.unregister([BlacklistedToken, OutstandingToken])
admin.site.register(OutstandingToken, OutstandingTokensAdmin)
admin.site.register(BlacklistedToken, BlacklistedTokensAdmin)
