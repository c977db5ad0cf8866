"""Other installed packages with a module of our name: pip mixes their files with ours without a word."""

from __future__ import annotations

import importlib.metadata

from realtime.errors import ConfigError

OUR_DISTRIBUTION = "minimax-realtime"


def refuse_foreign_packages() -> None:
    """Raises ConfigError if another distribution has installed files into our package."""
    others = foreign_packages()
    if others:
        raise ConfigError(
            f"The package {others[0]} also installs a module named realtime, and their files are mixed: "
            f"pip uninstall {' '.join(others)}, or use a fresh environment."
        )


def foreign_packages() -> list[str]:
    """Other installed distributions with a top-level module `realtime`."""
    owners = {
        each.metadata["Name"] for each in importlib.metadata.distributions() if _installs_realtime(each)
    }
    return sorted(name for name in owners if name.lower() != OUR_DISTRIBUTION)


def _installs_realtime(package: importlib.metadata.Distribution) -> bool:
    """By its list of files, as text: to parse the lists of all packages would take half of the time of a start."""
    declared = package.read_text("top_level.txt")
    if declared and declared.strip():
        return "realtime" in declared.split()
    files = package.read_text("RECORD") or ""
    return any(line.startswith(("realtime/", "realtime.py,")) for line in files.splitlines())
