"""Where a process begins to count alone when Redis goes away."""

from medianest.store.local import LocalLimits
from medianest.store.values import Take


def test_a_fallback_begins_where_all_workers_together_were() -> None:
    limits = LocalLimits()
    take = Take("search:1", places=30, window=60, is_kept=True)
    limits.mirror(take, used=28)
    assert [limits.take(take).is_allowed for _ in range(4)] == [True, True, False, False]


def test_a_mirror_never_forgets_what_was_counted_here() -> None:
    limits = LocalLimits()
    take = Take("search:1", places=30, window=60, is_kept=True)
    for _ in range(10):
        limits.take(take)
    limits.mirror(take, used=3)
    assert limits.take(take).remaining == 19
