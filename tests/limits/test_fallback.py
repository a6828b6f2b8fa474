"""Where a process begins to count alone when Redis becomes unavailable."""

from medianest.store import Hit
from medianest.store.rate_windows import LocalRateWindows


def test_a_fallback_begins_where_all_workers_together_were() -> None:
    windows = LocalRateWindows()
    hit = Hit("search:1", limit=30, window=60, expires=False)
    windows.mirror(hit, used=28)
    assert [windows.hit(hit).is_allowed for _ in range(4)] == [True, True, False, False]


def test_a_mirror_never_forgets_what_was_counted_here() -> None:
    windows = LocalRateWindows()
    hit = Hit("search:1", limit=30, window=60, expires=False)
    for _ in range(10):
        windows.hit(hit)
    windows.mirror(hit, used=3)
    assert windows.hit(hit).remaining == 19
