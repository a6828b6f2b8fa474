"""The accounts app, and Django's admin with a sign-in that is rate-limited."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin


class AccountsConfig(AppConfig):
    """The app of users and tokens."""

    name = "accounts"


class SiteConfig(admin.AdminConfig):
    """Django's admin, with `accounts.site.Site` as its site."""

    default = False
    default_site = "accounts.site.Site"
