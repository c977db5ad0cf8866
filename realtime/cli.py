"""The command line: runs one command and prints its errors.

Each command is a file in `realtime/commands/` with `add_arguments(parser)` and `run(args) -> exit status`; only the
command that runs is imported. The environment is passed on from here.
"""

from __future__ import annotations

import argparse
import asyncio
import difflib
import importlib
import os
import sys
from collections.abc import Sequence

from realtime import __version__
from realtime.errors import ConfigError, ProviderError

COMMANDS = {
    "serve": "the voice server and its talk page in the browser",
    "talk": "a live conversation in this terminal",
    "ask": "one question, one spoken answer",
    "say": "speech from text, or from a stream of text, as it arrives",
    "sandbox": "the MiniMax platform on this machine, without a key",
    "doctor": "checks what works on this machine, with advice",
    "setup": "download optional models into the cache",
}

HELP = """\
Talk with MiniMax in real time.

  realtime serve                       {serve}
  realtime talk                        {talk}
  realtime ask "What time is it?"      {ask}
  realtime say "Hello there."          {say}
  realtime sandbox                     {sandbox}
  realtime doctor                      {doctor}
  realtime setup turn                  {setup}

New here? Type `realtime serve` and open the address it prints. No key is needed: a sandbox answers and speaks.
With a key it is MiniMax itself:

  export MINIMAX_API_KEY=...           a key belongs to one region: mainland China is the default,
  export MINIMAX_BASE_URL=https://api.minimax.io      and this is the international one

Settings come from flags, then the environment, then realtime.toml, then defaults; `realtime doctor --settings` shows
them all. `realtime COMMAND --help` shows the options of one command, `realtime --version` the version.
"""

EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0, 1 for a failure, 2 for a wrong option or setting."""
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0] in ("-h", "--help", "help"):
        print(HELP.format(**COMMANDS), end="")
        return 0
    if words[0] in ("-V", "--version", "version"):
        print(f"realtime {__version__}")
        return 0
    if words[0] not in COMMANDS:
        return _fail(_unknown(words[0]), EXIT_USAGE)
    return _run_and_report(words[0], words[1:])


def _run_and_report(name: str, words: Sequence[str]) -> int:
    from realtime_client.errors import ClientError

    try:
        return _run(name, words)
    except ConfigError as error:
        return _fail(str(error), EXIT_USAGE)
    except (ProviderError, ClientError) as error:
        return _fail(str(error), EXIT_FAILED)
    except (KeyboardInterrupt, asyncio.CancelledError):
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # the reader of our output has closed it: avoid another error at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED


def _run(name: str, words: Sequence[str]) -> int:
    module = importlib.import_module(f"realtime.commands.{name}")
    parser = argparse.ArgumentParser(prog=f"realtime {name}", description=(module.__doc__ or "").strip())
    parser.set_defaults(environ=dict(os.environ))
    module.add_arguments(parser)
    status: int = module.run(parser.parse_args(words))
    return status


def _unknown(word: str) -> str:
    nearest = difflib.get_close_matches(word, COMMANDS, n=1)
    hint = f"Did you mean `realtime {nearest[0]}`?" if nearest else "See `realtime --help`."
    return f"There is no command {word!r}. {hint}"


def _fail(message: str, status: int) -> int:
    print(f"realtime: {message}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
