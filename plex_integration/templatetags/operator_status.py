"""Template tags of the operator's pages: the banner, and the status of the service."""

import time
from typing import Any

from django import template

from plex_integration.admin import labels
from plex_integration.admin.service import banner, view

register = template.Library()


@register.inclusion_tag("admin/plex_integration/service/banner.html", takes_context=True)
def problem_banner(context: Any) -> dict[str, Any]:
    """Show what is wrong now, to signed-in staff."""
    user: Any = getattr(context.get("request"), "user", None)
    is_operator = user is not None and user.is_active and user.is_staff
    return {"problems": banner.problems(user) if is_operator else []}


@register.inclusion_tag("admin/plex_integration/service/status.html", takes_context=True)
def service_status(context: Any) -> dict[str, Any]:
    """Show the status of the service, to staff who may see it."""
    request = context["request"]
    return view.status(request) if view.may_see(request) else {}


@register.filter
def age_since(epoch_seconds: float) -> str:
    """Return about how long ago a moment was."""
    return labels.age(time.time() - epoch_seconds)


register.filter("age", labels.age)
register.filter("milliseconds", labels.milliseconds)
