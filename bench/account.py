"""Several servers with one account: whether the limit holds, how much of it is used, and what the count costs.

    python -m bench.account [--limits 60,20] [--only "Redis gone"] [--short] [--json FILE]
    python -m bench.account --first-audio [--rounds 40]

Rows 5, 5b and 6 of "Several servers, one account" in bench/README.md. Twice as much is wanted as the account allows;
all days run at the same time, in real time, each with its own platform and Redis. Needs redis-server.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
from bisect import bisect_left
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.account_nodes import Account, account, redis_over_tcp
from bench.common import (
    Figures,
    WireClient,
    connected,
    figures,
    load_average,
    machine,
    now_s,
    play,
    server,
    table,
    today,
)
from bench.latency import ENGLISH, INSTRUCTIONS, stream
from bench.platform import platform
from tests.proxy import proxy_to

WINDOW_S = 60.0
FULL_S = 75.0  # from here on the account is used whole, and things happen
GONE_S, KEPT_S = 60.0, 120.0  # of Redis; a share is kept aside for so long
CUT_S, SHORT_CUT_S = 300.0, 150.0
DEMAND = 2.0
FAR_S = 0.05  # in each direction

Act = Callable[[Account], Awaitable[None]]


@dataclass(frozen=True)
class Day:
    """What happens, and the parts of it whose use is told: name, from s, to s."""

    name: str
    seconds: float
    acts: tuple[tuple[float, Act], ...] = ()
    parts: tuple[tuple[str, float, float], ...] = ()
    busy: int = 3
    shared: bool = True


@dataclass(frozen=True)
class Seen:
    """One day of one account."""

    name: str
    limit: int
    asked: int
    most: int  # in any 60 s
    use: float  # of the account, in the mean of all 60 s
    refused: int  # by the platform
    parts: dict[str, tuple[float, int]]  # use, and the most in any 60 s of it


async def _kill_redis(account: Account) -> None:
    assert account.redis is not None
    await asyncio.to_thread(account.redis.kill)


async def _start_redis(account: Account) -> None:
    assert account.redis is not None
    await asyncio.to_thread(account.redis.start)


async def _kill_node(account: Account) -> None:
    account.nodes[-1].kill()


async def _cut_node(account: Account) -> None:
    account.nodes[-1].cut()


async def _mend_node(account: Account) -> None:
    account.nodes[-1].mend()


def days(cut_s: float = CUT_S) -> list[Day]:
    back_s, over_s, mended_s = FULL_S + GONE_S, FULL_S + KEPT_S, FULL_S + cut_s
    return [
        Day("each counts for itself", 120.0, shared=False),
        Day("shared", 180.0),
        Day("shared, one node idle", 180.0, busy=2),
        Day(
            "Redis gone for 60 s, back empty",
            back_s + 150.0,
            ((FULL_S, _kill_redis), (back_s, _start_redis)),
            (("meanwhile", FULL_S, back_s), ("a minute after", back_s + 60.0, back_s + 150.0)),
        ),
        Day(
            "one node killed",
            over_s + 150.0,
            ((FULL_S, _kill_node),),
            (("meanwhile", FULL_S, over_s), ("a minute after", over_s + 60.0, over_s + 150.0)),
        ),
        Day(
            f"one node cut off for {cut_s:.0f} s",
            mended_s + 75.0,
            ((FULL_S, _cut_node), (mended_s, _mend_node)),
            (("first two minutes", FULL_S, over_s), ("later", over_s, mended_s)),
        ),
    ]


async def live(day: Day, limit: int, seed: int = 1) -> Seen:
    """One day of an account of so many requests a minute."""
    async with account(limit, shared=day.shared) as made:
        acting = asyncio.create_task(_act(day, made))
        await made.demand(DEMAND * limit, day.busy, day.seconds, seed)
        await acting
        return judge(day, limit, made.asked_s(), made.refused())


async def _act(day: Day, account: Account) -> None:
    for at_s, act in day.acts:
        await asyncio.sleep(max(0.0, account.began_s + at_s - now_s()))
        await act(account)


def judge(day: Day, limit: int, asked_s: Sequence[float], refused: int) -> Seen:
    """From the times of all requests that the platform saw."""
    times_s = sorted(at_s for at_s in asked_s if at_s < day.seconds)
    parts = {name: (use(times_s, limit, a, b), most(times_s, a, b)) for name, a, b in day.parts}
    return Seen(
        day.name,
        limit,
        len(times_s),
        most(times_s, 0.0, day.seconds),
        use(times_s, limit, 0.0, day.seconds),
        refused,
        parts,
    )


def most(times_s: Sequence[float], from_s: float, to_s: float) -> int:
    """The most requests in any 60 s that end in this part of the day."""
    ends = [index for index, at_s in enumerate(times_s) if from_s <= at_s < to_s]
    return max((index + 1 - bisect_left(times_s, times_s[index] - WINDOW_S) for index in ends), default=0)


def use(times_s: Sequence[float], limit: int, from_s: float, to_s: float) -> float:
    """The share of the limit that was used in the mean of all 60 s within this part of the day."""
    begins = [from_s + step for step in range(int(to_s - from_s - WINDOW_S) + 1)]
    used = [bisect_left(times_s, at_s + WINDOW_S) - bisect_left(times_s, at_s) for at_s in begins]
    return sum(used) / len(used) / limit if used else 0.0


def rows(seen: Sequence[Seen]) -> list[list[object]]:
    return [
        [
            one.name,
            one.limit,
            one.asked,
            one.most,
            f"{one.use:.0%}",
            ", ".join(f"{name}: {share:.0%} (most {top})" for name, (share, top) in one.parts.items()),
            one.refused,
        ]
        for one in seen
    ]


HEADS = ("day", "limit", "asked", "most in any 60 s", "use", "of it", "refused by the platform")

# -- row 6 --------------------------------------------------------------------------------------------------------


async def first_audio(client: WireClient, number: int) -> float:
    """Milliseconds from a question to the first sound."""
    client.clear()
    asked_s = await client.ask(f'Please say: "{ENGLISH[number % len(ENGLISH)]}"')
    await client.until("response.latency.done")
    reply = play(client.events)
    if reply.first_sound_s is None:
        raise RuntimeError("The reply ended without audio.")
    return (reply.first_sound_s - asked_s) * 1000


async def compare(rounds: int) -> dict[str, list[float]]:
    """First audio of each kind of server, in the same rounds; the order turns."""
    redis, port = redis_over_tcp()
    await asyncio.to_thread(redis.start)
    plain = {"TRANSCRIBER": "none", "REALTIME_INSTRUCTIONS": INSTRUCTIONS, "MINIMAX_CHAT_RPM": "100000"}
    times: dict[str, list[float]] = {"local": [], "shared": [], "shared, 100 ms to Redis": []}
    try:
        async with (
            platform(*stream(300, 80, 200)) as upstream,
            proxy_to(port) as far,
            server(upstream.url, **plain) as local,
            server(upstream.url, REALTIME_REDIS=f"redis://127.0.0.1:{port}", **plain) as near,
        ):
            far.latency_s = FAR_S
            address = f"redis://127.0.0.1:{far.port}"
            async with (
                server(
                    upstream.url, REALTIME_REDIS=address, REALTIME_REDIS_PREFIX="far:", **plain
                ) as distant,
                connected(local.url) as one,
                connected(near.url) as two,
                connected(distant.url) as three,
            ):
                clients = list(zip(times, (one, two, three), strict=True))
                for number in range(-2, rounds):  # the first two prewarm
                    for name, client in clients[number % 3 :] + clients[: number % 3]:
                        ms = await first_audio(client, number)
                        if number >= 0:
                            times[name].append(ms)
    finally:
        redis.close()
    return times


def more_than_local(times: dict[str, list[float]]) -> dict[str, Figures]:
    """The differences within each round."""
    return {
        name: figures([ms - least for ms, least in zip(values, times["local"], strict=True)])
        for name, values in times.items()
        if name != "local"
    }


async def _first_audio(rounds: int) -> str:
    times = await compare(rounds)
    more = more_than_local(times)
    lines = [
        [
            name,
            len(values),
            figures(values),
            f"{more[name].p50:+.1f} / {more[name].p95:+.1f}" if name in more else "",
        ]
        for name, values in times.items()
    ]
    return table(("server", "rounds", "first audio, p50 / p95 ms", "more than local, paired"), lines)


async def _days(options: argparse.Namespace) -> list[Seen]:
    limits = [int(limit) for limit in options.limits.split(",")]
    chosen = days(SHORT_CUT_S if options.short else CUT_S)
    wanted = [day for day in chosen if not options.only or options.only in day.name]
    return await asyncio.gather(*(live(day, limit) for limit in limits for day in wanted))


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.account")
    parser.add_argument("--limits", default="60,20", help="requests a minute of the account")
    parser.add_argument("--only", help="days whose name has these words")
    parser.add_argument("--short", action="store_true", help="a node is cut off for 150 s instead of 300")
    parser.add_argument("--json", help="also write the results to this file")
    parser.add_argument("--first-audio", action="store_true", help="row 6 instead")
    parser.add_argument("--rounds", type=int, default=40)
    options = parser.parse_args()
    logging.disable(logging.WARNING)  # Redis is away on purpose
    before = load_average()
    if options.first_audio:
        print(asyncio.run(_first_audio(options.rounds)))
    else:
        seen = asyncio.run(_days(options))
        print(table(HEADS, rows(seen)))
        if options.json:
            Path(options.json).write_text(json.dumps([asdict(one) for one in seen]))
    print(f"\n{today()}, {machine()}; load {before:.1f} before, {load_average():.1f} after")


if __name__ == "__main__":
    main()
