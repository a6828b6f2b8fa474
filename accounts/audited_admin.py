"""Pages of the admin whose changes are part of the audit, with old and new values."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.forms import ReadOnlyPasswordHashField
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from accounts import audit
from accounts.audit import AuditEntry

PRIVATE_FIELDS = frozenset({"email", "authority"})
"""Fields whose values are not recorded: mail addresses, and certificates for their length."""


class AuditedAdmin(admin.ModelAdmin):  # type: ignore[type-arg] # generic in the stubs only
    """A page of the admin. What it logs is recorded in the audit as well."""

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        entry = super().log_addition(request, obj, message)
        audit.record(request.user, AuditEntry.Action.ADDED, obj, _text(message), request)
        return entry

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        entry = super().log_change(request, obj, message)
        audit.record(request.user, AuditEntry.Action.CHANGED, obj, _text(message), request)
        return entry

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        for each in queryset:
            audit.record(request.user, AuditEntry.Action.DELETED, each, "", request)
        return super().log_deletions(request, queryset)

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> Any:
        """Return the changes with old and new values, without those of secret fields."""
        if add:
            return super().construct_change_message(request, form, formsets, add)
        return " ".join(_changes(form)) or "No changes."


def _text(message: Any) -> str:
    """Return a message for the log; what Django itself says about an addition is no message."""
    return message if isinstance(message, str) else ""


def _changes(form: Any) -> Iterator[str]:
    for name in form.changed_data:
        field = form.fields.get(name)
        label = _label(form, name)
        if field is None or _is_secret(name, field):
            yield f"{label} changed."
        else:
            before, after = form.get_initial_for_field(field, name), form.cleaned_data.get(name)
            yield f"{label}: {_shown(field, before)} → {_shown(field, after)}."


def _label(form: Any, name: str) -> str:
    field = form.fields.get(name)
    words = (field.label if field else None) or name.replace("_", " ")
    return str(words[:1].upper() + words[1:])


def _is_secret(name: str, field: forms.Field) -> bool:
    hidden = isinstance(field.widget, forms.PasswordInput)
    return hidden or isinstance(field, ReadOnlyPasswordHashField) or name in PRIVATE_FIELDS


def _shown(field: forms.Field, value: Any) -> str:
    if isinstance(field, forms.ModelMultipleChoiceField):
        return ", ".join(sorted(str(each) for each in value or ())) or "none"
    if isinstance(value, bool):
        return "on" if value else "off"
    choices = dict(getattr(field, "choices", ()))
    return str(choices.get(value, value)) if value not in (None, "") else "empty"
