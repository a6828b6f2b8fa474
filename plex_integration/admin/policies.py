"""Cache times and rate limits: the current values beside the documented ones, on one page."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Model
from django.forms.boundfield import BoundField
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from accounts.audited_admin import AuditedAdmin
from accounts.throttling import BAD_TOKENS, FAILED_SIGN_INS
from accounts.throttling import LIMITS as SIGN_IN_LIMITS
from medianest.api.limits import WINDOW, Limit
from plex_integration import policies
from plex_integration.admin.labels import ENDPOINT_LABELS, duration
from plex_integration.configuration.models import PolicyChange
from plex_integration.policies import ENDPOINTS, LIMITS, Policy

Kind = PolicyChange.Kind

MAX_SECONDS = 24 * 3600
MAX_REQUESTS = 10_000
BOUNDS = {Kind.TTL: (0, MAX_SECONDS), Kind.RATE: (1, MAX_REQUESTS)}
UNITS = {Kind.TTL: "seconds", Kind.RATE: "requests per minute"}
TITLES = {Kind.TTL: "cache time of {}", Kind.RATE: "rate limit “{}”"}

LIMIT_LABELS = {
    policies.SERVER_INFO: "Server information",
    policies.LIBRARY_OPERATIONS: "Library operations",
    policies.SEARCHES: "Search",
    policies.RECENT: "Recently added",
    policies.COLLECTION_OPERATIONS: "Collections and playlists",
    policies.WRITES: "Writes",
    policies.IMAGES: "Images",
    policies.PLEX_PINS: "Sign-ins with Plex",
    policies.HOME_PINS: "Wrong Plex Home PINs",
    FAILED_SIGN_INS: "Failed sign-ins",
    BAD_TOKENS: "Bad tokens",
}
LIMIT_NOTES = {
    policies.WRITES: "all writes, including dry runs",
    policies.IMAGES: "per user, or per address for signed links",
    policies.PLEX_PINS: "per address",
    policies.HOME_PINS: "per user",
    FAILED_SIGN_INS: "per address, and per user name",
    BAD_TOKENS: "per address",
}


@dataclass(frozen=True)
class Setting:
    """A number that an operator can change; `documented` is its value without a change."""

    kind: PolicyChange.Kind
    name: str
    documented: int
    label: str
    note: str = ""

    @property
    def field(self) -> str:
        """The name of its form field."""
        return f"{self.kind.value}-{self.name}"

    @property
    def title(self) -> str:
        """What it is called within a sentence."""
        return TITLES[self.kind].format(self.label)

    @property
    def unit(self) -> str:
        """What its number counts."""
        return UNITS[self.kind]

    @property
    def duration(self) -> str:
        """The documented time in words; "" for a rate limit."""
        return duration(self.documented) if self.kind == Kind.TTL else ""


def _cache_time(policy: Policy) -> Setting:
    return Setting(Kind.TTL, policy.name, policy.ttl, ENDPOINT_LABELS[policy.name])


def _rate_limit(limit: Limit) -> Setting:
    paths = [ENDPOINT_LABELS[each.name] for each in policies.POLICIES if each.limit is limit]
    note = LIMIT_NOTES.get(limit) or ", ".join(paths)
    return Setting(Kind.RATE, limit.scope, limit.requests, LIMIT_LABELS[limit], note)


SETTINGS = (*map(_cache_time, ENDPOINTS), *map(_rate_limit, (*LIMITS, *SIGN_IN_LIMITS)))


class PoliciesForm(forms.Form):
    """One number per setting; the initial values are the current ones."""

    def __init__(self, data: Any = None) -> None:
        changed = {
            f"{kind}-{name}": value
            for kind, name, value in PolicyChange.objects.values_list("kind", "name", "value")
        }
        initial = {each.field: changed.get(each.field, each.documented) for each in SETTINGS}
        super().__init__(data, initial=initial)
        self.fields |= {each.field: _number_field(each) for each in SETTINGS}

    def rows(self, kind: PolicyChange.Kind) -> Iterator[tuple[Setting, BoundField, str, bool]]:
        """Return each setting of a kind: its field, its current value in words, whether it differs.

        The words are those of a cache time; `durations.js` updates them while somebody types.
        """
        for each in SETTINGS:
            if each.kind == kind:
                current = self.initial[each.field]
                yield each, self[each.field], duration(current), current != each.documented

    def values(self) -> Mapping[Setting, int]:
        """Return the submitted values of a valid form."""
        return {each: self.cleaned_data[each.field] for each in SETTINGS}


def _number_field(setting: Setting) -> forms.IntegerField:
    lowest, highest = BOUNDS[setting.kind]
    label = f"{setting.label}, {setting.unit}"
    field = forms.IntegerField(label=label, min_value=lowest, max_value=highest)
    field.widget.attrs["aria-label"] = label
    return field


@admin.register(PolicyChange)
class PoliciesAdmin(AuditedAdmin):
    """One page instead of a list of rows: a setting without a row has its documented value."""

    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def change_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Go to the page of all settings: a single row has none."""
        return HttpResponseRedirect("../../")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show all settings; with POST, save them or reset some."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return self._page(request, PoliciesForm())
        if not self.has_change_permission(request):
            raise PermissionDenied
        if reset := request.POST.get("reset"):
            return self._save(request, _documented(reset))
        form = PoliciesForm(request.POST)
        return self._save(request, form.values()) if form.is_valid() else self._page(request, form)

    def _page(self, request: HttpRequest, form: PoliciesForm) -> HttpResponse:
        return TemplateResponse(
            request,
            "admin/plex_integration/policychange/page.html",
            {
                **self.admin_site.each_context(request),
                "title": "Cache times and rate limits",
                "opts": self.opts,
                "form": form,
                "ttls": list(form.rows(Kind.TTL)),
                "rates": list(form.rows(Kind.RATE)),
                "window": WINDOW,
                "max_seconds": MAX_SECONDS,
                "max_requests": MAX_REQUESTS,
                "may_change": self.has_change_permission(request),
            },
        )

    def _save(self, request: HttpRequest, values: Mapping[Setting, int]) -> HttpResponse:
        """Save the values that differ from the current ones, and report their number."""
        with transaction.atomic():
            saved = sum([self._change(request, *value) for value in values.items()])
        settings = "1 setting" if saved == 1 else f"{saved} settings"
        messages.success(
            request, f"{settings} saved. Takes effect within 5 seconds." if saved else "No changes."
        )
        return HttpResponseRedirect(request.path)

    def _change(self, request: HttpRequest, setting: Setting, number: int) -> bool:
        """Change a setting and log it; tell whether it had another value."""
        row = PolicyChange.objects.filter(kind=setting.kind, name=setting.name).first()
        before = row.value if row else setting.documented
        if number == before:
            return False
        row = row or PolicyChange(kind=setting.kind, name=setting.name)
        row.value = number
        row.save()
        is_reset = number == setting.documented
        verb = "Reset" if is_reset else "Changed"
        change = f"{verb} {setting.title} from {before} to {number} {setting.unit}."
        self.log_change(request, row, change)
        if is_reset:
            row.delete()
        return True


def _documented(field: str) -> Mapping[Setting, int]:
    """Return the documented value of a form field's setting, or of "all" settings."""
    return {each: each.documented for each in SETTINGS if field in (each.field, "all")}
