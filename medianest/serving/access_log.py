"""Write one line for every request, where LOG_FORMAT is json.

It is written in the event loop: whoever reads the log must not let it wait.
"""

import logging

from medianest.logs import FIELDS
from medianest.serving.finished_requests import FinishedRequest

log = logging.getLogger("medianest.access")


def write(request: FinishedRequest) -> None:
    """Write the line of a request."""
    fields = {
        "requestId": request.request_id or None,
        "userId": request.user_id or None,
        "endpoint": request.endpoint or None,
        "method": request.method,
        "status": request.status,
        "cacheStatus": request.cache_status or None,
        "milliseconds": round(request.seconds * 1000, 1),
    }
    endpoint, status = request.endpoint or "-", request.status or "-"
    log.info("%s %s %s", request.method, endpoint, status, extra={FIELDS: fields})
