"""One file for one result, when a process ended between saving it and noting that it did."""

from pathlib import Path

import pytest

from realtime.commands.same_file import without_copy


@pytest.mark.parametrize(
    ("earlier", "kept"), [(b"a film", "film.mp4"), (b"another", "film-2.mp4"), (None, "film-2.mp4")]
)
def test_a_copy_is_taken_away_and_nothing_else(tmp_path: Path, earlier: bytes | None, kept: str) -> None:
    wanted, path = tmp_path / "film.mp4", tmp_path / "film-2.mp4"
    path.write_bytes(b"a film")
    if earlier is not None:
        wanted.write_bytes(earlier)
    assert without_copy(path, wanted) == tmp_path / kept
    assert (tmp_path / kept).read_bytes() == b"a film"
    names = {"film.mp4"} if kept == "film.mp4" else {"film-2.mp4"} | ({"film.mp4"} if earlier else set())
    assert {each.name for each in tmp_path.iterdir()} == names


def test_a_result_under_its_own_name_stays(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(b"a film")
    assert without_copy(path, path) == path
    assert path.exists()
