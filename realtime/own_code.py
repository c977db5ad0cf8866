"""What went wrong in code of the operator (a tool, a provider of another package) while it was loaded or created.

The operator is the one who reads it, before any user is there: so it says the place and the words of the error.
"""

from __future__ import annotations

import os
import sysconfig
import traceback
from pathlib import Path

_PYTHON = sysconfig.get_paths()["stdlib"]
_OURS = str(Path(__file__).parent) + os.sep  # who called it says nothing of it


def what_broke(error: BaseException) -> str:
    """As `weather.py line 3: KeyError: 'WEATHER_KEY'`: the last line of the operator's own, and the error.
    Without a line where the operator's code was not reached, as by a call with other arguments than it takes."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{Path(error.filename).name} line {error.lineno}: {error.msg}"
    said = "".join(traceback.format_exception_only(error)).strip().splitlines()[-1]
    frames = traceback.extract_tb(error.__traceback__)
    last = next((frame for frame in reversed(frames) if _is_operators(frame.filename)), None)
    return said if last is None else f"{Path(last.filename).name} line {last.lineno}: {said}"


def _is_operators(filename: str) -> bool:
    of_python = filename.startswith(_PYTHON) and "site-packages" not in filename
    return not (filename.startswith(("<", _OURS)) or of_python)
