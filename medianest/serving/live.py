"""Answer `/health/live` in the event loop: it must respond however busy all threads are."""

from medianest.api import renderers
from medianest.api.middleware import identify
from medianest.serving.request_head import RequestHead
from medianest.serving.responses import (
    Application,
    PlainResponse,
    Receive,
    Scope,
    Send,
    add_facts,
    around,
)

LIVE_PATH = "/api/v1/health/live"
_ALIVE = b'{"status":"alive"}'


class LiveLayer:
    """Answer whether the process is alive, as `medianest.health.LiveView` does."""

    def __init__(self, app: Application) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = _response(scope) if scope["path"].endswith(LIVE_PATH) else None
        if response is None:
            await self._app(scope, receive, send)
        else:
            add_facts(scope, response)
            await response.send(send)


def _response(scope: Scope) -> PlainResponse | None:
    head = RequestHead.of_scope(scope)
    if head is None or head.path != LIVE_PATH or not head.wants_json:
        return None
    outer = around(head, 200, "Accept")
    if outer is None:
        return None
    identity = identify(head.headers.get("x-request-id"), "health-live")
    body = renderers.success(_ALIVE, renderers.metadata_of(identity))
    headers = [
        ("Content-Type", "application/json"),
        ("Allow", "GET, HEAD, OPTIONS"),
        ("Content-Length", str(len(body))),
        ("X-Request-ID", identity),
    ]
    return PlainResponse(200, headers, body, outer, "health-live")
