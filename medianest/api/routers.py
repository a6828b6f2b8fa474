"""A DRF router for an API in which every path has a viewset of its own."""

from rest_framework.routers import Route, SimpleRouter


class PathRouter(SimpleRouter):
    """Route the standard actions of a viewset at exactly the path it is registered for.

    The path is a Django path, the basename is the URL's name. A viewset has either `list` or
    `retrieve` for GET.
    """

    routes = [
        Route(
            url="{prefix}",
            mapping={"get": "list", "post": "create"},
            name="{basename}",
            detail=False,
            initkwargs={},
        ),
        Route(
            url="{prefix}",
            mapping={
                "get": "retrieve",
                "put": "update",
                "patch": "partial_update",
                "delete": "destroy",
            },
            name="{basename}",
            detail=True,
            initkwargs={},
        ),
    ]

    def __init__(self) -> None:
        super().__init__(trailing_slash=False, use_regex_path=False)
