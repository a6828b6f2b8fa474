"""The OpenAPI document as a page: what it is, where to read it, how to fetch it, and its text."""

import json
from collections.abc import Mapping
from typing import Any

from django.template.loader import render_to_string
from rest_framework.renderers import BaseRenderer


class SchemaPage(BaseRenderer):
    """Render the document for a browser, which would only offer it as a download."""

    media_type = "text/html"
    format = "html"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> str:
        context = {
            "title": "OpenAPI document",
            "version": data["openapi"],
            "info": data["info"],
            "count": sum(len(item) for item in data["paths"].values()),
            "text": json.dumps(data, indent=2, ensure_ascii=False),
        }
        request = renderer_context["request"] if renderer_context else None
        return render_to_string("plex_integration/schema.html", context, request)
