"""Records of tasks on disk: states, crashes, two processes, broken files, secrets."""

import asyncio
import itertools
import json
import os
import signal
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from realtime.errors import (
    AnswerLost,
    ConfigError,
    InvalidArgument,
    NotFinished,
    ProviderUnavailable,
    TaskFailed,
)
from realtime.task_records import (
    Busy,
    RecordState,
    TaskRecords,
    request_leaves,
    request_waits,
)

ROOT = Path(__file__).parents[1]
HERE = "https://api.minimaxi.com"


@pytest.fixture
def records(tmp_path) -> TaskRecords:
    return TaskRecords(tmp_path / "tasks")


def run_python(code: str, folder: Path) -> subprocess.Popen:
    """Another process with `records` for the same folder."""
    before = f"from realtime.task_records import *\nfrom pathlib import Path\nrecords = TaskRecords(Path({str(folder)!r}))\n"
    return subprocess.Popen(
        [sys.executable, "-c", before + textwrap.dedent(code)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


def made(records: TaskRecords, task_id: str | None = None, **given):
    with records.create(given.pop("kind", "video"), platform=HERE, **given) as work:
        if task_id:
            work.sent(task_id)
    return work.record


def test_a_record_is_on_disk_before_anything_is_sent_and_only_its_owner_can_read_it(records):
    with records.create("video", platform=HERE, prompt="雪山日出", arguments={"seconds": 6}) as work:
        path = records.folder / f"{work.record.key}.json"
        written = json.loads(path.read_text())
        assert written["state"] == "sending"
        assert (written["prompt"], written["arguments"]) == ("雪山日出", {"seconds": 6})
        for private in (path, records.folder / f".{work.record.key}.lock"):
            assert stat.S_IMODE(private.stat().st_mode) == 0o600
        assert stat.S_IMODE(records.folder.stat().st_mode) == 0o700


def test_a_task_goes_from_sending_over_sent_to_done(records, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with records.create("video", platform=HERE) as work:
        assert records.find(work.record.key).state is RecordState.SENDING
        work.sent("106916112212032")
        assert records.find("106916112212032").state is RecordState.SENT
        work.done(["a.mp4"])
    found = records.find("106916112212032")
    assert (found.state, found.paths) == (RecordState.DONE, (str(tmp_path / "a.mp4"),))


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (InvalidArgument("too long", param="prompt"), RecordState.FAILED),
        (ProviderUnavailable("cannot be reached"), RecordState.FAILED),
        (ConfigError("no key"), RecordState.FAILED),
        (AnswerLost("no answer"), RecordState.UNKNOWN),
        (KeyboardInterrupt(), RecordState.UNKNOWN),
        (asyncio.CancelledError(), RecordState.UNKNOWN),
        (ValueError("a bug"), RecordState.UNKNOWN),
    ],
)
def test_an_error_before_the_answer_decides_whether_it_may_be_charged(records, error, state):
    with pytest.raises(type(error)), records.create("image", platform=HERE) as work:
        raise error
    found = records.find(work.record.key)
    assert found.state is state
    assert found.reason


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (TaskFailed("sensitive", task_id="7"), RecordState.FAILED),
        (NotFinished("goes on", task_id="7"), RecordState.SENT),
        (KeyboardInterrupt(), RecordState.SENT),
        (OSError(28, "No space left on device"), RecordState.SENT),
    ],
)
def test_a_task_with_an_id_is_lost_by_nothing_but_its_own_failure(records, error, state):
    work = records.create("video", platform=HERE)
    work.sent("7")
    with pytest.raises(type(error)), work:
        raise error
    assert records.find("7").state is state


def test_a_process_that_was_killed_while_sending_leaves_an_unknown_record(records):
    other = run_python(
        "with records.create('video', platform='x') as work:\n print(work.record.key, flush=True)\n input()",
        records.folder,
    )
    key = other.stdout.readline().strip()
    seen = records.find(key)
    assert (seen.state, seen.busy) == (RecordState.SENDING, True)
    other.kill()
    other.communicate()
    seen = records.find(key)
    assert (seen.state, seen.busy) == (RecordState.UNKNOWN, False)
    assert "maybe charged" in seen.reason


def test_kill_in_the_middle_of_writing_leaves_a_whole_record(records):
    code = """
    import itertools
    with records.create('video', platform='x', prompt='p' * 200_000) as work:
        print(work.record.key, flush=True)
        for number in itertools.count():
            work.sent(str(number) * 10_000)
    """
    for _ in range(5):
        other = run_python(code, records.folder)
        key = other.stdout.readline().strip()
        other.send_signal(signal.SIGKILL)
        other.communicate()
        listing = records.recent()
        assert listing.broken == ()
        assert key in [record.key for record in listing.records]
        assert len(records.find(key).prompt) == 200_000


def test_two_processes_do_not_work_on_one_task(records):
    made(records, "42")
    other = run_python("with records.work_on('42'):\n print('mine', flush=True)\n input()", records.folder)
    assert other.stdout.readline().strip() == "mine"
    with pytest.raises(Busy, match="42"):
        records.work_on("42")
    with pytest.raises(Busy):
        records.forget("42")
    other.kill()
    other.communicate()
    with records.work_on("42") as work:
        work.done()
    assert records.find("42").state is RecordState.DONE


def test_looking_does_not_keep_others_from_working(records):
    record = made(records, "42")
    code = "for _ in range(300): records.recent()\nprint('done')"
    other = run_python("print('go', flush=True)\n" + code, records.folder)
    assert other.stdout.readline() == "go\n"
    worked = 0
    while other.poll() is None:
        with records.work_on(record.key):
            worked += 1
    assert other.communicate()[0] == "done\n"
    assert worked


def test_a_forgotten_task_leaves_no_file(records):
    made(records, "42")
    assert records.forget("4").task_id == "42"
    assert list(records.folder.iterdir()) == []
    with pytest.raises(InvalidArgument, match="no task '42'"):
        records.find("42")


def test_a_prefix_names_a_task_when_it_is_the_only_one(records):
    for task_id in ("1001", "1002", "100"):
        made(records, task_id)
    assert records.find("1001").task_id == "1001"
    assert records.find("100").task_id == "100", "the whole id wins over a prefix"
    with pytest.raises(InvalidArgument, match="more than one task"):
        records.find("10")
    with pytest.raises(InvalidArgument):
        records.find("")


def test_of_two_records_of_one_id_the_newest_is_meant(tmp_path):
    ticking = itertools.count(1_790_000_000.0)
    records = TaskRecords(tmp_path, now=lambda: next(ticking))
    made(records, "captain-01")
    made(records, "captain-01")
    newer, older = records.recent().records
    assert records.find("captain-01").key == records.find("capt").key == newer.key
    assert records.find(older.key).key == older.key


def test_a_broken_file_is_reported_and_hides_nothing(records):
    made(records, "1")
    for name, content in [
        ("x1", b"{half"),
        ("x2", b"[]"),
        ("x3", b"\xff\xfe"),
        ("x4", b'{"version": 1, "new": 1}'),
        ("x5", b'{"version": 99}'),
    ]:
        (records.folder / f"{name}.json").write_bytes(content)
    listing = records.recent()
    assert [record.task_id for record in listing.records] == ["1"]
    assert len(listing.broken) == 5
    assert "another version" in " ".join(listing.broken)
    assert records.find("1").task_id == "1"


def test_the_list_is_bounded_and_begins_with_the_newest(tmp_path):
    seconds = iter(range(1_700_000_000, 1_700_000_100))
    records = TaskRecords(tmp_path, now=lambda: float(next(seconds)))
    for number in range(5):
        made(records, str(number))
    listing = records.recent(limit=2)
    assert [record.task_id for record in listing.records] == ["4", "3"]
    assert listing.more == 3


def test_no_folder_is_an_empty_list(records):
    assert records.recent().records == ()


def test_the_newest_of_the_same_second_is_found(tmp_path):
    times_s = iter(1_900_000_000 + number / 100 for number in range(40))
    records, keys = TaskRecords(tmp_path, now=lambda: next(times_s)), []
    for _ in range(40):
        with records.create("film", platform="http://h", arguments={"a": 1}) as work:
            work.done()
        keys.append(work.record.key)
    assert records._keys() == keys[::-1]
    found = records.same("film", {"a": 1}, platform="http://h")
    assert found is not None
    assert found.key == keys[-1]


def test_the_same_work_is_found_unless_it_failed(records):
    arguments = {"text": "chapter 1", "voice": "v"}
    failed = made(records, kind="narration", arguments=arguments)
    with records.work_on(failed.key) as work:
        work.failed("no balance")
    assert records.same("narration", arguments, platform=HERE) is None
    made(records, "5", kind="narration", arguments=arguments)
    assert records.same("narration", dict(reversed(arguments.items())), platform=HERE).task_id == "5"
    assert records.same("narration", arguments, platform="http://127.0.0.1:9") is None
    assert records.same("narration", arguments | {"voice": "w"}, platform=HERE) is None


def test_a_key_is_never_written(tmp_path):
    key = 'sk-"very"-secret'
    records = TaskRecords(tmp_path, secrets=[key, ""])
    with records.create(
        "chat", platform=HERE, prompt=f"my key is {key}", arguments={"extra": {"auth": key}}
    ) as work:
        work.failed(f"{key} is no key")
    text = (tmp_path / f"{work.record.key}.json").read_text()
    assert "secret" not in text
    assert json.loads(text)["arguments"] == {"extra": {"auth": "***"}}


def test_a_folder_that_cannot_be_written_stops_before_sending(tmp_path):
    (tmp_path / "tasks").write_text("a file")
    with pytest.raises(OSError, match="tasks"):
        TaskRecords(tmp_path / "tasks").create("video", platform=HERE)


def test_arguments_that_are_no_json_leave_no_file(records):
    with pytest.raises(TypeError):
        records.create("video", platform=HERE, arguments={"picture": b"bytes"})
    assert list(records.folder.iterdir()) == []


def ended(records: TaskRecords, error: BaseException, *steps) -> list[str]:
    """What the record on disk said after each step of a request; then `error` ended it."""
    states = []
    with pytest.raises(type(error)):
        _steps(records, error, steps, states)
    return states


def _steps(records, error, steps, states):
    with records.create("image", platform=HERE) as work:
        for step, billed in steps:
            step(billed=billed)
            states.append(json.loads((records.folder / f"{work.record.key}.json").read_text())["state"])
        raise error


@pytest.mark.parametrize("error", [KeyboardInterrupt(), asyncio.CancelledError()])
def test_an_end_while_the_request_waits_is_no_charge_and_blocks_nothing(records, error):
    states = ended(records, error, (request_leaves, True), (request_waits, True))  # it was refused
    assert states == ["sending", "waiting"]
    (found,) = records.recent().records
    assert (found.state, found.reason) == (
        RecordState.FAILED,
        "interrupted before it was sent: nothing is charged",
    )
    assert (records.same("image", {}, platform=HERE), records.lost) == (None, False)


def test_a_request_that_leaves_after_its_wait_is_maybe_charged(records):
    states = ended(records, KeyboardInterrupt(), (request_waits, True), (request_leaves, True))
    assert states == ["waiting", "sending"]
    (found,) = records.recent().records
    assert (found.state, records.lost) == (RecordState.UNKNOWN, True)


def test_a_wait_that_costs_nothing_does_not_hide_a_request_that_has_left(records):
    free = ((request_waits, False), (request_leaves, False))
    states = ended(records, KeyboardInterrupt(), *free, (request_leaves, True), *free)
    assert states == ["waiting", "waiting", "sending", "sending", "sending"]
    (found,) = records.recent().records
    assert found.state is RecordState.UNKNOWN


def test_a_process_that_is_killed_while_it_waits_has_sent_nothing(records):
    with run_python(
        """
        import os
        with records.create("image", platform="p"):
            request_waits(billed=True)
            os._exit(9)
        """,
        records.folder,
    ) as process:
        process.wait(60)
    (found,) = records.recent().records
    assert (found.state, found.busy) == (RecordState.FAILED, False)
    assert "nothing is charged" in found.reason


async def test_each_task_of_the_loop_waits_for_its_own_work(records):
    async def one(number):
        with records.create("image", platform=HERE, prompt=str(number)) as work:
            await asyncio.sleep(0)
            if number:
                request_waits(billed=True)
            await asyncio.sleep(0)
            return work.record.state

    assert await asyncio.gather(one(0), one(1)) == [RecordState.SENDING, RecordState.WAITING]
    request_leaves(billed=True)  # nobody's
