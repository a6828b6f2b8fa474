"""The Django project: settings, URLs, and what all apps share (`api`, `store`)."""
