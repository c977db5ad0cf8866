"""The rows of `realtime doctor` for an account that servers share through Redis: each problem says what to do.

It shows neither the address nor a password, only what kind of trouble there is (docs/scale.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from realtime.commands.checks import Finding, Verdict
from realtime.errors import ConfigError
from realtime.settings import Settings

if TYPE_CHECKING:
    from realtime.providers.redis_report import AccountView, Refused

SLOW_MS = 50.0  # chunks after the first one wait so long
TOO_SLOW_MS = 250.0  # a server takes it for away
CLOCK_S = 5.0
OLDEST = 5  # the script reads Redis' clock and writes: older ones refuse that
PART = "redis"

PROBLEMS = {
    "timeout": ("no answer in 2 s", "check network and firewall between this machine and Redis"),
    "unreachable": ("nobody answers", "start Redis, or check host and port in REALTIME_REDIS"),
    "tls": (
        "no TLS connection",
        "rediss:// needs a Redis with TLS and a certificate that this machine trusts; redis:// is without",
    ),
    "password": ("it refuses user or password", "check both in REALTIME_REDIS"),
    "forbidden": ("this user may not do all that is needed", "docs/scale.md 4 lists keys and commands"),
    "replica": (
        "it is a replica and takes no writes",
        "name the master in REALTIME_REDIS, or the sentinels: redis+sentinel://a,b,c/NAME",
    ),
    "memory": ("it is out of memory", "raise its maxmemory: what servers keep there is small"),
    "loading": ("it is still reading its data", "wait a moment; it needs no persistence for this"),
    "no_master": (
        "the sentinels know no master of this name",
        "check the name after the last / of REALTIME_REDIS",
    ),
    "cluster": ("it is one node of a cluster", "use a single Redis, or sentinels"),
    "refuses_writes": (
        "it takes no writes",
        "is its replica there (min-replicas-to-write), and can it save to its disk? Its log says more",
    ),
    "other": ("it refuses what servers ask", "look into its log"),
}


async def redis_findings(settings: Settings) -> list[Finding]:
    """Nothing where no Redis is wanted."""
    if settings.redis is None:
        return []
    from realtime.providers.redis_errors import kind_of
    from realtime.providers.redis_report import report

    try:
        told = await report(settings)
    except ConfigError as error:
        return [Finding(PART, Verdict.BAD, "cannot be used", str(error))]
    except Exception as error:  # the library's, and those of sockets and TLS
        text, advice = PROBLEMS[kind_of(error)]
        return [Finding(PART, Verdict.BAD, text, advice)]
    found = [_answers(told.engine, told.version, told.latency_ms), *_clock(told.clock_ahead_s)]
    if told.eviction is not None:
        advice = (
            "set maxmemory-policy to noeviction: what is lost there was asked of the platform all the same"
        )
        found.append(Finding(PART, Verdict.NOTE, f"may forget requests ({told.eviction})", advice))
    found += map(_refused, told.refused)
    if settings.use_sandbox:
        text = "not used: each sandbox is an account of its own"
        return [*found, Finding("account", Verdict.NOTE, text, "set MINIMAX_API_KEY to share an account")]
    return [*found, *map(_account, told.accounts)]


def _refused(refused: Refused) -> Finding:
    text, advice = PROBLEMS[refused.kind]
    lost = {
        "sessions": "no session can go on at another server",
        "conversations": "conversations are not kept, or not listed",
    }
    return Finding(PART, Verdict.BAD, f"{text}: {lost[refused.link]}", advice)


def _answers(engine: str, version: str | None, latency_ms: float) -> Finding:
    name = f"{engine} {version}" if version else "a Redis that does not tell its version"
    text = f"{name}, answers in {latency_ms:.1f} ms"
    if version and engine == "Redis" and int(version.partition(".")[0]) < OLDEST:
        return Finding(PART, Verdict.BAD, text, f"it needs Redis {OLDEST} or newer, or Valkey")
    if latency_ms >= TOO_SLOW_MS:
        advice = f"servers wait for {TOO_SLOW_MS:.0f} ms at most: run Redis near them"
        return Finding(PART, Verdict.BAD, text, advice)
    if latency_ms >= SLOW_MS:
        return Finding(PART, Verdict.NOTE, text, "run it near the servers: later chunks wait for it")
    return Finding(PART, Verdict.GOOD, text)


def _clock(ahead_s: float) -> list[Finding]:
    way = "ahead of" if ahead_s >= 0 else "behind"
    text = f"its clock is {abs(ahead_s):.3f} s {way} ours"
    if abs(ahead_s) < CLOCK_S:
        return [Finding(PART, Verdict.GOOD, text)]
    advice = "the count uses the clock of Redis alone; but run NTP on both, for logs and client secrets"
    return [Finding(PART, Verdict.NOTE, text, advice)]


def _account(view: AccountView) -> Finding:
    nodes, part = view.nodes, f"account, {view.kind}"
    who = "no server uses it now" if not nodes else "1 server" if nodes == 1 else f"{nodes} servers share it"
    if view.account:
        part, who = f"{view.account}, {view.kind}", f"account {view.account}: {who}"
    text = f"{who}, {view.left} of {view.limit} requests of this minute are left"
    if view.left:
        return Finding(part, Verdict.GOOD, text)
    return Finding(part, Verdict.NOTE, text, "replies wait, or fail: docs/operations.md")
