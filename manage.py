#!/usr/bin/env python
"""Run Django's commands for this project."""

import json
import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "medianest.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        # Without settings there is no `doctor` that could say so.
        if "doctor" in sys.argv and "--json" in sys.argv:
            line = {"check": "Settings", "state": "problem", "text": f"{error}."}
            sys.stdout.write(json.dumps({"ok": False, "checks": [line]}) + "\n")
        sys.exit(f"The settings cannot be used: {error}.")
