"""The log's lines: one for each event, in both formats, without keys and without what messages of errors quote."""

import json
import logging
import subprocess
import sys
from dataclasses import dataclass, fields, is_dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime import logs
from realtime.core import turn
from realtime.server.token_bucket import Throttle


def record(message="event", facts=None, error=None, level=logging.INFO):
    info = (type(error), error, error.__traceback__) if error else None
    made = logging.LogRecord("realtime.x", level, __file__, 1, message, (), info)
    made.facts = facts or {}
    return made


def raised(error: Exception) -> Exception:
    try:
        raise error
    except Exception as caught:
        return caught


@given(
    st.text(),
    st.dictionaries(st.sampled_from(["id", "host", "user_agent"]), st.text() | st.integers() | st.floats()),
)
def test_every_line_is_one_line_and_json_is_json(message, facts):
    text = logs.LogFormatter().format(record(message, facts))
    assert len(text.splitlines()) == 1
    line = logs.JsonFormatter().format(record(message, facts))
    assert len(line.splitlines()) == 1
    assert isinstance(json.loads(line), dict)


@pytest.mark.parametrize("kind", [logs.LogFormatter, logs.JsonFormatter])
def test_an_error_is_told_without_its_message_and_with_its_place(kind):
    words = ["flamingo", "umbrella", "xylophone"]
    error = raised(ValueError(f"could not convert {words[0]}"))
    error.__cause__ = raised(KeyError(words[1]))
    line = kind().format(record(error=ExceptionGroup(words[2], [error])))
    for word in words:
        assert word not in line
    assert "ValueError" in line
    assert "KeyError" in line
    assert "test_logs.py" in line


def test_the_file_of_a_system_error_is_told():
    assert "weights.bin" in logs.LogFormatter().format(
        record(error=FileNotFoundError(2, "No such file", "weights.bin"))
    )


@pytest.mark.parametrize("kind", [logs.LogFormatter, logs.JsonFormatter])
def test_keys_are_hidden_wherever_they_come_from(kind):
    secret = "sk-very-secret-key"
    line = kind([secret, secret + "-2"]).format(record(f"a {secret}-2 b", {"host": f"x{secret}y"}))
    assert "very-secret" not in line
    assert logs.HIDDEN in line


def test_a_key_is_hidden_as_json_writes_it():
    """Quotes and backslashes are escaped there."""
    key = 'sk-"very\\secret"'
    line = logs.JsonFormatter([key]).format(record(f"a {key} b", {"host": key}))
    assert "secret" not in line
    assert json.loads(line)["host"] == logs.HIDDEN


SECRET = "sk-marked-secret-0123456789"


@pytest.mark.parametrize("kind", [logs.LogFormatter, logs.JsonFormatter])
@given(before=st.integers(0, logs.MAX_TEXT + 5), after=st.integers(0, 300), where=st.integers(0, 4))
def test_no_part_of_a_key_is_left_where_a_text_is_cut(kind, before, after, where):
    """Wherever the key begins: before the cut, across it, behind it."""
    if where == 4:  # a message is cut later than a fact
        before += 9 * logs.MAX_TEXT
    text = "x" * before + SECRET + "x" * after
    made = (
        record(facts={"user_agent": text}),
        record(facts={"names": (text, "y")}),
        record(facts={"names": ["y" * 50, text]}),
        record(error=FileNotFoundError(2, "No such file", text)),
        record(text),
    )[where]
    line = kind([SECRET]).format(made)
    for length in range(5, len(SECRET) + 1):
        assert SECRET[:length] not in line


@pytest.mark.parametrize("kind", [logs.LogFormatter, logs.JsonFormatter])
@pytest.mark.parametrize(
    "key", ['a "b" é-secret', "back\\slash-secret", "tab\tin-secret", "ключ-secret", "秘密-secret"]
)
def test_a_key_of_any_characters_is_hidden(kind, key):
    assert "secret" not in kind([key]).format(record(f"a {key} b", {"host": f"a {key} b", "agent": key}))


@dataclass
class Said:
    text: str
    item_id: str
    at_ms: float
    final: bool


def test_an_outline_has_numbers_and_ids_and_no_text():
    shown = logs.outline(Said("flamingo", "item_abcdefgh12345678", 12.5, True))
    assert shown == "Said(text=<8 characters>, item_id=item_abcdefgh12345678, at_ms=12.5, final=True)"


def test_another_ones_handler_has_the_facts_in_the_message_and_apart(monkeypatch):
    """A host program with its own logging: cut, cleaned and without keys, as in our own lines."""
    monkeypatch.setattr(logs.Story, "in_words", logs.LogFormatter())
    kept: list[logging.LogRecord] = []
    logger = logging.Logger("realtime.x")
    logger.handle = kept.append
    facts = {"code": "insufficient_quota", "none": None, "agent": "a\nb sk-secret-key " + "y" * 300}
    logs.configure("info", "text", ["sk-secret-key"])
    logs.story(logger, "reply failed", facts, logging.WARNING)
    (made,) = kept
    line = logging.Formatter("%(levelname)s %(name)s: %(message)s").format(made)
    assert line.startswith(
        'WARNING realtime.x: reply failed code=insufficient_quota agent="a\\\\nb [hidden] yyy'
    )
    assert len(line) < logs.MAX_TEXT + 100
    assert made.facts == {name: fact for name, fact in facts.items() if fact is not None}
    ours = logs.LogFormatter().format(made)
    assert ours.count("code=insufficient_quota") == 1
    assert json.loads(logs.JsonFormatter().format(made))["message"] == "reply failed"


def test_of_a_flood_only_some_are_let_through_and_the_rest_is_counted():
    throttle = Throttle(burst=3, every_s=10.0)
    assert [throttle.allow("origin", 0.0) for _ in range(6)] == [0, 0, 0, None, None, None]
    assert throttle.allow("key", 0.0) == 0
    assert throttle.allow("origin", 10.0) == 3
    assert throttle.allow("origin", 10.0) is None


def test_no_turn_event_and_no_action_shows_a_text():
    kinds = [kind for kind in vars(turn).values() if isinstance(kind, type) and is_dataclass(kind)]
    assert len(kinds) > 10
    for kind in kinds:
        filled = object.__new__(kind)
        for field in fields(kind):
            object.__setattr__(filled, field.name, "flamingo")
        assert "flamingo" not in logs.outline(filled)


SCRIPT = """
import logging, sys, threading, warnings
from realtime import logs
logs.configure("debug", "json", ["sk-secret-key"])
logging.getLogger("websockets.server").debug("< TEXT flamingo")
logging.getLogger("websockets.server").warning("line of a library")
logging.getLogger("realtime.turns").debug("turn")
warnings.warn("a warning with sk-secret-key")
thread = threading.Thread(target=lambda: int("flamingo"), name="worker"); thread.start(); thread.join()
raise ValueError("flamingo")
"""


def test_every_line_of_a_process_is_an_object_those_of_libraries_warnings_and_crashes_too():
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False, env={"PYTHONPATH": "."}
    )
    entries = [json.loads(line) for line in done.stderr.splitlines()]
    assert [entry["logger"] for entry in entries] == [
        "websockets.server", "realtime.turns", "py.warnings", "realtime.logs", "realtime.logs"
    ]  # fmt: skip
    assert entries[3]["thread"] == "worker"
    assert entries[4]["error"] == "ValueError"
    assert "sk-secret-key" not in done.stderr
    assert "TEXT" not in done.stderr
