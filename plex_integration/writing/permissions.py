"""Who may write: permissions that an operator gives to users and groups."""

from accounts.permissions import WritePermission


class CanManageCollections(WritePermission):
    """Let every signed-in user read, and those with the permission write to collections."""

    permission = "accounts.manage_collections"


class CanManagePlaylists(WritePermission):
    """Let every signed-in user read, and those with the permission write to playlists."""

    permission = "accounts.manage_playlists"
