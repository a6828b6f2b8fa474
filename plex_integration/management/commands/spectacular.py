"""Write the OpenAPI document, in less YAML than drf-spectacular's command does."""

from typing import Any

from drf_spectacular.management.commands import spectacular

from plex_integration.openapi.renderers import YamlRenderer


class Command(spectacular.Command):
    """drf-spectacular's command with the YAML that the service itself sends."""

    def get_renderer(self, output_format: str) -> Any:
        """Return what writes the document."""
        if output_format == "openapi":
            return YamlRenderer()
        return super().get_renderer(output_format)  # type: ignore[no-untyped-call]
