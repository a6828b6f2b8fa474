"""Times to live and limits: the values in force beside the documented ones, all on one page."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Model
from django.forms.boundfield import BoundField
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from plex_integration.configuration.models import PolicyChange
from plex_integration.policies import ENDPOINTS, LIMITS, WINDOW

# Django's own is generic for type checkers alone.
if TYPE_CHECKING:
    Admin = admin.ModelAdmin[PolicyChange]
else:
    Admin = admin.ModelAdmin

Kind = PolicyChange.Kind

MOST_SECONDS = 24 * 3600
MOST_REQUESTS = 10_000
BOUNDS = {Kind.TTL: (0, MOST_SECONDS), Kind.RATE: (1, MOST_REQUESTS)}


@dataclass(frozen=True)
class Value:
    """One documented value: whose it is, and who shares it."""

    kind: PolicyChange.Kind
    name: str
    documented: int
    shared: Sequence[str] = ()

    @property
    def field(self) -> str:
        return f"{self.kind.value}-{self.name}"

    @property
    def label(self) -> str:
        unit = "seconds" if self.kind == Kind.TTL else "requests a minute"
        return f"{self.name}, {unit}"


VALUES = (
    *(Value(Kind.TTL, each.name, each.ttl) for each in ENDPOINTS),
    *(
        Value(
            Kind.RATE,
            limit.scope,
            limit.requests,
            tuple(each.name for each in ENDPOINTS if each.limit is limit),
        )
        for limit in LIMITS
    ),
)


class PoliciesForm(forms.Form):
    """A number per value; it begins with what is in force."""

    def __init__(self, data: Any = None) -> None:
        changed = {
            f"{kind}-{name}": value
            for kind, name, value in PolicyChange.objects.values_list("kind", "name", "value")
        }
        super().__init__(
            data, initial={each.field: changed.get(each.field, each.documented) for each in VALUES}
        )
        for each in VALUES:
            lowest, highest = BOUNDS[each.kind]
            self.fields[each.field] = forms.IntegerField(
                label=each.label, min_value=lowest, max_value=highest
            )
            self.fields[each.field].widget.attrs["aria-label"] = each.label

    def rows(self, kind: PolicyChange.Kind) -> Iterator[tuple[Value, BoundField, bool]]:
        """Give each value of a kind, its field, and whether it differs from the documented one."""
        for each in VALUES:
            if each.kind == kind:
                yield each, self[each.field], self.initial[each.field] != each.documented


@admin.register(PolicyChange)
class PoliciesAdmin(Admin):
    """One page instead of a list of rows: what has no row has its documented value."""

    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def change_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the page: a row alone has none."""
        return HttpResponseRedirect("../../")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show all values; save them, or set some back."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = PoliciesForm()
        if request.method == "POST":
            if not self.has_change_permission(request):
                raise PermissionDenied
            wanted = None
            if back := request.POST.get("back"):
                wanted = {each: each.documented for each in VALUES if back in (each.field, "all")}
            else:
                form = PoliciesForm(request.POST)
                if form.is_valid():
                    wanted = {each: form.cleaned_data[each.field] for each in VALUES}
            if wanted is not None:
                changes = self._change(request, wanted)
                messages.success(
                    request,
                    f"{changes} changed; in force within 5 seconds."
                    if changes
                    else "Nothing was changed.",
                )
                return HttpResponseRedirect(request.path)
        return TemplateResponse(
            request,
            "admin/plex_integration/policychange/page.html",
            {
                **self.admin_site.each_context(request),
                "title": "Policies",
                "opts": self.opts,
                "form": form,
                "ttls": list(form.rows(Kind.TTL)),
                "rates": list(form.rows(Kind.RATE)),
                "window": WINDOW,
                "may_change": self.has_change_permission(request),
            },
        )

    @transaction.atomic
    def _change(self, request: HttpRequest, wanted: dict[Value, int]) -> int:
        """Let these values be in force; note each change in the admin's log; count them."""
        changes = 0
        for value, number in wanted.items():
            row = PolicyChange.objects.filter(kind=value.kind, name=value.name).first()
            before = row.value if row else value.documented
            if number == before:
                continue
            changes += 1
            row = row or PolicyChange(kind=value.kind, name=value.name)
            row.value = number
            row.save()
            note = f"{value.label}: from {before} to {number}"
            if number == value.documented:
                note += ", as documented"
            self.log_change(request, row, f"{note}.")
            if number == value.documented:
                row.delete()
        return changes
