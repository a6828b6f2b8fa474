"""How requests reach Django under ASGI, so that nothing slow or silent holds anybody else up.

A request passes these from the top down; each one answers it or passes it on:

lifespan       starts and ends the process in order; ends open event streams
live           `/health/live`, answered in the event loop
(fast path)    cached responses, answered in the event loop: `plex_integration.caching.fast_path`
bodies         reads the body: not more than `MAX_BODY_BYTES`, not longer than `BODY_SECONDS`
handler        runs Django in threads: few for what needs no other server, more for what waits for
               one
threads        a bounded set of threads with a bounded queue
upstream       whether the current request may wait for another server

early_signals  lets SIGTERM end a worker that still loads the service
request_head   a request before Django: method, path, and the headers that decide
responses      a whole response from the event loop, and an error in the envelope
chunked_bodies bodies without a declared length, under WSGI
outer_headers  the headers that the middleware sets, for responses that do not pass it
"""
