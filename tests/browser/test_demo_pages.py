"""Whatever page a visitor opens first, it comes whole and from here alone."""

from tests.browser.conftest import Site


def test_the_admin_opens_after_signing_in(admin: Site) -> None:
    page = admin.open("/admin/")
    page.get_by_role("heading", name="Site administration").wait_for()
    admin.shoot("admin-index")
