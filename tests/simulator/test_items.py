import re

import pytest
from plexapi.server import PlexServer

from plex_simulator import Simulator
from plex_simulator.generation.vocabulary import EDGE_CASE_TITLES

from .conftest import PlexClient

MOVIES = "/library/sections/1/all?type=1"
CORNERS = {"topLeft", "topRight", "bottomLeft", "bottomRight"}


def test_lists_contain_few_details_of_items(client: PlexClient, simulator: Simulator) -> None:
    rows = {row.get("ratingKey"): row for row in client.get(MOVIES).xml}
    for item in simulator.catalogue.items("1", "movie"):
        row = rows[item.rating_key]
        assert [tag.attrib for tag in row.findall("Genre")] == [
            {"tag": genre.tag} for genre in item.genres[:2]
        ]
        assert [tag.attrib for tag in row.findall("Role")] == [
            {"tag": role.tag} for role in item.roles[:3]
        ]
        assert len(row.findall("Director")) <= 2
        assert row.find("Media/Part/Stream") is None
        assert row.find("Guid") is None
        assert row.find("Rating") is None
        assert not {name for name in row.attrib if name.startswith("librarySection")}
        assert row.get("titleSort") == item.title_sort
        assert row.get("titleSort") != item.title
        assert row.get("title") == item.title
        assert (row.get("rating") is None) == (item.rating is None)
        assert (row.get("updatedAt") is None) == (item.updated_at is None)


def test_single_items_have_all_details(client: PlexClient, simulator: Simulator) -> None:
    item = max(simulator.catalogue.items("1", "movie"), key=lambda item: len(item.roles))
    assert len(item.roles) == 200
    row = client.get(f"/library/metadata/{item.rating_key}").xml[0]
    roles = row.findall("Role")
    assert [role.get("role") for role in roles] == [role.role for role in item.roles]
    assert [role.get("id") for role in roles] == [str(role.id) for role in item.roles]
    assert any(role.get("thumb", "").startswith("https://") for role in roles)
    assert [tag.get("id") for tag in row.findall("Genre")] == [str(g.id) for g in item.genres]
    assert row.find("Media/Part/Stream") is not None
    assert row.get("librarySectionKey") == "/library/sections/1"


def test_the_streams_of_a_video_say_what_they_are(client: PlexClient, simulator: Simulator) -> None:
    for item in (
        simulator.catalogue.items("1", "movie")[2],
        simulator.catalogue.items("2", "episode")[2],
    ):
        media = client.get(f"/library/metadata/{item.rating_key}").xml.find("*/Media")
        assert media is not None
        video, audio, *subtitles = media.findall("Part/Stream")
        assert (video.get("width"), video.get("height")) == (
            media.get("width"),
            media.get("height"),
        )
        assert int(video.get("bitrate", "")) + int(audio.get("bitrate", "")) == int(
            media.get("bitrate", "")
        )
        assert (video.get("default"), video.get("selected")) == ("1", None)
        assert (audio.get("default"), audio.get("selected")) == ("1", "1")
        assert audio.get("channels") == media.get("audioChannels")
        assert [stream.get("forced") for stream in subtitles] == [None, "1", None]
        assert [stream.get("title") for stream in subtitles] == [None, "Forced", "SDH"]
        assert [stream.get("displayTitle") for stream in subtitles] == [
            "German (SRT)",
            "English Forced (SRT)",
            "English SDH (SRT)",
        ]
        assert not [stream for stream in subtitles if stream.get("default")]


def test_items_with_pictures_have_colours_and_images(
    client: PlexClient, simulator: Simulator
) -> None:
    rows = list(client.get(MOVIES).xml)
    for row in rows:
        images = {each.get("type"): each.get("url") for each in row.findall("Image")}
        assert images.get("coverPoster") == row.get("thumb")
        assert images.get("background") == row.get("art")
        assert len(row.findall("UltraBlurColors")) == bool(images)
        for colours in row.findall("UltraBlurColors"):
            assert set(colours.attrib) == CORNERS
            assert all(re.fullmatch("[0-9a-f]{6}", each) for each in colours.attrib.values())
    assert 0 < len([row for row in rows if row.find("Image") is None]) < len(rows)
    episode = simulator.catalogue.items("2", "episode")[0]
    row = client.get(f"/library/metadata/{episode.rating_key}").xml[0]
    assert [(each.get("type"), each.get("url")) for each in row.findall("Image")] == [
        ("coverPoster", episode.parent_thumb),
        ("snapshot", episode.thumb),
        ("background", episode.art),
    ]


def test_the_colours_are_one_object_in_json(client: PlexClient, simulator: Simulator) -> None:
    episode = simulator.catalogue.items("2", "episode")[0].rating_key
    collection = simulator.catalogue.collections("1")[0].rating_key
    for key in (episode, collection):
        content = client.get(f"/library/metadata/{key}", Accept="application/json").json
        assert set(content["MediaContainer"]["Metadata"][0]["UltraBlurColors"]) == CORNERS


def test_items_that_plex_knows_have_slugs(client: PlexClient, simulator: Simulator) -> None:
    movies = {movie.rating_key: movie for movie in simulator.catalogue.items("1", "movie")}
    for row in client.get(MOVIES).xml:
        known = movies[row.get("ratingKey", "")].guid.startswith("plex://")
        words = re.findall("[a-z0-9]+", row.get("title", "").casefold())
        assert row.get("slug") == (("-".join(words) or None) if known else None)
    show = next(each for each in simulator.catalogue.items("2", "show") if each.slug)
    assert client.get(f"/library/metadata/{show.rating_key}").xml[0].get("slug") == show.slug
    for season in client.get(f"/library/metadata/{show.rating_key}/children").xml:
        assert season.get("parentSlug") == show.slug
    for episode in client.get(f"/library/metadata/{show.rating_key}/allLeaves").xml:
        assert episode.get("grandparentSlug") == show.slug


@pytest.mark.parametrize(("library", "leaf"), [("2", "episode"), ("5", "track")])
def test_shows_and_artists_say_in_which_folder_they_are(
    plex: PlexServer, simulator: Simulator, library: str, leaf: str
) -> None:
    leaves = simulator.catalogue.items(library, leaf)
    files = {str(each.grandparent_rating_key): each.media[0].parts[0].file for each in leaves}
    for parent in plex.library.sectionByID(int(library)).all():
        (folder,) = parent.locations
        assert files[str(parent.ratingKey)].startswith(f"{folder}/")


def test_files_are_checked_on_request_only(client: PlexClient, simulator: Simulator) -> None:
    movie = simulator.catalogue.items("1", "movie")[2]
    path = f"/library/metadata/{movie.rating_key}"

    def checked(query: str) -> list[tuple[str | None, str | None]]:
        parts = client.get(f"{path}{query}").xml.findall("Video/Media/Part")
        return [(part.get("accessible"), part.get("exists")) for part in parts]

    assert set(checked("")) == set(checked("?checkFiles=0")) == {(None, None)}
    assert set(checked("?checkFiles=1")) == {("1", "1")}


@pytest.mark.parametrize(("library", "type"), [("1", "movie"), ("2", "episode")])
def test_chapters_are_sent_on_request_only(
    client: PlexClient, simulator: Simulator, library: str, type: str
) -> None:
    item = next(each for each in simulator.catalogue.items(library, type) if each.chapters)
    path = f"/library/metadata/{item.rating_key}"
    assert client.get(path).xml.findall("Video/Chapter") == []
    row = client.get(f"{path}?includeChapters=1").xml[0]
    assert row.get("chapterSource") == "media"
    assert [chapter.get("startTimeOffset") for chapter in row.findall("Chapter")] == [
        str(chapter.start) for chapter in item.chapters
    ]


def test_the_actors_of_an_episode_have_roles(client: PlexClient, simulator: Simulator) -> None:
    episode = next(each for each in simulator.catalogue.items("2", "episode") if each.roles)
    rows = client.get(f"/library/metadata/{episode.rating_key}").xml.findall("Video/Role")
    assert [row.get("role") for row in rows] == [role.role for role in episode.roles]
    assert any(row.get("role") for row in rows)


def test_a_track_has_one_audio_stream(client: PlexClient, simulator: Simulator) -> None:
    track = simulator.catalogue.items("5", "track")[3]
    media = client.get(f"/library/metadata/{track.rating_key}").xml.find("Track/Media")
    assert media is not None
    (stream,) = media.findall("Part/Stream")
    assert (stream.get("streamType"), stream.get("index"), stream.get("selected")) == (
        "2",
        "0",
        "1",
    )
    assert (stream.get("codec"), stream.get("bitrate"), stream.get("channels")) == (
        media.get("audioCodec"),
        media.get("bitrate"),
        media.get("audioChannels"),
    )
    assert "language" not in stream.attrib
    assert "title" not in stream.attrib


def test_several_items_can_be_requested_with_all_details(client: PlexClient) -> None:
    keys = client.page(MOVIES, 30, 50).keys
    response = client.get(f"/library/metadata/{','.join(keys)}")
    assert response.keys == keys
    assert client.get(f"/library/metadata/{keys[0]},999,{keys[1]}").keys == keys[:2]


def test_guids_are_included_on_request_except_for_legacy_agents(
    client: PlexClient, simulator: Simulator
) -> None:
    for row in client.get(f"{MOVIES}&includeGuids=1").xml:
        item = simulator.catalogue.item(row.get("ratingKey", ""))
        assert item is not None
        assert [guid.get("id") for guid in row.findall("Guid")] == list(item.guids)
        assert bool(item.guids) == item.guid.startswith("plex://")
    schemes = {item.guid.split("://")[0] for item in simulator.catalogue.items("1", "movie")}
    assert schemes == {"plex", "local", "com.plexapp.agents.imdb"}


def test_seasons_have_external_ids(client: PlexClient, simulator: Simulator) -> None:
    seasons = {season.rating_key: season for season in simulator.catalogue.items("2", "season")}
    schemes = set()
    for row in client.get("/library/sections/2/all?type=3&includeGuids=1").xml:
        ids = [guid.get("id", "") for guid in row.findall("Guid")]
        assert bool(ids) == seasons[row.get("ratingKey", "")].guid.startswith("plex://")
        schemes |= {text.split("://")[0] for text in ids}
    assert schemes == {"tmdb", "tvdb"}


def test_each_optional_field_is_missing_in_some_movies(simulator: Simulator) -> None:
    movies = simulator.catalogue.items("1", "movie")
    optional = "rating year updated_at thumb art tagline duration content_rating original_title"
    for name in optional.split():
        values = [getattr(item, name) for item in movies]
        assert None in values, name
        assert any(values), name
    assert any(len(item.media) > 1 for item in movies)
    assert any(len(media.parts) > 1 for item in movies for media in item.media)
    assert any(media.video_codec is None for item in movies for media in item.media)
    assert any(item.summary == "" for item in movies)
    assert any(len(item.summary) > 5_000 for item in movies)


def test_edge_case_titles_arrive_unchanged(plex: PlexServer, simulator: Simulator) -> None:
    titles = [item.title for item in plex.library.sectionByID(1).all()]
    for title in EDGE_CASE_TITLES[:-6]:
        assert title in titles


def test_only_shows_with_specials_have_a_season_count(
    client: PlexClient, simulator: Simulator
) -> None:
    rows = {row.get("ratingKey"): row for row in client.get("/library/sections/2/all?type=2").xml}
    specials = 0
    for show in simulator.catalogue.items("2", "show"):
        numbers = [season.index for season in simulator.catalogue.children(show.rating_key)]
        row = rows[show.rating_key]
        assert row.get("childCount") == str(len(numbers))
        if 0 in numbers:
            specials += 1
            assert row.get("seasonCount") == str(len(numbers) - 1)
        else:
            assert "seasonCount" not in row.attrib
        assert row.get("key") == f"/library/metadata/{show.rating_key}/children"
    assert specials


def test_plexapi_navigates_from_show_to_episode(plex: PlexServer, simulator: Simulator) -> None:
    show = plex.library.sectionByID(2).all()[0]
    seasons, episodes = show.seasons(), show.episodes()
    assert len(seasons) == show.childCount
    assert len(episodes) == show.leafCount
    assert sum(len(season.episodes()) for season in seasons) == len(episodes)
    watched = sum(1 for episode in episodes if episode.viewCount)
    assert watched == show.viewedLeafCount
    assert episodes[0].grandparentTitle == show.title
    assert episodes[0].show().ratingKey == show.ratingKey


def test_plexapi_navigates_from_artist_to_track(plex: PlexServer) -> None:
    artist = plex.library.sectionByID(5).all()[0]
    albums = artist.albums()
    tracks = artist.tracks()
    assert len(tracks) == sum(len(album.tracks()) for album in albums)
    assert tracks[0].grandparentTitle == artist.title
    assert tracks[0].media[0].audioCodec == "flac"


def test_plexapi_navigates_from_photo_album_to_photo(plex: PlexServer, client: PlexClient) -> None:
    album = plex.library.sectionByID(6).all()[0]
    assert album.TAG == "Directory"
    photos = album.photos()
    assert photos
    assert photos[0].parentTitle == album.title
    row = client.get("/library/sections/6/all?type=14").xml[0]
    assert row.get("type") == "photo"


def test_home_videos_are_clips_with_few_attributes(client: PlexClient) -> None:
    for row in client.get("/library/sections/8/all").xml:
        assert row.get("subtype") == "clip"
        assert "thumb" not in row.attrib
        assert row.get("guid", "").startswith("com.plexapp.agents.none://")


def test_reloading_an_item_loads_all_details(plex: PlexServer) -> None:
    movies = plex.library.sectionByID(1).search(maxresults=40, container_size=40)
    movie = next(each for each in movies if each.media[0].videoCodec)  # its file was analysed
    before = len(movie.roles)
    movie.reload()
    assert len(movie.roles) >= before
    assert movie.media[0].parts[0].streams
    assert movie.librarySectionTitle == "Movies"


def test_an_external_id_is_matched_to_a_plex_guid(simulator: Simulator, plex: PlexServer) -> None:
    movie = next(item for item in simulator.catalogue.items("1", "movie") if item.guids)
    section = plex.library.sectionByID(1)
    found = section.getGuid(movie.guids[0])
    assert found.guid == movie.guid
