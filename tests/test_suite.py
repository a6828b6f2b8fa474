"""How the tests themselves run."""

import pytest


def test_slow_tests_begin_first(request: pytest.FixtureRequest) -> None:
    """So that no worker is left alone with one of them at the end."""
    are_slow = [item.get_closest_marker("slow") is not None for item in request.session.items]
    assert are_slow == sorted(are_slow, reverse=True)


@pytest.mark.xdist_group("guard")
def test_a_group_keeps_its_tests_on_one_worker(request: pytest.FixtureRequest) -> None:
    """With pytest 9.2, pytest-xdist 3.8.0 ignores groups without a warning."""
    if not getattr(request.config.option, "loadgroup", False):
        pytest.skip("this is not a worker of --dist loadgroup")
    assert request.node.nodeid.endswith("@guard")
