"""What makes two orders the same: what is in their files, not how these are named."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import Any

import pytest

from realtime.commands import image, music, video
from realtime.commands.film_orders import template_order, v1_order, v2_order
from realtime.commands.sources import same_source
from tests.commands.answering import JPEG
from tests.commands.running import parsed


def test_a_file_is_known_by_what_is_in_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.jpg").write_bytes(b"one")
    (tmp_path / "b.jpg").write_bytes(b"one")
    before = same_source("a.jpg")
    assert same_source(str(tmp_path / "b.jpg")) == before
    (tmp_path / "a.jpg").write_bytes(b"two")
    assert same_source("a.jpg") != before


@pytest.mark.parametrize(
    "source", [None, "", "https://h/a.jpg", "none.jpg", f"data:image/png;base64,{'A' * 9000}"]
)
def test_what_is_no_file_is_named_as_it_is(source):
    assert same_source(source) == source


def test_what_is_read_once_is_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert same_source(str(tmp_path / "pipe")) == str(tmp_path / "pipe")


@pytest.mark.parametrize(
    ("words", "order"),
    [
        (["create", "a cat", "--first", "me.jpg", "--last", "you.jpg"], v1_order),
        (["create", "--subject", "me.jpg"], v1_order),
        (["create", "a cat", "--model", "MiniMax-H3", "--first", "me.jpg"], v2_order),
        (["create", "a cat", "--model", "MiniMax-H3", "--reference", "me.jpg"], v2_order),
        (["template", "跳水", "me.jpg"], template_order),
    ],
)
def test_a_film_of_a_picture_that_was_changed_is_another_one(tmp_path, monkeypatch, words, order):
    monkeypatch.chdir(tmp_path)
    for name in ("me.jpg", "you.jpg"):
        (tmp_path / name).write_bytes(JPEG)
    platform: Any = SimpleNamespace(args=parsed(video.add_arguments, words, {}), extra={})
    before = order(platform).arguments
    assert order(platform).arguments == before
    (tmp_path / "me.jpg").write_bytes(JPEG + b"changed")
    assert order(platform).arguments != before


def test_a_picture_of_a_person_who_was_changed_is_another_one(tmp_path, monkeypatch):
    (tmp_path / "me.jpg").write_bytes(JPEG)
    args = parsed(image.add_arguments, ["a cat", "--subject", str(tmp_path / "me.jpg")], {})
    platform: Any = SimpleNamespace(args=args, extra={})
    before = image._orders(platform, image._arguments(args))
    (tmp_path / "me.jpg").write_bytes(JPEG + b"changed")
    assert image._orders(platform, image._arguments(args))[0].arguments() != before[0].arguments()


def test_a_cover_of_a_recording_that_was_changed_is_another_one(tmp_path):
    (tmp_path / "old.wav").write_bytes(b"RIFF")
    args = parsed(music.add_arguments, ["jazz", "--cover", str(tmp_path / "old.wav")], {})
    platform: Any = SimpleNamespace(args=args, extra={})
    before = music._order(platform, None).arguments()
    assert music._order(platform, None).arguments() == before
    (tmp_path / "old.wav").write_bytes(b"RIFFchanged")
    assert music._order(platform, None).arguments() != before
