"""Let SIGTERM end a worker of Granian that still loads the service."""

import signal

_MAIN_PROCESS = "granian.server.common"
"""Where Granian has the handler of its main process."""


def end_at_sigterm() -> None:
    """Let SIGTERM end this process until the server has set a handler of its own.

    Granian forks its workers, so they begin with the handler of its main process, which changes
    nothing here. SIGTERM would be lost: Granian would wait for this worker until its kill timeout
    is over, and then kill it, with the requests that it has accepted meanwhile.
    """
    if getattr(signal.getsignal(signal.SIGTERM), "__module__", "") == _MAIN_PROCESS:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
