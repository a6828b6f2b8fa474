"""The URLs of Redis: what they name, and what cannot be used."""

import pytest

from medianest.redis_address import Kind, RedisAddress


def test_the_url_of_one_server_is_taken_as_it_is() -> None:
    for url in ("redis://host:6380/2", "rediss://user:a%2Fb@host", "unix:///run/redis.sock?db=1"):
        assert RedisAddress.parse(url) == RedisAddress(Kind.SERVER, url)


def test_a_url_names_the_sentinels_and_leads_to_the_master() -> None:
    address = RedisAddress.parse(
        "redis+sentinel://ada:a%2Fb@one,two:26380,[::1]:7/my%20master/3?health_check_interval=5"
    )
    assert address.kind is Kind.SENTINEL
    assert address.nodes == (("one", 26379), ("two", 26380), ("::1", 7))
    assert address.master == "my master"
    assert address.options() == {
        "username": "ada",
        "password": "a/b",
        "db": 3,
        "health_check_interval": 5,
    }
    assert address.url_of("::1", 6379) == "redis://ada:a%2Fb@[::1]:6379/3?health_check_interval=5"


def test_sentinel_has_a_password_of_its_own_and_tls_is_for_all() -> None:
    address = RedisAddress.parse(
        "rediss+sentinel://one/mymaster?sentinel_username=eve&sentinel_password=c%26d"
        "&ssl_ca_certs=/ca.pem"
    )
    assert address.sentinel_credentials == {"username": "eve", "password": "c&d"}
    assert address.options() == {"ssl": True, "db": 0, "ssl_ca_certs": "/ca.pem"}
    assert address.url_of("host", 1) == "rediss://host:1/0?ssl_ca_certs=%2Fca.pem"


def test_a_url_names_nodes_of_a_cluster() -> None:
    address = RedisAddress.parse("rediss+cluster://ada:b@one,two:6380?ssl_cert_reqs=none")
    assert address.kind is Kind.CLUSTER
    assert address.nodes == (("one", 6379), ("two", 6380))
    assert address.options() == {
        "username": "ada",
        "password": "b",
        "ssl": True,
        "ssl_cert_reqs": "none",
    }
    assert address.url_of("three", 7) == "rediss://ada:b@three:7?ssl_cert_reqs=none"
    assert RedisAddress.parse("redis+cluster://one/0").nodes == (("one", 6379),)


def test_no_text_of_an_address_shows_a_password() -> None:
    url = "redis+sentinel://:hidden@one/mymaster?sentinel_password=hidden"
    assert "hidden" not in repr(RedisAddress.parse(url))


@pytest.mark.parametrize(
    "url",
    [
        "one:26379",
        "http://one",
        "http+sentinel://one/mymaster",
        "redis+sentinel://one",
        "redis+sentinel://one,/mymaster",
        "redis+sentinel://one:x/mymaster",
        "redis+sentinel://one/mymaster/x",
        "redis+sentinels://one/mymaster",
        "redis+sentinel://:a/b@one/mymaster",
        "redis+cluster://",
        "redis+cluster://one/1",
        "redis+cluster://one/0/1",
        "redis://one/0?ssl_ca_certs=/ca.pem",
        "redis+cluster://one?ssl_ca_certs=/ca.pem",
        "redis+sentinel://one/mymaster?of_nobody=1",
    ],
)
def test_other_urls_cannot_be_used(url: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - its text may show a password
        RedisAddress.parse(url).check_parameters()
