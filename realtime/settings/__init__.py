"""Everything an operator can choose: flags over environment over `realtime.toml` over defaults, read once.

`Settings.from_env()` reads them for a program; `load_settings` also tells where each one came from.
"""

from realtime.settings.load import Loaded, load_settings
from realtime.settings.model import Settings

__all__ = ["Loaded", "Settings", "load_settings"]
