"""Fixtures of the commands for tasks: a kind of task of the tests, and the records of its tasks."""

import sys
import types

import pytest

from realtime.commands.task_kinds import KIND_MODULES
from realtime.task_records import TaskRecords
from tests.commands.films import URL, Films
from tests.commands.running import at_home


@pytest.fixture
def films(tmp_path, monkeypatch):
    films = Films(tmp_path)
    module = types.ModuleType("realtime.commands.films_of_a_test")
    module.TASK_KINDS = (films.kind,)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(KIND_MODULES, "film", "films_of_a_test")
    at_home(monkeypatch, tmp_path, URL)
    return films


@pytest.fixture
def records(films, tmp_path):
    return TaskRecords(tmp_path / "minimax-realtime" / "tasks")
