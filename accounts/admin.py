"""The users' page in the admin. Issued tokens have no page: nothing shows a token."""

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

from accounts.models import User


@admin.register(User)
class UsersAdmin(UserAdmin):  # type: ignore[type-arg] # generic in the stubs only
    """Django's own page for users, with an action that revokes their tokens."""

    actions = ["revoke_all_tokens"]

    @admin.action(description="Revoke all tokens of selected users", permissions=["change"])
    def revoke_all_tokens(self, request: HttpRequest, users: QuerySet[User]) -> None:
        """Revoke every token of these users, and log it for each of them."""
        for user in users:
            user.revoke_tokens()
            self.log_change(request, user, "Revoked all tokens.")
        count = users.count()
        owners = "1 user" if count == 1 else f"{count} users"
        messages.success(request, f"All tokens of {owners} revoked.")


admin.site.unregister([BlacklistedToken, OutstandingToken])
