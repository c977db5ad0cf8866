"""How commands end: exit statuses, sentences with the next step, JSON."""

import errno
import json

import pytest

from realtime import cli
from realtime.commands import tasks
from realtime.commands.outcome import outcome_of
from realtime.errors import (
    AnswerLost,
    ConfigError,
    InvalidArgument,
    NotFinished,
    ProviderUnavailable,
    TaskFailed,
)
from realtime.task_records import Busy


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (ConfigError("no key"), 2, ["no key"]),
        (InvalidArgument("n is 10", param="n"), 2, ["n is 10"]),
        (TaskFailed("sensitive", task_id="7"), 1, ["sensitive"]),
        (ProviderUnavailable("cannot be reached"), 1, ["cannot be reached"]),
        (Busy("another process"), 1, ["another process"]),
        (NotFinished("it goes on", task_id="7"), 3, ["it goes on", "realtime tasks wait 7"]),
        (AnswerLost("no answer."), 1, ["may have been accepted", "realtime tasks"]),
        (OSError(errno.ENOSPC, "No space left", "a.mp4"), 1, ["disk is full", "a.mp4"]),
        (PermissionError(errno.EACCES, "Permission denied", "/a"), 1, ["/a: Permission denied."]),
        (OSError("ffmpeg could not write the file"), 1, ["ffmpeg"]),
    ],
)
def test_an_error_is_a_status_and_a_sentence_with_the_next_step(error, status, said, monkeypatch, capsys):
    def run(args):
        raise error

    monkeypatch.setattr(tasks, "run", run)
    assert cli.main(["tasks", "list"]) == status
    shown = capsys.readouterr()
    assert shown.out == ""
    for words in said:
        assert words in shown.err
    assert cli.main(["tasks", "list", "--json"]) == status
    shown = capsys.readouterr()
    assert shown.err == ""
    document = json.loads(shown.out)
    assert document["status"] == status
    assert document["error"]["type"] == type(error).__name__


def test_the_json_of_an_error_has_what_a_program_needs():
    document = outcome_of(InvalidArgument("n is 10", param="n", upstream_code=2013, trace_id="t")).document()
    assert document["error"] == {
        "type": "InvalidArgument", "message": "n is 10", "param": "n", "upstream_code": 2013, "trace_id": "t"
    }  # fmt: skip
    assert (
        outcome_of(NotFinished("x", task_id="7"))
        .document()["error"]["next"]
        .endswith("realtime tasks wait 7")
    )


def test_an_interruption_is_130(monkeypatch, capsys):
    def run(args):
        raise KeyboardInterrupt

    monkeypatch.setattr(tasks, "run", run)
    assert cli.main(["tasks"]) == 130
    assert capsys.readouterr() == ("", "")
    assert cli.main(["tasks", "--json"]) == 130
    assert json.loads(capsys.readouterr().out)["error"]["type"] == "Interrupted"


@pytest.mark.parametrize("error", [ValueError("a bug"), KeyError("x"), TimeoutError()])
def test_a_bug_keeps_its_traceback(error, monkeypatch):
    def run(args):
        raise error

    monkeypatch.setattr(tasks, "run", run)
    with pytest.raises(type(error)):
        cli.main(["tasks"])


def test_a_wrong_option_is_json_too(capsys):
    assert cli.main(["tasks", "list", "--json", "--no-such-flag"]) == 2
    shown = capsys.readouterr()
    assert "--no-such-flag" in json.loads(shown.out)["error"]["message"]
    assert shown.err == ""


def test_the_help_page_is_grouped_and_has_every_command(monkeypatch):
    monkeypatch.setattr(
        "realtime.errors.own_command", lambda: "realtime"
    )  # as in an environment that is activated
    page = cli.help_page()
    for group, commands in cli.GROUPS.items():
        assert f"\n{group}:\n" in page
        for name in commands:
            assert f"  realtime {name}" in page
    assert max(len(line) for line in page.splitlines()) <= 120
