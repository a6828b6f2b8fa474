"""What the endpoints of every app share: envelope, errors, fields, throttling, pages, middleware.

Imports no app. An app plugs in through Django's and DRF's own settings.
"""
