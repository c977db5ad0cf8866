"""The command line: runs one command and prints its errors.

Each command is a file in `realtime/commands/` with `add_arguments(parser)` and `run(args) -> exit status`; only the
command that runs is imported. A command with actions (`realtime tasks list`) adds sub-parsers, and may name the action
that runs when none is given (`DEFAULT_ACTION`); with `ACTIONS` also when the first word is none of them. One that
imports much for its work does so in `prepare(args)`, while Ctrl-C still ends the process at once (`interrupt.py`). The
environment is passed on from here.
"""

from __future__ import annotations

import argparse
import codecs
import contextlib
import difflib
import importlib
import io
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import NoReturn

from realtime import __version__, interrupt
from realtime.commands.outcome import EXIT_FAILED, EXIT_USAGE, outcome_of
from realtime.errors import ConfigError, as_typed

# Group → command → an example of its use, and what it is for. The page of `realtime --help` is made from it.
GROUPS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "Talk": {
        "serve": ("serve", "the voice server and its talk page in the browser"),
        "talk": ("talk", "a live conversation in this terminal"),
        "ask": ('ask "What time is it?"', "one question, one spoken answer"),
        "say": ('say "Hello there."', "speech from text, or from a stream of text, as it arrives"),
    },
    "The platform": {
        "voices": ("voices list --language zh", "voices: list, try, design, clone, keep, delete"),
        "narrate": ("narrate book.txt -o book/", "an audiobook of a text, Markdown or EPUB file"),
        "image": ('image "a cat on a red sofa"', "pictures from words, with a person of yours in them"),
        "music": ('music "jazz, late night"', "a song from words: sung, instrumental, or a cover"),
        "video": ('video "sunrise [Push in]"', "a film from words or pictures, or from a template"),
        "batch": ("batch run questions.jsonl", "many questions at half the price, answered within a day"),
        "files": ("files list", "files of the account: list, upload, get, info, delete"),
        "tasks": ("tasks", "what the platform works on for you: list, wait, resume, forget"),
    },
    "Set up": {
        "doctor": ("doctor", "checks what works on this machine, with advice"),
        "setup": ("setup voice", "download optional models into the cache"),
        "sandbox": ("sandbox", "the MiniMax platform on this machine, without a key"),
    },
}
COMMANDS = {name: help for group in GROUPS.values() for name, (_, help) in group.items()}

_SHOWN = "realtime.shown"  # what becomes of letters that the encoding of an output cannot hold
_FILES = ("FILE", "PATH", "QUESTIONS")  # how help pages call what is the name of a file

HELP = """\
Talk with MiniMax in real time.

{commands}
New here? Type `realtime serve` and open the address it prints. No key is needed: a sandbox answers and speaks.
With a key it is MiniMax itself:

  export MINIMAX_API_KEY=...           a key belongs to one region: mainland China is the default,
  export MINIMAX_BASE_URL=https://api.minimax.io      and this is the international one

Settings come from flags, then the environment, then realtime.toml, then defaults; `realtime doctor --settings` shows
them all. `realtime COMMAND --help` shows the options of one command, `realtime --version` the version.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status.

    0 done, 1 failed, 2 a wrong option, argument or setting, 3 not finished but it goes on, 130 interrupted (143 by
    SIGTERM, 129 by SIGHUP).
    """
    with _standard_streams():
        return _main(list(sys.argv[1:] if argv is None else argv))


def _main(words: Sequence[str]) -> int:
    if len(words) == 2 and words[0] == "help" and words[1] in COMMANDS:
        words = [words[1], "--help"]
    if not words or words[0] in ("-h", "--help", "help"):
        print(help_page(), end="")
        return 0
    if words[0] in ("-V", "--version", "version"):
        print(f"realtime {__version__}")
        return 0
    if words[0] not in COMMANDS:
        print(f"realtime: {as_typed(_unknown(words[0]))}", file=sys.stderr)
        return EXIT_USAGE
    return _run_and_report(words[0], words[1:])


def help_page() -> str:
    """What `realtime --help` prints."""
    lines = []
    for group, commands in GROUPS.items():
        lines.append(f"{group}:")
        lines += [f"  {f'realtime {example}':<36} {help}" for example, help in commands.values()]
        lines.append("")
    return as_typed(HELP.format(commands="\n".join(lines)))


@contextlib.contextmanager
def _standard_streams() -> Iterator[None]:
    """Streams that can be used, whatever the shell has made of them.

    A shell can close them (`>&-`); Python has None then, and what is printed would go elsewhere. And the encoding of a
    terminal or a pipe may not hold what is printed: that is shown as it can be, and is no error.
    """
    with contextlib.ExitStack() as stack:
        for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
            if getattr(sys, name) is None:
                stack.callback(setattr, sys, name, None)
                stream = stack.enter_context(Path(os.devnull).open(mode, encoding="utf-8"))
                setattr(sys, name, stream)
        codecs.register_error(_SHOWN, _as_it_can_be)
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):  # a caller may have put in another kind
                stream.reconfigure(errors=_SHOWN)
        yield


def _as_it_can_be(error: UnicodeError) -> tuple[str | bytes, int]:
    """The bytes of a file name that is no text, as they are (a script may read the name); a code for all else."""
    try:
        return codecs.lookup_error("surrogateescape")(error)
    except UnicodeError:
        return codecs.backslashreplace_errors(error)


class _Parser(argparse.ArgumentParser):
    """Says of words too many what they perhaps are."""

    def error(self, message: str) -> NoReturn:
        before, unknown, words = message.partition("unrecognized arguments: ")
        if unknown and not before and not words.startswith("-"):
            message += " (a text of several words needs quotes around it)"
        super().error(message)


def _run_and_report(name: str, words: Sequence[str]) -> int:
    import asyncio  # slow: the page of all commands does without

    as_json = "--json" in words
    try:
        return _run(name, words, as_json)
    except BrokenPipeError:
        # the reader of our output has closed it: avoid another error at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED
    except (KeyboardInterrupt, asyncio.CancelledError) as error:
        outcome = outcome_of(error)
        if as_json:
            outcome.show(as_json=True)
        return outcome.status
    except Exception as error:
        outcome = outcome_of(error)  # raises what is no error of the user, the machine or the platform
        outcome.show(as_json=as_json)
        return outcome.status


def _run(name: str, words: Sequence[str], as_json: bool) -> int:
    module = importlib.import_module(f"realtime.commands.{name}")
    parser = _Parser(prog=f"realtime {name}", description=(module.__doc__ or "").strip())
    parser.set_defaults(environ=dict(os.environ))
    module.add_arguments(parser)
    _explain_actions(parser)
    args = _parse(parser, _with_action(module, words), as_json)
    if prepare := getattr(module, "prepare", None):
        prepare(args)
    interrupt.hand_over()
    status: int = module.run(args)
    return status


def _explain_actions(parser: argparse.ArgumentParser) -> None:
    """Let the help page of an action begin with what it is for, and that of the command say where its options are."""
    for group in parser._actions:
        if not isinstance(group, argparse._SubParsersAction):
            continue
        for action in group._choices_actions:
            what = (action.help or "").removesuffix(" (default)")
            group.choices[action.dest].description = f"{what[:1].upper()}{what[1:]}."
        parser.epilog = f"The options of an action: `{parser.prog} ACTION --help`."


def _with_action(module: ModuleType, words: Sequence[str]) -> Sequence[str]:
    """The words, with the default action in front if the command has one and no action is named."""
    default = getattr(module, "DEFAULT_ACTION", None)
    actions = getattr(module, "ACTIONS", None)
    bare = not words or (words[0].startswith("-") and words[0] not in ("-h", "--help"))
    bare = bare or (actions is not None and words[0] not in (*actions, "-h", "--help"))
    return [default, *words] if default and bare else words


def _parse(parser: argparse.ArgumentParser, words: Sequence[str], as_json: bool) -> argparse.Namespace:
    """The parsed words. With `--json` a wrong option raises ConfigError, so that it is reported as JSON too."""
    if not as_json:
        return _parsed(parser, words)
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            return _parsed(parser, words)
    except SystemExit as end:
        if not end.code:
            raise  # --help
        raise ConfigError(said.getvalue().strip().splitlines()[-1].partition("error: ")[2]) from None


def _parsed(parser: argparse.ArgumentParser, words: Sequence[str]) -> argparse.Namespace:
    """The parsed words. Only the name of a file may have bytes that are no text."""
    args = parser.parse_args(words)
    if not all(map(str.isascii, words)):
        from realtime.core.characters import is_whole  # slow: most command lines do without

        for argument in _arguments(parser, args):
            given = getattr(args, argument.dest, None)
            every = given if isinstance(given, list) else [given]
            if any(isinstance(word, str) and not is_whole(word) for word in every):
                name = "/".join(argument.option_strings) or argument.metavar
                encoding = sys.getfilesystemencoding().upper()
                parser.error(f"argument {name}: this is no text in {encoding}, which this shell is set to")
    return args


def _arguments(parser: argparse.ArgumentParser, args: argparse.Namespace) -> Iterator[argparse.Action]:
    """The arguments of this command and of its action that are no names of files."""
    for argument in parser._actions:
        if isinstance(argument, argparse._SubParsersAction):
            if chosen := argument.choices.get(getattr(args, argument.dest, None) or ""):
                yield from _arguments(chosen, args)
        elif argument.metavar not in _FILES:
            yield argument


def _unknown(word: str) -> str:
    nearest = difflib.get_close_matches(word, COMMANDS, n=1)
    hint = f"Did you mean `realtime {nearest[0]}`?" if nearest else "See `realtime --help`."
    return f"There is no command {word!r}. {hint}"


if __name__ == "__main__":
    sys.exit(main())
