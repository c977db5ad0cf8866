"""What the process imports from which workers are forked: they begin at once instead of importing it all again.

Importing this binds the process to its parent, so nothing else may import it. The workers are bound to that process in
the same way: when the supervisor is gone, both are, also one that is frozen (docs/operations.md, "Several workers").
"""

import contextlib

import realtime.server.run  # noqa: F401
from realtime.server.worker import killed_with_parent

killed_with_parent()
with contextlib.suppress(ModuleNotFoundError):  # Windows
    import uvloop  # noqa: F401
