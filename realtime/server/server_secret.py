"""The random secret that signs client secrets: from the settings, or a file of this user that every server here shares.

Knows files and no client secrets. Losing it costs little: client secrets live two hours at most, and new ones are made
with the new one (docs/operations.md, "Keys").
"""

from __future__ import annotations

import dataclasses
import logging
import os
import secrets
from pathlib import Path

from realtime.providers import weights
from realtime.settings import Settings
from realtime.settings.readers import MIN_SERVER_SECRET

log = logging.getLogger(__name__)

FILE_NAME = "server-secret"


def with_server_secret(settings: Settings) -> Settings:
    """The settings with a secret, so that all workers of a server have the same one.

    With API keys it is the one of a file, and the same after a restart. Without keys it ends with the server: then
    client secrets end, and nobody can take them back in another way.
    """
    if settings.server_secret is not None:
        return settings
    weights.use_cache(settings.cache_dir)
    kept = secret_in(weights.cache_dir() / FILE_NAME) if settings.api_keys else secrets.token_hex(32)
    return dataclasses.replace(settings, server_secret=kept)


def secret_in(path: Path) -> str:
    """The secret in this file, which only its user can read; a new one, in a new file, if there is none.

    If it cannot be kept, it is a new one all the same, and the log says so.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return _read(path) or _create(path)
    except OSError as error:
        log.warning(
            "client secrets end with this server, because %s cannot be kept (%s): set REALTIME_SERVER_SECRET "
            "or REALTIME_CACHE_DIR.",
            path,
            error.strerror,
        )
        return secrets.token_hex(32)


def _read(path: Path) -> str | None:
    """The secret, if the file has one that nobody else could read."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    with os.fdopen(handle, encoding="ascii", errors="replace") as file:
        mine = os.name == "nt" or not os.fstat(file.fileno()).st_mode & 0o077
        secret = file.read(1024).strip()
    return secret if mine and len(secret) >= MIN_SERVER_SECRET else None


def _create(path: Path) -> str:
    """A new secret in the file. Of two servers that start at once, one creates it, and both have its secret."""
    secret, partial = secrets.token_hex(32), path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secret + "\n")
        try:
            os.link(partial, path)
        except FileExistsError:
            if (theirs := _read(path)) is not None:
                return theirs
            os.replace(partial, path)  # it was empty, or others could read it
        return secret
    finally:
        partial.unlink(missing_ok=True)
