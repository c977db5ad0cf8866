"""The command line: help, wrong options, exit statuses, audio files. No command prints a traceback."""

import contextlib
import io
import os
import signal
import socket
import subprocess
import sys
import urllib.request
import wave
from pathlib import Path

import numpy as np
import pytest

from realtime import cli
from realtime.commands.foreign_packages import refuse_foreign_packages
from realtime.errors import ConfigError
from realtime.minimax.sniff import sniff
from tests import programs
from tests.commands.running import run_here

ROOT = Path(__file__).parents[2]
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith(("MINIMAX_", "REALTIME_"))}


def realtime(*words: str, cwd: Path = ROOT, **env: str) -> subprocess.CompletedProcess:
    """Run one command in this process, which is much cheaper than a new one."""
    status, out, err = run_here(words, {**CLEAN, **env}, cwd)
    assert "Traceback" not in err, err
    return subprocess.CompletedProcess(words, status, out, err)


def realtime_program(
    *words: str, input: str | None = None, cwd: Path = ROOT, **env: str
) -> subprocess.CompletedProcess:
    """Run one command as a program of its own: for what it reads from stdin, and for its processes."""
    environ = {**CLEAN, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'clients'}", **env}
    ran = programs.run(*words, input=input, cwd=cwd, env=environ)
    assert "Traceback" not in ran.stderr, ran.stderr
    return ran


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "gbk"])
def test_what_the_encoding_of_the_terminal_cannot_hold_is_shown_as_a_code(monkeypatch, encoding):
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding, errors="strict"))
    with cli._standard_streams():
        print("ok 你 \u0e01 …", "a\udce9.wav", flush=True)
    assert written.getvalue().startswith(b"ok ")
    assert b"\\u0e01" in written.getvalue()
    assert b" a\xe9.wav" in written.getvalue()  # the file's name, byte by byte


def test_help_names_every_command():
    ran = realtime_program("--help")
    assert ran.returncode == 0
    for command in ("serve", "talk", "say", "ask", "tasks", "sandbox", "doctor"):
        assert f"realtime {command}" in ran.stdout


@pytest.mark.parametrize("command", ["serve", "talk", "say", "ask", "tasks", "sandbox", "doctor"])
def test_every_command_has_help(command):
    ran = realtime(command, "--help")
    assert ran.returncode == 0
    assert f"realtime {command}" in ran.stdout


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["ask", "caf\udce9"], "TEXT"),
        (["say", "caf\udce9"], "TEXT"),
        (["image", "caf\udce9", "--json"], "PROMPT"),
        (["voices", "design", "deep", "--say", "caf\udce9"], "--say"),
        (["video", "template", "x", "--text", "caf\udce9"], "--text"),
    ],
)
def test_bytes_that_are_no_text_are_refused_on_the_command_line(words, named):
    ran = realtime(*words)
    assert ran.returncode == 2
    assert f"argument {named}: this is no text in UTF-8" in ran.stdout + ran.stderr


def test_the_name_of_a_file_may_have_bytes_that_are_no_text():
    ran = realtime("narrate", "caf\udce9.txt", "--dry-run")
    assert "There is no file" in ran.stderr


def test_the_help_of_actions_says_what_they_do_and_where_their_options_are(capsys):
    for words, said in (
        (["video", "--help"], "`realtime video ACTION --help`"),
        (["video", "create", "--help"], "A film from words and pictures."),
        (["voices", "keep", "--help"], "Use a new voice once, so that it is not deleted after 168 h."),
    ):
        with pytest.raises(SystemExit):
            cli.main(words)
        assert said in " ".join(capsys.readouterr().out.split())


def test_the_error_for_a_misspelt_command_suggests_one():
    ran = realtime("serv")
    assert ran.returncode == 2
    assert "realtime serve" in ran.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["ask", "how", "are", "you"], "are you (a text of several words needs quotes around it)"),
        (["image", "a", "cat", "--json"], "cat (a text of several words needs quotes around it)"),
        (["ask", "how", "--loud"], "unrecognized arguments: --loud"),
        (["setup"], "required: turn|voice"),
    ],
)
def test_a_wrong_command_line_is_told_so_that_it_can_be_mended(words, said, capsys):
    with contextlib.suppress(SystemExit):  # with `--json` it is a document
        assert cli.main(words) == 2
    printed = capsys.readouterr()
    assert said in printed.out + printed.err
    assert ("quotes" in printed.out + printed.err) == ("quotes" in said)


def test_help_about_a_command_is_its_page(capsys):
    with pytest.raises(SystemExit):
        cli.main(["help", "setup"])
    assert capsys.readouterr().out.startswith("usage: realtime setup ")
    assert cli.main(["help", "me"]) == 0
    assert capsys.readouterr().out == cli.help_page()


@pytest.mark.parametrize(
    ("words", "env", "named"),
    [
        (("serve", "--host", "0.0.0.0"), {}, "REALTIME_API_KEYS"),
        (("serve", "--port", "lots"), {}, "port"),
        (("serve",), {"MINIMAX_BASE_URL": "https://api.minimax.io"}, "MINIMAX_API_KEY"),
        (("serve",), {"MINIMAX_VOISE_ID": "x"}, "MINIMAX_VOICE_ID"),
        (("serve", "--tls-cert", "x.pem"), {}, "--tls-key"),
        (("serve",), {"TRANSCRIBER": "magic"}, "TRANSCRIBER"),
        (("say", "hi", "--out", "x.ogg"), {}, ".wav or .mp3"),
        (("talk", "--wav", "there-is-no-such-file.wav"), {}, "cannot be read"),
        (("ask", " ", "--out", "x.wav"), {}, "question is empty"),
    ],
)
def test_an_error_is_one_line_that_names_the_setting(words, env, named):
    ran = realtime(*words, **env)
    assert ran.returncode in (1, 2)
    assert named in ran.stderr
    assert len(ran.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_error_for_a_busy_port_names_the_flag(workers):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        ran = realtime_program("serve", "--port", port, "--workers", workers)
    assert ran.returncode == 2
    sentence = ran.stderr.strip().splitlines()[-1]
    assert sentence.startswith(f"realtime: Cannot listen on 127.0.0.1:{port} (Address already in use)")
    assert "realtime serve --port " in sentence


@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_error_for_an_address_of_another_machine_names_the_flag(workers):
    ran = realtime_program("serve", "--open", "--host", "192.0.2.1", "--port", "0", "--workers", workers)
    assert ran.returncode == 2
    assert ran.stderr.strip().endswith("choose another --host.")


def test_doctor_shows_the_sources_of_settings_and_no_keys(tmp_path):
    (tmp_path / "realtime.toml").write_text('[minimax]\nvoice_id = "female-shaonv"\n')
    key = "sk-api-very-secret-0123456789"
    ran = realtime(
        "doctor",
        "--settings",
        cwd=tmp_path,
        MINIMAX_API_KEY=key,
        MINIMAX_BASE_URL="http://127.0.0.1:9",
        REALTIME_API_KEYS="another-secret-key-123",
    )
    assert key not in ran.stdout + ran.stderr
    assert "another-secret-key-123" not in ran.stdout
    rows = {line.split()[0]: line for line in ran.stdout.splitlines() if line.strip()}
    assert "female-shaonv" in rows["MINIMAX_VOICE_ID"]
    assert "realtime.toml" in rows["MINIMAX_VOICE_ID"]
    assert "environment" in rows["MINIMAX_BASE_URL"]
    assert ran.returncode == 1, "no server listens at that address"


def samples(path: Path) -> np.ndarray:
    with wave.open(str(path)) as file:
        assert file.getframerate() == 24_000
        return np.frombuffer(file.readframes(file.getnframes()), np.int16)


def test_say_writes_speech_to_a_file(tmp_path):
    out = tmp_path / "said.wav"
    assert realtime("say", "We must find a new home in the stars.", "--out", str(out)).returncode == 0
    sound = samples(out)
    assert 1.5 < len(sound) / 24_000 < 5
    assert np.abs(sound).max() > 3000


def test_say_reads_a_stream(tmp_path):
    out = tmp_path / "said.wav"
    ran = realtime_program(
        "say", "-", "--out", str(out), input="One sentence. And another one, a little longer."
    )
    assert ran.returncode == 0, ran.stderr
    assert len(samples(out)) / 24_000 > 2


@pytest.mark.parametrize("name", ["said.wav", "said.mp3"])
@pytest.mark.parametrize("text", ["", "  \n", "\N{SLIGHTLY SMILING FACE}", "***", "<b></b>", "..."])
def test_say_writes_no_file_for_a_text_without_a_word(tmp_path, text, name):
    ran = realtime("say", text, "--out", str(tmp_path / name))
    assert ran.returncode == 2
    assert ran.stderr.strip() == "realtime: There is nothing to say: the text has no word."
    assert not list(tmp_path.iterdir())


def test_say_writes_no_file_for_an_empty_stream(tmp_path):
    ran = realtime_program("say", "-", "--out", str(tmp_path / "said.wav"), input="")
    assert ran.returncode == 2
    assert ran.stderr.strip() == "realtime: There is nothing to say: the text has no word."
    assert not list(tmp_path.iterdir())


def test_say_gets_mp3_from_the_platform(tmp_path):
    pytest.importorskip("av", reason="the sandbox encodes with it: pip install 'minimax-realtime[sandbox]'")
    out = tmp_path / "said.mp3"
    ran = realtime("say", "We must *find* a new home. In the stars.", "--out", str(out), "--speed", "1.2")
    assert ran.returncode == 0, ran.stderr
    assert sniff(out.read_bytes()[:512]) == "mp3"


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("ask", "Hi", "--url", "wss://127.0.0.1:9"), 1, "Nothing answers at wss://127.0.0.1:9/v1/realtime"),
        (("ask", "Hi", "--url", "https://127.0.0.1:9/voice"), 1, "wss://127.0.0.1:9/voice/v1/realtime"),
        (("talk", "--text", "--url", "ftp://h"), 1, "is not an address"),
        (("ask", "Hi", "--url", "h", "--api-key", "a\nb"), 2, "--api-key must be one line"),
        (("ask", "Hi", "--url", "h", "--ca-file", "none.pem"), 1, "none.pem cannot be used"),
        (("say", "Hi", "--url", "ws://127.0.0.1:8000"), 2, "--url must be an address like https://"),
        (("say", "Hi", "--api-key", "two words"), 2, "api"),
        (("voices", "--api-key", "schl\u00fcssel"), 2, "api"),
    ],
)
def test_a_wrong_address_or_key_is_one_sentence(words, status, said):
    ran = realtime(*words, "--out", "x.wav") if words[0] in ("ask", "say") else realtime(*words)
    assert ran.returncode == status, ran.stderr
    assert said in ran.stderr
    lines = ran.stderr.strip().splitlines()
    if lines[0].startswith("realtime: Connecting to"):  # a sign of life, where the machine is slow
        del lines[0]
    assert len(lines) == 1


@pytest.mark.parametrize("command", ["ask", "say"])
@pytest.mark.parametrize("speed", ["0.4", "9", "nan", "fast"])
def test_a_speed_that_is_none_is_told_with_its_range(command, speed):
    ran = realtime(command, "Hi", "--speed", speed)
    assert ran.returncode == 2
    assert f"{speed} is not a number from 0.5 to " in ran.stderr


def test_a_greeting_is_not_in_the_way_of_a_question(tmp_path):
    out = tmp_path / "answer.wav"
    ran = realtime("ask", "What is two plus two?", "--out", str(out), REALTIME_GREETING="Hello, I am here.")
    assert ran.returncode == 0, ran.stderr
    assert "four" in ran.stdout
    assert "here" not in ran.stdout


@pytest.mark.parametrize("name", ["ask", "say", "talk"])
def test_the_flag_for_a_file_has_one_name(name):
    help_page = realtime(name, "--help").stdout
    assert "--out FILE" in help_page
    assert "--save" not in help_page


@pytest.mark.parametrize("words", [("ask", "Hi"), ("say", "Hi"), ("talk",)])
def test_without_a_speaker_the_flag_of_this_command_is_named(words, tmp_path):
    nothing = {"PULSE_SERVER": "unix:/nonexistent", "HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)}
    ran = realtime(*words, **nothing)
    if ran.returncode == 0 or "speaker" not in ran.stderr:
        pytest.skip("this machine has a speaker, or no PortAudio")
    assert "`--out FILE`" in ran.stderr


def test_ask_prints_and_saves_the_answer(tmp_path):
    out = tmp_path / "answer.wav"
    ran = realtime("ask", "What is two plus two?", "--out", str(out))
    assert ran.returncode == 0, ran.stderr
    assert "four" in ran.stdout
    assert np.abs(samples(out)).max() > 3000


def test_the_server_of_a_conversation_keeps_its_warnings_to_itself(tmp_path):
    """They are nothing to the person, who is told what failed: without a log, Python prints them bare in between."""
    words = ("ask", "Hi", "--voice", "nobody", "--out", str(tmp_path / "answer.wav"))
    ran = realtime_program(*words)
    assert ran.returncode == 1
    assert ran.stdout == ""
    assert ran.stderr.count("\n") == 1, ran.stderr
    assert "this voice cannot be used" in ran.stderr
    ran = realtime_program(*words, REALTIME_LOG_LEVEL="warning")
    assert "reply failed id=resp_" in ran.stderr


def test_talk_with_text_keeps_the_history(tmp_path):
    out = tmp_path / "talk.wav"
    lines = "My name is Ada.\nWhat is my name?\n"
    ran = realtime_program("talk", "--text", "--out", str(out), input=lines)
    assert ran.returncode == 0, ran.stderr
    assert "Ada" in ran.stdout.split("What is my name?")[-1]


def test_serve_prints_one_block_and_stops_cleanly():
    serving = subprocess.Popen(
        [sys.executable, "-m", "realtime", "serve", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=CLEAN,
    )
    try:
        block = [serving.stdout.readline()]
        while block[-1].split() != ["stop", "Ctrl-C"]:
            block.append(serving.stdout.readline())
            assert block[-1], block
        url = block[0].split()[-1]
        with urllib.request.urlopen(f"{url}/healthz", timeout=60) as answer:
            assert answer.status == 200
        with urllib.request.urlopen(url, timeout=60) as answer:
            assert b"<html" in answer.read()
        serving.send_signal(signal.SIGTERM)
        out, err = serving.communicate(timeout=60)
        assert serving.returncode == 0, err
        assert out == "", "more than the block"
        assert "Traceback" not in err
    finally:
        serving.kill()
        serving.communicate()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("top_level.txt", "realtime\n"),
        ("RECORD", "a/b.py,,\nrealtime/client.py,,\n"),
        ("RECORD", "realtime.py,,\n"),
    ],
)
def test_other_packages_with_our_module_name_are_an_error(monkeypatch, tmp_path, name, text):
    for package, files in (("realtime-py", text), ("realtime-tools", "realtime_tools/realtime/a.py,,\n")):
        folder = tmp_path / f"{package.replace('-', '_')}-2.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 2.0\n")
        (folder / (name if files == text else "RECORD")).write_text(files)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigError, match="pip uninstall realtime-py, or"):
        refuse_foreign_packages()
