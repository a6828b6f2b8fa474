"""Read bodies without a declared length under WSGI, where Django reads as much as is declared."""

from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any

from medianest.api.exceptions import PayloadTooLarge
from medianest.serving.bodies import MAX_BODY_BYTES
from medianest.serving.request_head import RequestHead
from medianest.serving.responses import problem_response

WsgiApplication = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class ChunkedBodies:
    """Pass requests on with the length of their body; answer 413 where it is too large.

    Only a server that sets `wsgi.input_terminated` says where such a body ends.
    """

    def __init__(self, app: WsgiApplication) -> None:
        self._app = app

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        if "HTTP_TRANSFER_ENCODING" in environ and environ.get("wsgi.input_terminated"):
            body = environ["wsgi.input"].read(MAX_BODY_BYTES + 1)
            if len(body) > MAX_BODY_BYTES:
                head = RequestHead.of_environ(environ)
                return problem_response(head, PayloadTooLarge()).start(start_response)
            environ |= {"wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        return self._app(environ, start_response)
