"""Names of result files: from prompts, safe, bounded, numbered, never over an existing file."""

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.commands.naming import absolute, check_out, ending, name_result, stem, without_ending
from realtime.errors import InvalidArgument


@pytest.mark.parametrize(
    ("prompt", "name"),
    [
        ("a cat on a red sofa", "a-cat-on-a-red-sofa"),
        ("雪山日出 [推进]", "雪山日出"),
        ("[Push in] A ship, at sea!", "a-ship-at-sea"),
        ("../../etc/passwd", "etc-passwd"),
        ("C:\\Windows\\x", "c-windows-x"),
        (".hidden", "hidden"),
        ("", "result"),
        ("\N{SLIGHTLY SMILING FACE} ??", "result"),
        ("NUL", "result-nul"),
        ("com1", "result-com1"),
        ("a\x00b\u202ec\nd", "abc-d"),
        ("Größe ñandú", "größe-ñandú"),
        ("Cafe\N{COMBINING ACUTE ACCENT}", "café"),
    ],
)
def test_a_name_keeps_the_words_of_the_prompt(prompt, name):
    assert stem(prompt) == name


@given(st.text(max_size=300), st.integers(12, 90))
def test_every_prompt_gives_a_safe_name(prompt, max_bytes):
    name = stem(prompt, max_bytes)
    assert 0 < len(name.encode()) <= max(max_bytes, len("result-com1"))
    assert Path(name).name == name
    assert not name.startswith(("-", "."))
    assert not name.endswith(("-", ".", " "))
    assert {unicodedata.category(letter)[0] for letter in name} <= set("LMNP")
    assert set(name) & set('/\\:*?"<>|\x00') == set()


@given(st.text(min_size=1, max_size=100))
def test_making_a_name_again_changes_nothing(prompt):
    assert stem(stem(prompt)).removeprefix("result-") == stem(prompt).removeprefix("result-")


@pytest.mark.parametrize(
    ("head", "suffix"),
    [
        (b"\x89PNG\r\n\x1a\n....", ".png"),
        (b"\xff\xd8\xff\xe0", ".jpeg"),
        (b"RIFF\0\0\0\0WEBPVP8 ", ".webp"),
        (b"RIFF\0\0\0\0WAVEfmt ", ".wav"),
        (b"ID3\x04", ".mp3"),
        (b"\xff\xfb\x90\x00", ".mp3"),
        (b"\0\0\0\x20ftypisom", ".mp4"),
        (b"\0\0\0\x20ftypM4A ", ".m4a"),
        (b"name".ljust(257, b"\0") + b"ustar", ".tar"),
        (b"PK\x03\x04", ".zip"),
        (b"\x00\x01\x02\x03", ".bin"),
        (b"hello", ".txt"),
        (b'{"a": 1}', ".json"),
    ],
)
def test_the_ending_is_what_the_bytes_are(head, suffix):
    assert ending(head) == suffix


def taken(*names: str):
    return lambda path: str(path) in names


def test_a_made_name_takes_the_next_free_number():
    assert name_result("a cat", ".png", exists=taken()) == Path("a-cat.png")
    assert name_result("a cat", ".png", exists=taken("a-cat.png", "a-cat-2.png")) == Path("a-cat-3.png")
    assert name_result("a cat", ".png", exists=taken("a-cat.png"), force=True) == Path("a-cat.png")


def test_several_results_are_numbered_and_sort():
    names = [str(name_result("cat", ".png", index=n, count=12, exists=taken())) for n in range(12)]
    assert names[0] == "cat-01.png"
    assert names == sorted(names)
    assert len(set(names)) == 12


def test_several_results_beside_older_ones_overwrite_none():
    there = {"cat-1.png", "cat-2.png"}
    for n in range(2):
        path = name_result("cat", ".png", index=n, count=2, exists=lambda path: str(path) in there)
        assert str(path) not in there
        there.add(str(path))


def test_a_name_that_was_asked_for_and_is_taken_is_refused_before_buying(tmp_path):
    out = tmp_path / "cat.png"
    check_out(out)
    out.write_bytes(b"")
    with pytest.raises(InvalidArgument, match=r"cat\.png exists: .*--force") as caught:
        check_out(out)
    assert caught.value.param == "out"
    check_out(out, force=True)
    assert name_result("x", ".png", out=out, force=True) == out
    (tmp_path / "dog-2.png").write_bytes(b"")
    with pytest.raises(InvalidArgument, match=r"dog-2\.png exists"):
        check_out(tmp_path / "dog.png", count=3)


@pytest.mark.parametrize("count", [1, 12])
def test_a_name_that_is_too_long_for_its_part_is_refused_before_buying(tmp_path, count):
    numbered = 0 if count == 1 else 3
    check_out(tmp_path / ("a" * (240 - numbered) + ".jpeg"), count=count)
    for name in ("a" * (246 - numbered) + ".jpeg", "雪" * 83 + ".jpeg", "a" * 300):
        with pytest.raises(InvalidArgument, match="too long"):
            check_out(tmp_path / name, count=count)


def test_after_buying_a_result_always_gets_a_name(tmp_path):
    (tmp_path / "cat.jpeg").write_bytes(b"")
    out = tmp_path / "cat.png"
    check_out(out)
    assert name_result("x", ".jpeg", out=out) == tmp_path / "cat-2.jpeg", (
        "it was no png, and its name is taken"
    )


def test_a_folder_that_is_none_or_cannot_be_written_is_refused_before_buying(tmp_path, monkeypatch):
    (tmp_path / "a file").write_bytes(b"")
    for out in ("a file/cat.png", "a file/b/"):
        with pytest.raises(InvalidArgument, match="a file is a file"):
            check_out(f"{tmp_path}/{out}")
    for out in (None, tmp_path, f"{tmp_path}/new/deep/", tmp_path / "new" / "cat.png"):
        check_out(out)
    # A test may run as root, who can write everywhere
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with pytest.raises(InvalidArgument, match="cannot be written"):
        check_out(tmp_path / "cat.png")


@pytest.mark.parametrize(
    ("out", "suffix", "path"),
    [
        ("cat.jpg", ".jpeg", "cat.jpg"),
        ("cat.JPG", ".jpeg", "cat.JPG"),
        ("cat.png", ".jpeg", "cat.jpeg"),
        ("cat", ".jpeg", "cat.jpeg"),
        ("cat v1.2", ".jpeg", "cat v1.2.jpeg"),
        ("answers.jsonl", ".json", "answers.jsonl"),
        ("book.srt", ".txt", "book.srt"),
        ("book.m4b", ".m4a", "book.m4b"),
        ("answer", ".txt", "answer.txt"),
        ("Dr. Who", ".txt", "Dr. Who.txt"),
        ("Dr. Who", ".bin", "Dr. Who.bin"),
        ("a.日记", ".mp3", "a.日记.mp3"),
        (".hidden", ".jpeg", ".hidden.jpeg"),
        ("-x", ".jpeg", "-x.jpeg"),
        ("new/.", ".mp4", "new/a-cat.mp4"),
        ("new/..", ".mp4", "new/../a-cat.mp4"),
        ("new/", ".mp4", "new/a-cat.mp4"),
    ],
)
def test_the_ending_is_corrected(out, suffix, path):
    assert name_result("a cat", suffix, out=out, exists=taken()) == Path(path)


@pytest.mark.parametrize(
    ("out", "first", "next_free"),
    [
        ("Dr. Who", "Dr. Who-1.bin", "Dr. Who-4.bin"),
        ("雪" * 81, f"{'雪' * 79}-1.bin", f"{'雪' * 79}-4.bin"),
        ("a" * 245, f"{'a' * 239}-1.bin", f"{'a' * 239}-4.bin"),
    ],
    ids=["dot", "wide", "long"],
)
def test_a_number_stands_before_the_ending_and_the_name_stays_short_enough(out, first, next_free):
    assert name_result("", ".bin", out=out, count=3, exists=taken()) == Path(first)
    assert name_result("", ".bin", out=out, count=3, exists=taken(first)) == Path(next_free)


def test_a_folder_takes_made_names(tmp_path):
    assert name_result("a cat", ".png", out=tmp_path) == tmp_path / "a-cat.png"


def test_a_name_for_a_record_means_the_same_in_another_folder(tmp_path, monkeypatch):
    (tmp_path / "there").mkdir()
    monkeypatch.chdir(tmp_path)
    asked = [None, "cat.png", "new/", "there"]
    before = [name_result("a cat", ".png", out=out).absolute() for out in asked]
    kept = [absolute(out) for out in asked]
    monkeypatch.chdir("/")
    assert [name_result("a cat", ".png", out=out) for out in kept] == before


@pytest.mark.parametrize(
    ("name", "bare"),
    [
        ("book.mp3", "book"),
        ("Book.MP3", "Book"),
        ("book.m4b", "book"),
        ("Dr. Who", "Dr. Who"),
        ("part.1", "part.1"),
        ("a.b.pcm", "a.b"),
        ("book", "book"),
        (".hidden", ".hidden"),
    ],
)
def test_only_an_ending_of_media_is_one(name, bare):
    assert without_ending(name, "pcm") == bare
