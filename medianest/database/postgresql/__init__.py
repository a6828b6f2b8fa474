"""Django's backend for PostgreSQL, with a bound on how long a request waits for the server.

base          the backend, as Django names it (`ENGINE`)
availability  while the server does not answer, one thread at a time tries to connect again
"""
