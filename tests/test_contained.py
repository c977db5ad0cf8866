"""Code that is not ours ends nothing but itself."""

import asyncio

import pytest

from realtime.contained import Escaped, Outlived, contained


class Odd(BaseException):
    pass


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (SystemExit("usage: booking"), "SystemExit: usage: booking"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
        (Odd("no"), "Odd: no"),
        (BaseExceptionGroup("both", [SystemExit(1)]), "both"),
        (GeneratorExit(), "GeneratorExit"),
        (asyncio.CancelledError(), "it was cancelled"),
    ],
)
def test_what_would_end_more_is_an_ordinary_error(error: BaseException, message: str):
    async def work() -> None:
        raise error

    with pytest.raises(Escaped, match=message):
        asyncio.run(contained(work()))


def test_results_and_errors_pass():
    async def gives() -> int:
        return 7

    async def fails() -> int:
        raise KeyError("x")

    assert asyncio.run(contained(gives())) == 7
    with pytest.raises(KeyError):
        asyncio.run(contained(fails()))


async def test_a_cancel_from_outside_passes_and_one_of_an_inner_task_does_not():
    async def waits_for_a_cancelled_task() -> None:
        task = asyncio.create_task(asyncio.sleep(1))
        task.cancel()
        await task

    with pytest.raises(Escaped):
        await contained(waits_for_a_cancelled_task())
    outer = asyncio.create_task(contained(asyncio.sleep(60)))
    await asyncio.sleep(0)
    outer.cancel()
    with pytest.raises(asyncio.CancelledError):
        await outer


async def test_a_cancel_that_waits_when_it_begins_passes():
    async def asked_to_end() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await contained(asyncio.sleep(60))

    with pytest.raises(asyncio.CancelledError):
        await asyncio.create_task(asked_to_end())


def test_the_loop_outlives_a_task_that_wants_to_end_the_process():
    async def quits() -> None:
        await asyncio.sleep(0)
        raise SystemExit("usage: booking")

    async def run() -> None:
        with pytest.raises(Escaped, match="SystemExit: usage: booking"):
            await asyncio.create_task(Outlived(quits()))
        early = asyncio.create_task(Outlived(quits()))
        early.cancel()  # before it begins
        with pytest.raises(asyncio.CancelledError):
            await early

    asyncio.run(run())


async def test_a_timeout_around_it_works():
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await contained(asyncio.sleep(60))


def test_it_can_be_closed_before_its_end():
    """As the interpreter does with what nobody awaits any more."""

    async def begin() -> object:
        coroutine = contained(asyncio.sleep(60))
        coroutine.send(None)
        return coroutine

    asyncio.run(begin()).close()  # type: ignore[attr-defined]
