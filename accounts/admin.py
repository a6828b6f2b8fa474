"""The users' room in the admin; issued tokens have none, since nothing shows a token."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

from accounts.models import User

admin.site.register(User, UserAdmin)
admin.site.unregister([BlacklistedToken, OutstandingToken])
