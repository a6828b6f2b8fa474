"""Where a process begins to count alone when Redis becomes unavailable."""

import pytest

from medianest.store import Hit, rate_windows
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


def test_a_mirror_counts_in_full_where_requests_counted_here_leave_the_window(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [1_700_000_000]
    monkeypatch.setattr(rate_windows.time, "time_ns", lambda: now[0] * 10**9)
    windows, hit = LocalRateWindows(), Hit("search:1", limit=3, window=60, expires=False)
    windows.hit(hit)
    now[0] += 30
    windows.hit(hit)
    now[0] += 31  # the first one has left the window
    windows.mirror(hit, used=3)
    assert not windows.hit(hit).is_allowed
    now[0] += 60
    assert windows.hit(hit).remaining == 2


def test_what_was_mirrored_a_window_ago_counts_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1_700_000_000]
    monkeypatch.setattr(rate_windows.time, "time_ns", lambda: now[0] * 10**9)
    windows, hit = LocalRateWindows(), Hit("search:1", limit=3, window=60, expires=False)
    windows.mirror(hit, used=3)
    now[0] += 60
    assert windows.hit(hit).remaining == 2


def test_a_user_who_has_used_everything_stays_refused() -> None:
    windows = LocalRateWindows()
    hit = Hit("search:1", limit=30, window=60, expires=False)
    windows.mirror(hit, used=30)
    assert not any(windows.hit(hit).is_allowed for _ in range(5))
