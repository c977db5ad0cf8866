"""Records of tasks that cannot be written or read, what came before them, and who searches them."""

import pytest

from realtime.errors import InvalidArgument, ProviderUnavailable
from realtime.task_records import RecordState, TaskRecords, Unreadable, answer_came, request_leaves
from tests.test_task_records import HERE, ended, made


@pytest.fixture
def records(tmp_path) -> TaskRecords:
    return TaskRecords(tmp_path / "tasks")


@pytest.mark.parametrize(
    "error", [ProviderUnavailable("the link is dead"), KeyboardInterrupt(), OSError(28, "full")]
)
def test_nothing_is_a_refusal_once_the_answer_has_begun(records, error):
    ended(records, error, (request_leaves, True), (lambda billed: answer_came(), True))
    (found,) = records.recent().records
    assert (found.state, found.charged) == (RecordState.UNKNOWN, True)
    assert found.reason.startswith("charged, but not saved: ")


def test_what_came_with_the_answer_is_in_the_record(records):
    with records.create("speech", platform=HERE, arguments={"out": "x"}) as work:
        answer_came(links=["https://files/1"])
        answer_came(paths=["/tmp/x.mp3"])
        work.sent("")
    found = records.find(work.record.key)
    assert (found.state, found.task_id, found.paths) == (RecordState.SENT, found.key, ("/tmp/x.mp3",))
    assert found.arguments == {"out": "x", "links": ["https://files/1"]}
    same = records.same("speech", {"out": "x"}, platform=HERE)
    assert same == found, "what was added later does not make it other work"


def test_a_disk_that_fails_before_the_request_leaves_is_no_charge(records):
    with pytest.raises(OSError, match="full"), records.create("speech", platform=HERE):
        raise OSError(28, "full")
    (found,) = records.recent().records
    assert found.state is RecordState.FAILED
    assert "nothing is charged" in found.reason


def full_after(records: TaskRecords, monkeypatch, writes: int) -> list[str]:
    """A disk that takes so many records more; what the user is told."""
    written, left, told = records.write, [writes], []

    def write(record):
        if not left[0]:
            raise OSError(28, "No space left on device")
        left[0] -= 1
        written(record)

    monkeypatch.setattr(records, "write", write)
    monkeypatch.setattr(records, "warn", told.append)
    return told


def test_work_goes_on_when_its_record_can_no_longer_be_written(records, monkeypatch):
    told = full_after(records, monkeypatch, 1)
    with records.create("video", platform=HERE) as work:
        work.sent("42")
        assert (work.record.state, work.record.task_id) == (RecordState.SENT, "42")
        work.done(["/tmp/cat.mp4"])
    assert work.record.state is RecordState.DONE
    assert len(told) == 1
    assert "No space left on device" in told[0]
    assert told[0].endswith("Write down its id: 42")


def test_a_record_that_could_not_be_written_is_written_when_there_is_room_again(records, monkeypatch):
    with records.create("video", platform=HERE) as work:
        with monkeypatch.context() as full:
            full_after(records, full, 0)
            work.sent("42")
        assert records._read(work.record.key).state is RecordState.SENDING
    assert records.find("42").state is RecordState.SENT


def test_an_error_is_not_hidden_by_a_record_that_cannot_be_written(records, monkeypatch):
    told = full_after(records, monkeypatch, 1)
    with pytest.raises(InvalidArgument, match="too long"), records.create("video", platform=HERE):
        raise InvalidArgument("too long", param="prompt")
    assert len(told) == 1


def test_who_searches_finds_all_and_a_table_the_newest(records, monkeypatch):
    monkeypatch.setattr("os.fsync", lambda handle: None)
    seconds = iter(range(1_700_000_000, 1_700_001_000))
    monkeypatch.setattr(records, "_now", lambda: float(next(seconds)))
    made(records, "paid")
    with records.create("design", platform=HERE) as work:
        work.done()
    for _ in range(201):
        with records.create("image", platform=HERE) as work:
            work.done()
    assert records.recent().more == 3
    assert [each.task_id for each in records.all(states=(RecordState.SENT,)).records] == ["paid"]
    assert [each.kind for each in records.all(kinds=("design", "clone")).records] == ["design"]
    assert len(records.all().records) == 203


def test_each_record_is_read_once_by_a_command_that_searches_often(records, monkeypatch):
    for number in range(5):
        made(records, str(number), kind="narration", arguments={"chapter": number})
    read = []
    monkeypatch.setattr(records, "_read", lambda key, inner=records._read: (read.append(key), inner(key))[1])
    for _ in range(10):
        assert records.same("narration", {"chapter": "new"}, platform=HERE) is None
    assert len(read) == 5


@pytest.mark.parametrize(
    "content",
    [
        '{"version": 1, "key": "2026',
        "[" * 100_000,
        '{"version": 1, "kind": "video", "state": "sent", "created_s": "now", "platform": "x"}',
        '{"version": 1, "kind": "video", "state": "sent", "created_s": NaN, "platform": "x"}',
        '{"version": 1, "kind": "video", "state": "lost", "created_s": 1, "platform": "x"}',
        '{"version": 1, "kind": "video", "state": "sent", "created_s": 1, "platform": "x", "arguments": []}',
        '{"version": 1, "kind": "video", "state": "sent", "created_s": 1, "platform": "x", "paths": [1]}',
        '{"version": 1, "kind": "video", "state": "sent", "created_s": 1, "platform": "x", "task_id": 7}',
        '{"version": 2, "kind": "video"}',
    ],
)
def test_what_cannot_be_read_stops_what_it_may_have_bought_until_it_is_forgotten(records, content):
    made(records, "5", arguments={"seconds": 6})
    (records.folder / "20260101-x.json").write_text(content)
    assert records.same("video", {"seconds": 6}, platform=HERE).task_id == "5", "that one was surely bought"
    with pytest.raises(InvalidArgument, match="realtime tasks forget 20260101-x"):
        records.same("video", {"seconds": 9}, platform=HERE)
    assert records.same("video", {"seconds": 9}, platform=HERE, strict=False) is None
    (told,) = records.all(states=(RecordState.SENT,)).broken
    assert told.endswith("To remove it: realtime tasks forget 20260101-x")
    with pytest.raises(Unreadable, match="cannot be read"):
        records.work_on("20260101-x")
    assert records.forget("20260101-x.json").key == "20260101-x"
    assert records.same("video", {"seconds": 9}, platform=HERE) is None


def test_a_record_of_a_newer_version_stops_only_its_own_kind(records):
    records.folder.mkdir()
    (records.folder / "20260101-x.json").write_text('{"version": 2, "kind": "video"}')
    assert records.same("narration", {}, platform=HERE) is None
