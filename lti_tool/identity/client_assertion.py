"""How a client proves itself by its key instead of a secret: RFC 7523, ``private_key_jwt``."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from lti_tool.core.clock import Clock

_SECONDS = 60
_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def client_assertion(
    sign: Callable[[dict[str, Any]], str], clock: Clock, client_id: str, issuer: str
) -> dict[str, str]:
    """Return the parameters that stand for a secret in a token request, good for a minute.

    ``sign`` signs claims with a key that ``issuer`` can fetch.
    """
    now = int(clock.now().timestamp())
    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": issuer,
        "jti": str(uuid.uuid4()),
        "iat": now,
        "exp": now + _SECONDS,
    }
    return {"client_assertion_type": _TYPE, "client_assertion": sign(claims)}
