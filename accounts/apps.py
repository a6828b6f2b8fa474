"""The accounts app, and the admin with this service's own sign-in."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin


class AccountsConfig(AppConfig):
    """Name the app."""

    name = "accounts"


class SiteConfig(admin.AdminConfig):
    """Take `accounts.site.Site` for the admin's site."""

    default = False
    default_site = "accounts.site.Site"
