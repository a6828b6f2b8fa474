"""Pages come out right whatever page size Plex has a mind for."""

import re
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from plex_integration.plex import PlexClient, media
from plex_integration.plex.counting import DatedRow, count_since
from plex_integration.reading.services.read import pagination
from plex_simulator import Simulator
from tests.plex.conftest import RawServer, Request, ok, plex_at

Serve = Callable[..., RawServer]

MOVIES = media.Library(
    id="1", key="/library/sections/1", title="Movies", type="movie", agent=None, scanner=None,
    language=None, uuid=None, refreshing=None, createdAt=None, updatedAt=None, scannedAt=None,
    content=None, directory=None, contentChangedAt=None, hidden=None, location=[],
)  # fmt: skip
ROW = '<Video ratingKey="{0}" type="movie" title="Film {0}"/>'


def row(number: int) -> str:
    return ROW.format(number)


def window(request: Request) -> tuple[int, int]:
    start, size = (
        request.header("X-Plex-Container-Start"),
        request.header("X-Plex-Container-Size"),
    )
    assert start is not None
    assert size is not None
    return int(start), int(size)


def listing(rows: list[str], attributes: str = "") -> bytes:
    return ok(f"<MediaContainer {attributes}>{''.join(rows)}</MediaContainer>")


def page(server: RawServer, start: int, size: int, seconds: float = 5) -> media.Page:
    plex = plex_at(server.url, seconds)
    return plex.library_items(MOVIES, "movie", start, size, "titleSort:asc", {})


def keys(found: media.Page) -> list[int]:
    return [int(each.ratingKey) for each in found.rows]


def numbers(request: Request) -> bytes:
    """Answer as Plex does: rows 0 to 19."""
    start, size = window(request)
    rows = [row(number) for number in range(20)][start : start + size]
    return listing(rows, f'size="{len(rows)}" totalSize="20" offset="{start}"')


@pytest.mark.parametrize(("start", "size"), [(0, 5), (3, 7), (15, 5), (15, 50), (20, 5), (99, 1)])
def test_an_orderly_server_gets_one_request(serve: Serve, start: int, size: int) -> None:
    server = serve(numbers)
    found = page(server, start, size)
    assert keys(found) == list(range(20))[start : start + size]
    assert found.total == 20
    assert len(server.requests) == 1


@pytest.mark.parametrize("attributes", ["", 'size="20"', 'size="abc" totalSize="x" offset="-"'])
@pytest.mark.parametrize(("start", "size"), [(0, 5), (3, 7), (15, 50), (20, 5), (99, 1)])
def test_a_server_that_does_not_page_sends_everything(
    serve: Serve, start: int, size: int, attributes: str
) -> None:
    server = serve(listing([row(number) for number in range(20)], attributes))
    found = page(server, start, size)
    assert keys(found) == list(range(20))[start : start + size]
    assert found.total == 20
    assert len(server.requests) == 1


@pytest.mark.parametrize("most", [1, 3, 4])
def test_a_server_with_smaller_pages_gets_requests_for_the_rest(serve: Serve, most: int) -> None:
    def small(request: Request) -> bytes:
        start, size = window(request)
        rows = [row(number) for number in range(20)][start : start + min(size, most)]
        return listing(rows, f'totalSize="20" offset="{start}"')

    server = serve(small)
    found = page(server, 5, 9)
    assert keys(found) == list(range(5, 14))
    assert len(server.requests) == -(-9 // most)


def test_a_server_with_larger_pages_is_cut(serve: Serve) -> None:
    def large(request: Request) -> bytes:
        start, _ = window(request)
        return listing([row(n) for n in range(start, 20)], f'totalSize="20" offset="{start}"')

    assert keys(page(serve(large), 4, 3)) == [4, 5, 6]


def test_a_server_that_ignores_the_start_but_says_so(serve: Serve) -> None:
    server = serve(listing([row(n) for n in range(20)], 'size="20" totalSize="20" offset="0"'))
    assert keys(page(server, 4, 3)) == [4, 5, 6]


def test_a_page_without_offset_is_the_requested_page(serve: Serve) -> None:
    server = serve(listing([row(n) for n in range(4, 7)], 'size="3" totalSize="20"'))
    found = page(server, 4, 3)
    assert keys(found) == [4, 5, 6]
    assert found.total == 20


@pytest.mark.parametrize("total", ["-1", "-20", "99999999999999999999"])
def test_a_total_that_is_no_count_is_absent(serve: Serve, total: str) -> None:
    rows = [row(number) for number in range(3)]
    assert page(serve(listing(rows, f'totalSize="{total}"')), 0, 50).total == 3


def test_an_empty_page_is_the_last_whatever_the_total_says(serve: Serve) -> None:
    found = page(serve(listing([], f'totalSize="{2**63 - 1}" offset="7"')), 7, 50)
    assert pagination(7, 50, found) == {
        "start": 7,
        "size": 50,
        "total": 2**63 - 1,
        "hasMore": False,
    }


def test_rows_without_a_title_are_left_out_with_one_warning(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    rows = [
        row(1),
        '<Video ratingKey="2" type="movie"/>',
        '<Video ratingKey="3" type="movie" titleSort="film three"/>',
        '<Video ratingKey="4" type="movie" title="" titleSort=""/>',
        row(5),
    ]
    found = page(serve(listing(rows, 'totalSize="5"')), 0, 50)
    assert keys(found) == [1, 3, 5]
    assert (found.total, found.received) == (5, 5)
    assert [record.getMessage() for record in caplog.records] == [
        "2 items of a response of Plex have no title and are left out"
    ]


def test_a_total_that_is_too_high_ends_with_the_rows(serve: Serve) -> None:
    def lying(request: Request) -> bytes:
        start, size = window(request)
        rows = [row(n) for n in range(6)][start : start + size]
        return listing(rows, f'totalSize="999999999999999999" offset="{start}"')

    server = serve(lying)
    assert keys(page(server, 0, 50)) == list(range(6))
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    "attributes",
    [
        'totalSize="-5"', 'totalSize="20" offset="-3"', 'totalSize="20" offset="9999999"',
        'totalSize="20" offset="abc"', 'totalSize="1e3"', 'totalSize="0"',
        f'totalSize="{"9" * 5000}"', 'totalSize="NaN" offset="NaN"', 'totalSize="１２"',
        'size="-1" totalSize="3" offset="7"',
    ],
)  # fmt: skip
@pytest.mark.parametrize(("start", "size"), [(0, 3), (2, 3), (50, 3)])
def test_odd_paging_attributes_never_give_more_than_requested_or_fail(
    serve: Serve, attributes: str, start: int, size: int
) -> None:
    server = serve(listing([row(n) for n in range(3)], attributes))
    found = page(server, start, size)
    assert len(found.rows) <= size
    assert found.total >= 0
    assert len(server.requests) <= 4


def test_rows_without_an_id_or_of_no_known_type_are_left_out_but_counted(serve: Serve) -> None:
    rows = [
        row(1),
        '<Video type="movie" title="no id"/>',
        '<Video ratingKey="abc" type="movie"/>',
        '<Video ratingKey="２" type="movie"/>',
        '<Video ratingKey="12345678901" type="movie"/>',
        '<Directory ratingKey="5" type="collection" title="no item"/>',
        '<Directory type="tag" tag="Action"/>',
        "<Meta/>",
        row(9),
    ]
    found = page(serve(listing(rows, 'totalSize="8" offset="0"')), 0, 8)
    assert keys(found) == [1, 9]
    assert found.received == 8
    assert found.total == 8


def test_a_whole_list_is_requested_in_pages(serve: Serve) -> None:
    def many(request: Request) -> bytes:
        start, size = window(request)
        rows = [
            f'<Directory ratingKey="{n}" type="collection" title="C"/>'
            for n in range(start, min(start + size, 1201))
        ]
        return listing(rows, f'totalSize="1201" offset="{start}"')

    server = serve(many)
    found = plex_at(server.url).collections(MOVIES, 0, None)
    assert [int(each.ratingKey) for each in found.collections] == list(range(1201))
    assert len(server.requests) == 3


def test_a_whole_list_of_a_server_that_does_not_page_is_taken_as_it_comes(serve: Serve) -> None:
    rows = [f'<Directory ratingKey="{n}" type="collection" title="C"/>' for n in range(600)]
    server = serve(listing(rows, 'size="600"'))
    assert len(plex_at(server.url).collections(MOVIES, 0, None).collections) == 600
    assert len(server.requests) == 1


def test_recently_added_rows_of_a_server_that_does_not_page_come_once(serve: Serve) -> None:
    rows = [row(n).replace(" type", ' addedAt="4000000000" type') for n in range(60)]
    server = serve(listing(rows, 'size="60"'))
    found = plex_at(server.url).recently_added(1, 50)
    assert len(found.rows) == 50
    assert found.total == 60
    assert len(server.requests) == 2


def test_fifty_ids_go_into_one_call_and_missing_ones_stay_as_listed(serve: Serve) -> None:
    def answer(request: Request) -> bytes:
        if "/library/metadata/" not in request.path:
            return listing([row(n) for n in range(120)], 'totalSize="120" offset="0"')
        wanted = re.findall(r"\d+", request.path.rpartition("/")[2])
        full = [row(int(n)).replace("Film", "Full") for n in wanted if int(n) % 2]
        return listing(full) if full else ok("", "404 None")

    server = serve(answer)
    plex = plex_at(server.url)
    listed = plex.library_items(MOVIES, "movie", 0, 120, "year", {})
    done = plex.completed(listed.rows)
    assert [each.title for each in done] == [
        f"Full {n}" if n % 2 else f"Film {n}" for n in range(120)
    ]
    sizes = sorted(request.path.count(",") + 1 for request in server.requests[1:])
    assert sizes == [20, 50, 50]


# --- Recently added ---------------------------------------------------------------------------

NOW = 2_000_000


def added(new: int, total: int, read: list[int]) -> Callable[[Request], bytes]:
    """Answer with rows of which the first are new; note how many rows were read each time."""

    def respond(request: Request) -> bytes:
        start, size = window(request)
        shown = range(total)[start : start + size]
        read.append(len(shown))
        rows = [
            f'<Video ratingKey="{n + 1}" type="movie" title="A" addedAt="{NOW - (n >= new)}"/>'
            for n in shown
        ]
        return listing(rows, f'totalSize="{total}"')

    return respond


@pytest.mark.parametrize(
    ("new", "total"),
    [
        (0, 0), (0, 9), (9, 9), (49, 49), (50, 50), (50, 51), (51, 51), (50, 5_000), (51, 5_000),
        (549, 5_000), (550, 5_000), (551, 5_000), (4_999, 5_000), (5_000, 5_000),
        (12_345, 250_000), (250_000, 250_000),
    ],
)  # fmt: skip
def test_what_is_new_is_counted_without_reading_all_of_it(
    serve: Serve, new: int, total: int
) -> None:
    read: list[int] = []
    plex = plex_at(serve(added(new, total, read)).url)
    found = plex.recently_added(NOW, 50)
    assert [row.ratingKey for row in found.rows] == [str(n + 1) for n in range(min(new, 50))]
    assert found.total == new
    assert sum(read) <= 50 + 4 * 500 + 20
    assert len(read) <= 1 + 13


def test_a_page_that_is_not_full_of_new_rows_is_counted_by_itself(serve: Serve) -> None:
    read: list[int] = []
    assert plex_at(serve(added(7, 5_000, read)).url).recently_added(NOW, 50).total == 7
    assert read == [50]


def test_a_page_of_rows_that_cannot_be_read_has_nothing_new(serve: Serve) -> None:
    def respond(request: Request) -> bytes:
        _, size = window(request)
        return listing(['<Video ratingKey="1" type="movie"/>'] * size, 'totalSize="5000"')

    found = plex_at(serve(respond).url).recently_added(NOW, 50)
    assert (found.rows, found.total) == ([], 0)


def test_rows_that_vanish_while_they_are_counted_end_the_count(serve: Serve) -> None:
    read: list[int] = []
    before, after = added(5_000, 5_000, read), added(600, 600, read)

    def shrinking(request: Request) -> bytes:
        return (after if read else before)(request)

    assert plex_at(serve(shrinking).url).recently_added(NOW, 50).total == 600


def moments_of(growth: str, new: int, total: int) -> list[int]:
    """Return when rows were added, newest first; the new ones in one of several ways."""
    ages = {
        "steady": lambda n: n,
        "in one scan": lambda n: 0,
        "many lately": lambda n: n * n,
        "few lately": lambda n: new * new - (new - n) * (new - n),
        "one and then many": lambda n: 0 if n else -1_000_000,
    }[growth]
    most = max(ages(new - 1), 1) if new else 1
    recent = [NOW + (most - ages(n)) * 86_400 // most for n in range(new)]
    return recent + [NOW - 1 - n for n in range(total - new)]


@pytest.mark.parametrize("total", [1_000, 25_000, 250_000])
@pytest.mark.parametrize(
    "growth", ["steady", "in one scan", "many lately", "few lately", "one and then many"]
)
@pytest.mark.parametrize("part", [0.06, 0.999])
def test_a_list_that_grew_in_any_way_is_counted_with_few_requests(
    growth: str, part: float, total: int
) -> None:
    new = int(total * part)
    moments, read = moments_of(growth, new, total), []

    def rows(start: int, size: int) -> list[int]:
        read.append(size)
        return moments[start : start + size]

    newest, last = DatedRow(0, moments[0]), DatedRow(19, moments[19])
    assert count_since(rows, NOW, newest, last, total) == new
    assert len(read) <= 13
    assert growth != "steady" or len(read) <= 2


@pytest.mark.parametrize("movies", [1_000, 25_000, 250_000])
def test_what_is_new_costs_as_few_requests_in_a_large_library_as_in_a_small_one(
    movies: int,
) -> None:
    with Simulator(seed=7, movies=movies) as server:
        connection = plex_at(server.url, seconds=60).connection
        plex = PlexClient(replace(connection, token=server.owner_token), 60)
        since = int(time.time()) - 30 * 86_400
        total = plex.recently_added(since, 20).total
        assert len(server.requests) == 2
        last, next_one = plex._added_at(total - 1, 2)
        assert last >= since > next_one
