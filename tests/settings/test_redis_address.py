"""The address of a Redis in the settings: every kind that is known, and never shown, because it may hold a password."""

import pytest

from realtime.errors import ConfigError
from realtime.settings.load import load_settings, secrets_of


@pytest.mark.parametrize(
    "address",
    [
        "redis://h",
        "rediss://u:p@h:6380/1",
        "unix:///run/redis.sock",
        "unix://:p@/run/r",
        "redis+sentinel://a,b:1,c/name",
    ],
)
def test_an_address_of_redis_is_taken_as_it_is_and_never_shown(address):
    settings = load_settings({}, {"REALTIME_REDIS": address}).settings
    assert settings.redis == address
    assert address not in repr(settings)
    assert address in secrets_of(settings)


@pytest.mark.parametrize(
    "address",
    ["h:6379", "http://:s3cret@h", "redis://", "redis://:s3cret@h:x", "unix://", "redis+sentinel://a,b"],
)
def test_a_wrong_address_of_redis_is_refused_without_being_quoted(address):
    with pytest.raises(ConfigError, match="REALTIME_REDIS must be redis://HOST") as caught:
        load_settings({}, {"REALTIME_REDIS": address})
    assert "s3cret" not in str(caught.value)
