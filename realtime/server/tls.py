"""The certificate and the key of the server, or one sentence that says which file is wrong and how."""

from __future__ import annotations

import datetime
import ssl
from pathlib import Path

from realtime.errors import ConfigError
from realtime.settings import Settings

_KEY_MARK, _CERT_MARK = b"PRIVATE KEY-----", b"-----BEGIN CERTIFICATE-----"


def tls_context(settings: Settings) -> ssl.SSLContext | None:
    """The context for https; None without TLS. Raises ConfigError."""
    if settings.tls_cert is None and settings.tls_key is None:
        return None
    if settings.tls_cert is None or settings.tls_key is None:
        raise ConfigError("TLS needs both --tls-cert and --tls-key.")
    _check_files(settings.tls_cert, settings.tls_key)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(settings.tls_cert, settings.tls_key, password=_no_password)
    except _Encrypted:
        raise ConfigError(
            f"The key {settings.tls_key} needs a passphrase, and nobody is there to type it: "
            f"openssl pkey -in {settings.tls_key} -out FILE writes one without, for --tls-key."
        ) from None
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(_refusal(settings.tls_cert, settings.tls_key, error)) from error
    _check_dates(settings.tls_cert)
    return context


class _Encrypted(Exception):
    """OpenSSL asked for a passphrase."""


def _no_password() -> str:
    """Without this OpenSSL would ask on the terminal, and wait."""
    raise _Encrypted


def _check_files(cert: str, key: str) -> None:
    """Raises ConfigError for what can be told from the files alone."""
    in_cert, in_key = _read(cert, "--tls-cert"), _read(key, "--tls-key")
    if _CERT_MARK not in in_cert and _KEY_MARK in in_cert and _CERT_MARK in in_key:
        raise ConfigError(
            f"--tls-cert {cert} is the private key and --tls-key {key} the certificate: swap the two."
        )
    for path, flag, content, mark, what in (
        (cert, "--tls-cert", in_cert, _CERT_MARK, "certificate"),
        (key, "--tls-key", in_key, _KEY_MARK, "private key"),
    ):
        if mark not in content:
            raise ConfigError(
                f"{flag} {path} holds no {what} in PEM format (-----BEGIN ...): name another file."
            )


def _read(path: str, flag: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        raise ConfigError(f"{flag}: there is no file {path}.") from None
    except PermissionError:
        raise ConfigError(
            f"{flag} {path} cannot be read by this user: give it permission (chown, chmod 640)."
        ) from None
    except OSError as error:
        raise ConfigError(f"{flag} {path} cannot be read: {error.strerror}.") from None


def _refusal(cert: str, key: str, error: OSError) -> str:
    reason = getattr(error, "reason", None) or error.strerror or type(error).__name__
    if reason == "KEY_VALUES_MISMATCH":
        return f"The key {key} does not belong to the certificate {cert}: name the key it was made with."
    words = str(reason).replace("_", " ").lower()
    return f"Cannot use {cert} and {key} for TLS ({words}): are both whole files in PEM format?"


def _check_dates(cert: str) -> None:
    """Raises ConfigError if the server's certificate, the first one of the file, has expired or is not valid yet."""
    now_s = datetime.datetime.now(datetime.UTC).timestamp()
    try:
        decoded = ssl._ssl._test_decode_cert(cert)  # type: ignore[attr-defined]  # there is no public reader
        begins_s, ends_s = (ssl.cert_time_to_seconds(decoded[name]) for name in ("notBefore", "notAfter"))
    except (AttributeError, KeyError, ValueError, OSError):
        return  # what cannot be read here is for the clients to judge
    if now_s > ends_s:
        raise ConfigError(f"The certificate {cert} expired on {decoded['notAfter']}: renew it.")
    if now_s < begins_s:
        raise ConfigError(
            f"The certificate {cert} is valid from {decoded['notBefore']}: is the clock of this machine right?"
        )
