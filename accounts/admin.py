"""The pages of users and groups in the admin. Nothing shows a token."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group
from django.db.models import Q, QuerySet
from django.http import HttpRequest

# Imported for their registration.
from accounts import audit_page as audit_page
from accounts import tokens_page as tokens_page
from accounts.audited_admin import AuditedAdmin
from accounts.models import User
from accounts.plex_links import PlexLink

RIGHTS = ("is_superuser", "groups", "user_permissions")
"""The fields that give rights."""

WRITE_PERMISSIONS = {
    "manage_collections": "may edit collections",
    "manage_playlists": "may edit playlists",
}

NOT_LINKED = "none"


class PlexAccountFilter(admin.SimpleListFilter):
    """Filter users by whether they have a Plex account, and whether it can be used."""

    title = "Plex account"
    parameter_name = "plex"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        return [(NOT_LINKED, "no Plex account"), *PlexLink.State.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        state = self.value()
        if state is None:
            return queryset
        is_wanted = Q(plex_link=None) if state == NOT_LINKED else Q(plex_link__state=state)
        return queryset.filter(is_wanted)


@admin.register(User)
class UsersAdmin(AuditedAdmin, UserAdmin):  # type: ignore[type-arg] # generic in the stubs only
    """Django's own page for users, with their Plex account, and actions that lock users out.

    Only superusers give rights, and only they change superusers: otherwise a member of the staff
    who may change users could take every right.
    """

    actions = ["deactivate", "revoke_all_tokens", "unlink_from_plex"]
    list_display = (
        "username",
        "is_active",
        "last_sign_in",
        "rights",
        "plex_account",
        "tokens_revoked",
    )
    list_filter = ("is_active", "is_staff", "is_superuser", "groups", PlexAccountFilter)
    list_select_related = ("plex_link",)
    readonly_fields = ("plex_account", "last_login", "tokens_revoked_at")
    fieldsets = (
        *UserAdmin.fieldsets,  # type: ignore[misc]
        ("Plex", {"fields": ("plex_account", "needs_own_view")}),
        ("Tokens", {"fields": ("tokens_revoked_at",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """Return the users with what their rights are made of: two queries for a whole page."""
        users: QuerySet[User] = super().get_queryset(request)
        return users.prefetch_related("user_permissions", "groups__permissions")

    @admin.display(description="Last sign-in (UTC)", ordering="last_login")
    def last_sign_in(self, user: User) -> str:
        """Return when the user signed in: here, with the API, or with Plex."""
        return _shown(user.last_login)

    @admin.display(description="Rights")
    def rights(self, user: User) -> str:
        """Say in words what the user may do besides reading."""
        if user.is_superuser:
            return "superuser"
        given = {each.codename for each in user.user_permissions.all()}
        for group in user.groups.all():
            given |= {each.codename for each in group.permissions.all()}
        words = ["staff"] if user.is_staff else []
        words += [text for name, text in WRITE_PERMISSIONS.items() if name in given]
        return ", ".join(words) or "may read"

    @admin.display(description="Plex account", ordering="plex_link__account_name")
    def plex_account(self, user: User) -> str:
        """Describe the link to Plex and its state, without tokens."""
        link: PlexLink | None = getattr(user, "plex_link", None)
        return "-" if link is None else link.description

    @admin.display(description="Tokens revoked", ordering="tokens_revoked_at")
    def tokens_revoked(self, user: User) -> str:
        """Return when all tokens of the user were revoked last."""
        return _shown(user.tokens_revoked_at)

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

    @admin.action(description="Deactivate selected users", permissions=["change"])
    def deactivate(self, request: HttpRequest, users: QuerySet[User]) -> None:
        """Deactivate these users, but not the one who does it; tokens stop working at once."""
        others = users.filter(is_active=True).exclude(username=request.user.get_username())
        count = self._each(request, others, _deactivate, "Deactivated.")
        messages.success(request, f"{count} deactivated.")

    @admin.action(description="Revoke all tokens of selected users", permissions=["change"])
    def revoke_all_tokens(self, request: HttpRequest, users: QuerySet[User]) -> None:
        """Revoke every token of these users."""
        count = self._each(request, users, User.revoke_tokens, "Revoked all tokens.")
        messages.success(request, f"All tokens of {count} revoked.")

    @admin.action(description="Unlink selected users from Plex", permissions=["change"])
    def unlink_from_plex(self, request: HttpRequest, users: QuerySet[User]) -> None:
        """Delete the links of these users."""
        linked = users.filter(plex_link__isnull=False)
        count = self._each(request, linked, _unlink, "Unlinked from {0.plex_link}.")
        messages.success(request, f"{count} unlinked from Plex.")

    def _each(
        self,
        request: HttpRequest,
        users: QuerySet[User],
        change: Callable[[User], object],
        message: str,
    ) -> str:
        """Change those users who are within reach, log it for each, and say how many."""
        allowed = [user for user in users if _is_within_reach(request, user)]
        for user in allowed:
            description = message.format(user)
            change(user)
            self.log_change(request, user, description)
        return "1 user" if len(allowed) == 1 else f"{len(allowed)} users"


def _shown(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment else "never"


def _deactivate(user: User) -> None:
    user.is_active = False
    user.save(update_fields=["is_active"])


def _unlink(user: User) -> None:
    user.plex_link.delete()


def _is_within_reach(request: HttpRequest, user: User | None) -> bool:
    """Tell whether the user of a request may change another: a superuser only as a superuser."""
    return user is None or not user.is_superuser or bool(request.user.is_superuser)


admin.site.unregister(Group)


@admin.register(Group)
class GroupsAdmin(AuditedAdmin, GroupAdmin):
    """Django's own page for groups."""
