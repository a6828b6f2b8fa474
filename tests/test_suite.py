"""How the tests themselves run."""

import pytest


@pytest.mark.xdist_group("guard")
def test_a_group_keeps_its_tests_on_one_worker(request: pytest.FixtureRequest) -> None:
    """xdist ends a test's id with its group; a pytest that it does not know loses it silently."""
    if not getattr(request.config.option, "loadgroup", False):
        pytest.skip("this is not a worker of --dist loadgroup")
    assert request.node.nodeid.endswith("@guard")
