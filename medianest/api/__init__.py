"""What the endpoints of every app share: envelope, errors, fields, throttling, pages, middleware.

Imports no app. Apps plug in through the settings of Django and DRF, and `limits.use_requests`.
"""
