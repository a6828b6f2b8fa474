"""Create the users of the demo, whose passwords are public, in the demo's database only."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from accounts.models import User
from plex_integration.configuration.models import PlexConnection, ViewerSettings

DATABASE = "demo.sqlite3"
# name: password, administrator
USERS = {"admin": ("medianest-admin", True), "demo": ("medianest-demo", False)}


class Command(BaseCommand):
    """Create the users of `make demo`, or reset their passwords.

    The saved connection is deleted, so that the next start uses the current PLEX_URL.
    """

    help = "Create the demo's users, whose passwords are public. Refuses any other database."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--plex-sign-in",
            action="store_true",
            help="let every account with access to Plex sign in and become a user",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if Path(str(connection.settings_dict["NAME"])).name != DATABASE:
            raise CommandError(f"This is not the demo's database: it is not named {DATABASE}.")
        PlexConnection.objects.all().delete()
        ViewerSettings(create_users=options["plex_sign_in"]).save()
        for name, (password, is_admin) in USERS.items():
            user, _ = User.objects.get_or_create(username=name)
            user.is_staff = user.is_superuser = is_admin
            user.is_active = True
            if not user.check_password(password):
                user.set_password(password)
            user.save()
