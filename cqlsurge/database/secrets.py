"""Secrets and certificates named by the settings, read when a connection is made and kept nowhere else."""

from __future__ import annotations

import getpass
import os
import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from cqlsurge.errors import UsageError
from cqlsurge.settings import Settings

PASSWORD_VARIABLE = "CQLSURGE_PASSWORD"
KEY_VARIABLE = "CQLSURGE_TLS_KEY_PASSWORD"


@dataclass(frozen=True)
class Security:
    """What connections need: never shown, never stored."""

    user: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: dict[str, Any] | None = field(default=None, repr=False)


def read_security(settings: Settings) -> Security:
    """Reads the password and looks for the certificate files. Raises UsageError naming what is absent."""
    return Security(
        user=settings.user,
        password=_password(settings) if settings.user else None,
        tls=_tls(settings) if settings.encrypted else None,
    )


def _password(settings: Settings) -> str:
    if settings.password_file:
        try:
            return Path(settings.password_file).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"--password-file {settings.password_file}: {_reason(error)}") from error
    name = settings.password_env or PASSWORD_VARIABLE
    if name not in os.environ:
        raise UsageError(f"no password for user {settings.user!r}: set {name}, or give --password-file FILE")
    return os.environ[name]


def _tls(settings: Settings) -> dict[str, Any]:
    files = {"--tls-ca": settings.tls_ca, "--tls-cert": settings.tls_cert, "--tls-key": settings.tls_key}
    for flag, path in files.items():
        if path is not None and not os.access(path, os.R_OK):
            raise UsageError(f"{flag} {path}: no such file, or it cannot be read")
    return {
        "ca_file": _absolute(settings.tls_ca),
        "cert_file": _absolute(settings.tls_cert),
        "key_file": _absolute(settings.tls_key),
        "key_password": _key_password(settings.tls_key or settings.tls_cert),
        "check_hostname": settings.tls_check_host,
    }


def _key_password(path: str | None) -> str | None:
    """The pass phrase of an encrypted key (RFC 7468, RFC 1421), asked for once; None where there is no need of one."""
    if path is None or "ENCRYPTED" not in Path(path).read_text(encoding="utf-8", errors="replace"):
        return None
    return os.environ.get(KEY_VARIABLE) or _ask_for_pass_phrase(path)


@cache
def _ask_for_pass_phrase(path: str) -> str:
    if not (sys.stdin and sys.stdin.isatty()):
        raise UsageError(f"--tls-key {path} is encrypted: set {KEY_VARIABLE}, or start this on a terminal, to be asked")
    return getpass.getpass(f"pass phrase of {path}: ")


def _absolute(path: str | None) -> str | None:
    return None if path is None else os.path.abspath(path)


def _reason(error: Exception) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else "not UTF-8 text"
