"""The Django project: settings, the URL map, the outer edge of every request."""
