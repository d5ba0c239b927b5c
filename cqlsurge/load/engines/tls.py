"""The TLS context of a client, from the paths in a target: the same for the control plane and for every engine."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any

#: what comes of using a TLS socket whose connection is broken. PyPy's ssl (7.3.19) fails at making the text of the
#: error and raises RuntimeError, which is no OSError.
TLS_BROKEN = (OSError, RuntimeError)


def tls_reason(error: BaseException) -> str:
    """Why a TLS connection broke, in words."""
    if isinstance(error, RuntimeError):
        return "the TLS connection is broken"
    return getattr(error, "strerror", None) or str(error)


def client_context(tls: Mapping[str, Any]) -> ssl.SSLContext:
    """A context that checks the server's certificate, and its host name unless `check_hostname` is false.

    Keys: ca_file (None: the system's authorities), cert_file and key_file (None: no client certificate), key_password
    (of an encrypted key), check_hostname. Nobody is asked for anything here. Raises OSError or ssl.SSLError for files
    that cannot be read or do not fit together.
    """
    context = ssl.create_default_context(cafile=tls.get("ca_file"))
    context.check_hostname = bool(tls.get("check_hostname", True))
    if tls.get("cert_file"):
        # Without a password OpenSSL would ask on the terminal, in each process.
        context.load_cert_chain(tls["cert_file"], tls.get("key_file"), tls.get("key_password") or "")
    return context
