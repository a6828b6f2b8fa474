"""The version of what is cached in the store.

It is part of the keys of cached responses and known requests, so two releases that write them
differently can run on one Redis, as during a rolling upgrade: each has its own. All that must count
or change for both has no version: limits, token stamps, tag versions, locks of writes, records of
idempotent requests.
"""

VERSION = 1
"""Raise it when the bytes of an entry or of a known request change, or what they mean.

`tests/caching/test_layout.py` fails if the bytes change without it. The structure of the payload
is a part of each key anyway (`Payload.shape`).
"""
