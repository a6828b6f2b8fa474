"""The users' room in the admin; issued tokens have none, since nothing shows a token."""

from typing import TYPE_CHECKING

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

from accounts.models import User

# Django's own is generic for type checkers alone.
if TYPE_CHECKING:
    Admin = UserAdmin[User]
else:
    Admin = UserAdmin


@admin.register(User)
class UsersAdmin(Admin):
    """Django's own users, whose tokens can be revoked."""

    actions = ["revoke_all_tokens"]

    @admin.action(description="Revoke all tokens of selected users", permissions=["change"])
    def revoke_all_tokens(self, request: HttpRequest, users: QuerySet[User]) -> None:
        """Refuse every token that these users hold; each gets a line in the log."""
        for user in users:
            user.revoke_tokens()
            self.log_change(request, user, "Revoked all tokens.")
        messages.success(
            request,
            f"All tokens of {users.count()} user(s) are refused everywhere within 30 seconds.",
        )


admin.site.unregister([BlacklistedToken, OutstandingToken])
