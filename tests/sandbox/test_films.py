"""Films: exact length and size, the first and the last frame, camera commands, metadata and sound."""

from __future__ import annotations

import io
import sys
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.sandbox.camera import FURTHEST, View, camera_commands, view_at
from realtime.sandbox.extras import ExtraMissing
from realtime.sandbox.film_facts import FilmFacts, UnreadableFilm, film_facts, film_frames
from realtime.sandbox.films import FilmStopped, make_film
from realtime.sandbox.picture_facts import UnreadablePicture

Image = pytest.importorskip("PIL.Image")
pytest.importorskip("av")

# The table of docs/minimax/video.md 1.
COMMANDS = {
    "Truck left": "左移", "Truck right": "右移", "Pan left": "左摇", "Pan right": "右摇", "Push in": "推进",
    "Pull out": "拉远", "Pedestal up": "上升", "Pedestal down": "下降", "Tilt up": "上摇", "Tilt down": "下摇",
    "Zoom in": "变焦推近", "Zoom out": "变焦拉远", "Shake": "晃动", "Tracking shot": "跟随", "Static shot": "固定",
}  # fmt: skip


def picture(seed: int, size: tuple[int, int] = (320, 240)) -> bytes:
    """Smooth blocks of colour: easy to tell apart, easy to encode."""
    blocks = np.random.default_rng(seed).integers(0, 255, (6, 8, 3), dtype=np.uint8)
    data = io.BytesIO()
    Image.fromarray(blocks).resize(size, Image.Resampling.BICUBIC).save(data, "PNG")
    return data.getvalue()


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), dtype=int)


def film(prompt: str, **options: object) -> list[np.ndarray]:
    arguments: dict[str, object] = {"seconds": 1, "width": 320, "height": 240, "first": picture(1)} | options
    return [frame.astype(int) for frame in film_frames(make_film(prompt, **arguments))]  # type: ignore[arg-type]


def apart(a: np.ndarray, b: np.ndarray) -> float:
    """Mean difference of two pictures, 0 to 255."""
    return float(np.abs(a - b).mean())


@pytest.mark.parametrize(
    ("seconds", "width", "height"), [(6, 64, 48), (10, 48, 64), (1, 1366, 768), (4.5, 64, 64)]
)
@pytest.mark.parametrize("audio", [False, True])
def test_a_film_has_the_asked_size_and_length(seconds: float, width: int, height: int, audio: bool) -> None:
    """24 frames a second, the prompt as the title, sound only where it was asked for."""
    data = make_film("雪山日出 [推进]", seconds=seconds, width=width, height=height, audio=audio)
    assert film_facts(data) == FilmFacts(width, height, seconds, 24.0, "雪山日出 [推进]", audio)
    assert sum(1 for _ in film_frames(data)) == seconds * 24


def test_it_opens_with_the_first_frame_and_ends_with_the_last() -> None:
    """Both to what the encoder loses; between them there is something else."""
    frames = film("[Pan left]", last=picture(2))
    first, last = pixels(picture(1)), pixels(picture(2))
    assert apart(frames[0], first) < 5
    assert apart(frames[-1], last) < 5
    assert apart(first, last) > 30
    assert apart(frames[12], first) > 5


def test_pictures_of_another_shape_are_cut_not_stretched() -> None:
    """The middle of a wide picture."""
    wide = picture(3, (960, 240))
    assert apart(film("", first=wide)[0], pixels(wide)[:, 320:640]) < 5


def test_without_frames_the_prompt_opens_the_film() -> None:
    """A red prompt makes a red film; the seed decides which, and the same one makes the same bytes."""
    options = {"seconds": 0.25, "width": 320, "height": 240}
    red = make_film("a red sofa", **options)  # type: ignore[arg-type]
    frame = next(film_frames(red)).astype(int)
    assert (np.abs(frame - (205, 38, 38)).max(axis=2) < 40).mean() > 0.1
    assert make_film("a red sofa", **options) == red  # type: ignore[arg-type]
    assert make_film("a red sofa", seed=1, **options) != red  # type: ignore[arg-type]


def test_a_static_shot_stands_and_others_move() -> None:
    """Compared from the second to the last frame."""
    for prompt, moves in (
        ("[Static shot]", False),
        ("[固定]", False),
        ("[Truck left]", True),
        ("no command", True),
    ):
        frames = film(prompt)
        assert (apart(frames[1], frames[-1]) > 3) is moves, prompt


@pytest.mark.parametrize(("prompt", "shift"), [("[Truck right]", 83), ("[左移]", -83)])
def test_a_truck_shifts_the_picture(prompt: str, shift: int) -> None:
    """To the right: what stood `shift` pixels further right has come here."""
    frames = film(prompt)
    first, last = (frames[0], frames[-1]) if shift > 0 else (frames[-1], frames[0])
    shift = abs(shift)
    assert apart(first[:, shift:], last[:, :-shift]) < 6
    assert apart(first, last) > 20


def test_a_push_enlarges_the_middle() -> None:
    """After a push by 1.4 the middle part fills the frame."""
    frames = film("[Push in]")
    width, height = 320 / 1.4, 240 / 1.4
    box = ((320 - width) / 2, (240 - height) / 2, (320 + width) / 2, (240 + height) / 2)
    middle = Image.fromarray(frames[0].astype(np.uint8)).resize((320, 240), box=box)
    assert apart(frames[-1], np.asarray(middle, dtype=int)) < 6


def test_the_watermark_stands_in_every_frame() -> None:
    """In the right upper corner, and not elsewhere."""
    plain, marked = film("[Static shot]", seconds=0.5), film("[Static shot]", seconds=0.5, watermark=True)
    for a, b in zip(plain, marked, strict=True):
        changed = np.abs(a - b).max(axis=2) > 60
        assert changed[:30, 100:].mean() > 0.01
        assert changed[40:].mean() < 0.001


@pytest.mark.parametrize(("english", "chinese"), COMMANDS.items())
def test_every_command_in_both_languages(english: str, chinese: str) -> None:
    """The same command, in any case and with any brackets; alone it begins at the first frame."""
    assert (
        camera_commands(f"a [{english.upper()}] b")
        == camera_commands(f"【{chinese}】")
        == ((english.lower(),),)
    )
    assert view_at(((english.lower(),),), 0) == View()


def test_no_two_commands_look_the_same() -> None:
    """In the middle of the film every command shows its own view."""
    views = {view_at(camera_commands(f"[{name}]"), 0.4) for name in COMMANDS}
    assert len(views) == len(COMMANDS)


def test_one_pair_of_brackets_is_together_and_two_are_one_after_the_other() -> None:
    """Unknown words are passed over."""
    together = camera_commands("[Pan left, 上升 ,dance]")
    assert together == (("pan left", "pedestal up"),)
    assert view_at(together, 1).right < 0 > view_at(together, 1).down
    in_turn = camera_commands("[Pan left] then [上升] [x]")
    assert in_turn == (("pan left",), ("pedestal up",))
    assert view_at(in_turn, 0.5).right < 0 == view_at(in_turn, 0.5).down


@given(st.lists(st.lists(st.sampled_from([c.lower() for c in COMMANDS]), min_size=1).map(tuple)).map(tuple),
       st.floats(0, 1))  # fmt: skip
def test_no_commands_lead_out_of_the_picture(commands: tuple[tuple[str, ...], ...], share: float) -> None:
    """However many there are."""
    view = view_at(commands, share)
    assert abs(view.right) + 0.5 / view.zoom <= 0.5 + FURTHEST + 1e-9
    assert abs(view.down) + 0.5 / view.zoom <= 0.5 + FURTHEST + 1e-9


@pytest.mark.parametrize("options", [{"width": 321}, {"height": 0}, {"seconds": 0}])
def test_impossible_films_are_refused(options: dict[str, int]) -> None:
    """h264 in yuv420p has even sides."""
    with pytest.raises(ValueError, match="even"):
        film("x", **options)


def test_any_prompt_is_a_title() -> None:
    """NUL and half a letter too; a long one is cut."""
    for prompt, title in (("a\0b \ud83d", "a b ?"), ("山" * 9000, "山" * 8000), ("", "")):
        data = make_film(prompt, seconds=0.1, width=64, height=48)
        assert film_facts(data).title == title


def test_a_broken_first_frame_is_refused() -> None:
    """With the picture's own error."""
    with pytest.raises(UnreadablePicture):
        film("x", first=b"<html>")


@pytest.mark.parametrize("data", [b"", b"<html>", b"\0" * 5000])
def test_what_is_no_film_is_refused(data: bytes) -> None:
    """Empty, a page, zeros."""
    with pytest.raises(UnreadableFilm):
        film_facts(data)


def test_without_pyav_the_error_is_the_install_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer of the endpoint holds it."""
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(ExtraMissing, match=r"films: run pip install 'minimax-realtime\[sandbox\]'"):
        make_film("x", seconds=1, width=64, height=48)


def test_a_film_that_nobody_wants_is_given_up() -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(FilmStopped):
        make_film("a cat", seconds=60, width=1280, height=720, stop=stop)


def test_camera_commands_may_be_passed_over() -> None:
    def end(prompt: str, camera: bool = True) -> np.ndarray:
        film = make_film(prompt, seconds=1, width=64, height=48, first=picture(1), camera=camera)
        assert film_facts(film).title == prompt
        return list(film_frames(film))[-1]

    assert np.array_equal(end("[Truck right]", camera=False), end("a cat"))
    assert not np.array_equal(end("[Truck right]"), end("a cat"))
