"""The variables that Kubernetes sets for a Service never stop the start, and are no settings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.errors import ConfigError
from realtime.settings.load import ignored_sentence, load_settings
from realtime.settings.service_links import is_service_link
from realtime.settings.table import SETTINGS


def links(
    service: str, port: int, protocol: str = "tcp", host: str = "10.0.0.1", port_name: str = ""
) -> dict[str, str]:
    """What Kubernetes injects for one port of a service."""
    base, upper = service.upper().replace("-", "_"), protocol.upper()
    named = {f"{base}_SERVICE_PORT_{port_name.upper().replace('-', '_')}": str(port)} if port_name else {}
    return {
        f"{base}_SERVICE_HOST": host,
        f"{base}_SERVICE_PORT": str(port),
        f"{base}_PORT": f"{protocol}://{host}:{port}",
        f"{base}_PORT_{port}_{upper}": f"{protocol}://{host}:{port}",
        f"{base}_PORT_{port}_{upper}_PROTO": protocol,
        f"{base}_PORT_{port}_{upper}_PORT": str(port),
        f"{base}_PORT_{port}_{upper}_ADDR": host,
        **named,
    }


SERVICES = st.builds(
    lambda prefix, rest: prefix + ("-" + rest if rest else ""),
    st.sampled_from(["realtime", "minimax", "sandbox", "chat", "transcriber"]),
    st.from_regex(r"([a-z][a-z0-9]{0,8}(-[a-z0-9]{1,5})?)?", fullmatch=True),
)


@given(
    service=SERVICES,
    port=st.integers(1, 65535),
    protocol=st.sampled_from(["tcp", "udp", "sctp"]),
    host=st.sampled_from(["10.0.0.1", "172.20.255.3", "[fd00::1]"]),
    port_name=st.sampled_from(["", "http", "https-web", "grpc"]),
)
def test_no_service_stops_the_start_or_changes_a_setting(service, port, protocol, host, port_name):
    environ = links(service, port, protocol, host, port_name)
    loaded = load_settings({}, environ)
    assert loaded.settings == load_settings({}, {}).settings
    ours = {name for name in environ if name.startswith(("MINIMAX_", "REALTIME_"))}
    assert set(loaded.ignored) == ours
    assert (ignored_sentence(loaded) is None) is (not ours)


def test_a_setting_beside_them_counts():
    environ = links("realtime", 8000) | {"REALTIME_HOST": "127.0.0.2", "REALTIME_VOCIE": ""}
    del environ["REALTIME_VOCIE"]
    assert load_settings({}, environ).settings.host == "127.0.0.2"


@pytest.mark.parametrize(
    "environ",
    [
        {"REALTIME_PORT": "tcp"},
        {"REALTIME_PORT": "http://x:1"},
        {"REALTIME_PROT": "8000"},
        {"REALTIME_SERVICE": "x"},
    ],
)
def test_mistakes_are_still_mistakes(environ):
    with pytest.raises(ConfigError):
        load_settings({}, environ)


def test_no_setting_has_the_name_of_one():
    assert not [name for setting in SETTINGS for name in setting.names if is_service_link(name, "8000")]


def test_the_cache_is_where_the_environment_says():
    assert (
        load_settings({}, {"XDG_CACHE_HOME": "/var/cache"}).settings.cache_dir
        == "/var/cache/minimax-realtime"
    )
    assert load_settings({}, {"XDG_CACHE_HOME": "relative"}).settings.cache_dir is None
    both = {"XDG_CACHE_HOME": "/var/cache", "REALTIME_CACHE_DIR": "/srv/weights"}
    assert load_settings({}, both).settings.cache_dir == "/srv/weights"
