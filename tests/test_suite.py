"""How the tests themselves run."""

import pytest


@pytest.mark.xdist_group("guard")
def test_a_group_keeps_its_tests_on_one_worker(request: pytest.FixtureRequest) -> None:
    """With pytest 9.2, pytest-xdist 3.8.0 ignores groups without a warning."""
    if not getattr(request.config.option, "loadgroup", False):
        pytest.skip("this is not a worker of --dist loadgroup")
    assert request.node.nodeid.endswith("@guard")
