"""All settings of an operator, loaded once.

`Settings.from_env()` loads them for a program; `load_settings` also returns where each one came from.

The modules, by what they are for:

    what there is       model, table
    how it is read      load, readers, given, service_links
    addresses           hosts, redis_url
    what it means       together, accounts
"""

from realtime.settings.load import Loaded, load_settings
from realtime.settings.model import Account, Settings

__all__ = ["Account", "Loaded", "Settings", "load_settings"]
