"""Translates exceptions of DSPy, its engines and their sockets into our ModelFault. No other module does so.

Whatever an engine raises is a fault of the model, unless code of ours below it is wrong. Any other exception of a
program is a bug of ours, whose trace `own_faults` logs. The two engines use different words for the same fault, and
LiteLLM reports every broken connection as status 500, so the causes of an exception are read too. Their texts may hold
the key, so none is passed on. Exceptions are recognised by name, without importing dspy or litellm.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import MappingProxyType

from pipeline.errors import GlassboxError, ModelFault
from pipeline.own_faults import causes, is_ours, own_fault

# Exception name → code; the deepest listed one of a chain decides.
KINDS: Mapping[str, str] = MappingProxyType(
    {
        "gaierror": "unreachable",
        "SSLError": "unreachable",
        "SSLCertVerificationError": "unreachable",
        "ConnectTimeout": "connect_timeout",
        "ReadTimeout": "first_token_timeout",
        "ConnectError": "refused",
        "ReadError": "connection",
        "WriteError": "connection",
        "ProtocolError": "connection",
        "RemoteProtocolError": "connection",
        "RequestError": "connection",
        "TransportError": "bad_reply",  # of lm15 without a network fault as its cause: a line over its limit
        "JSONDecodeError": "bad_reply",
        "UnicodeDecodeError": "bad_reply",
        "ContentPolicyViolationError": "content_filter",
    }
)

# The providers' own codes, which are more precise than the status
PROVIDER_CODES: Mapping[str, str] = MappingProxyType(
    {
        "content_filter": "content_filter",
        "insufficient_quota": "billing",
        "context_length_exceeded": "context_window_exceeded",
    }
)

STATUSES: Mapping[int, str] = MappingProxyType(
    {
        401: "auth",
        402: "billing",
        403: "auth",
        404: "unsupported_model",
        408: "connect_timeout",
        409: "server",  # a conflict is temporary
        504: "connect_timeout",
    }
)

_OF_A_MODEL = re.compile(r"\bmodels?\b|\bmodel_", re.IGNORECASE)

# dspy's stable error codes → ours; unlisted ones are "unexpected"
CODES: Mapping[str, str] = MappingProxyType(
    {
        "auth": "auth",
        "billing": "billing",
        "rate_limit": "rate_limit",
        "unsupported_model": "unsupported_model",
        "unsupported_feature": "invalid_request",
        "context_window_exceeded": "context_window_exceeded",
        "invalid_request": "invalid_request",
        "not_configured": "not_configured",
        "configuration": "not_configured",
        "transport": "connection",
        "timeout": "connect_timeout",
        "server": "server",
        "provider": "server",
        "stream_assembly": "incomplete",
        "unexpected": "bad_reply",
    }
)


def engine_fault(error: BaseException) -> GlassboxError:
    """Translate an exception of a model call. Without a known code it is a general fault of the model."""
    if translated := _translated(error):
        return translated
    if is_ours(error):  # from the built-in model, or from our watched transport
        return own_fault(error, "model")
    chain = tuple(_chain(error))
    return ModelFault(_code(chain), _retry_after_s(chain))


def fault_of(error: BaseException) -> GlassboxError:
    """Translate an exception of a program: its fault, else a bug of ours, which is logged with its trace here."""
    if translated := _translated(error):
        return translated
    chain = tuple(_chain(error))
    if type(chain[0]).__module__.startswith("dspy.") and getattr(chain[0], "code", None) in CODES:
        return ModelFault(_code(chain), _retry_after_s(chain))
    return own_fault(error, "turn")


def _translated(error: BaseException) -> GlassboxError | None:
    """Return the GlassboxError that an exception is, holds or was raised from, not one merely being handled."""
    return next((each for each in causes(error) if isinstance(each, GlassboxError)), None)


def _code(chain: tuple[BaseException, ...]) -> str:
    words = [
        PROVIDER_CODES[word] for each in chain if (word := str(getattr(each, "provider_code", ""))) in PROVIDER_CODES
    ]
    kinds = [KINDS[name] for each in reversed(chain) if (name := type(each).__name__) in KINDS]
    if found := words or kinds:
        return found[0]
    if _names_no_model(chain):
        return "wrong_address"
    statuses = [status for each in chain if isinstance(status := getattr(each, "status", None), int)]
    code = CODES.get(str(getattr(chain[0], "code", "")), "unexpected")
    if code == "invalid_request" and "stream" in str(chain[0]).lower():
        return "cannot_stream"
    return STATUSES.get(statuses[0], code) if statuses else code


def _names_no_model(chain: tuple[BaseException, ...]) -> bool:
    """Whether a server does not serve this path, moved it or takes no POST there, and does not mention a model."""
    status = getattr(chain[0], "status", None)
    if status == 404:
        words = (str(getattr(each, name, "")) for each in chain for name in ("provider_code", "code", "message"))
        return not any(map(_OF_A_MODEL.search, words))
    return isinstance(status, int) and (status == 405 or 300 <= status < 400)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Iterate over an exception and its causes."""
    seen: set[int] = set()
    below: BaseException | None = error
    while below is not None and id(below) not in seen:
        seen.add(id(below))
        if isinstance(below, BaseExceptionGroup) and len(below.exceptions) == 1:
            below = below.exceptions[0]
        else:
            yield below
            below = below.__cause__ or (None if below.__suppress_context__ else below.__context__)


def _retry_after_s(chain: tuple[BaseException, ...]) -> float | None:
    """Return the wait that the provider asks for, in seconds; LiteLLM leaves it in the headers."""
    for each in chain:
        if isinstance(seconds := getattr(each, "retry_after", None), int | float):
            return float(seconds)
    for each in chain:
        headers = getattr(getattr(each, "response", None), "headers", None)
        if headers and (said := headers.get("retry-after")):
            return _seconds(said)
    return None


def _seconds(said: str) -> float | None:
    """Parse a Retry-After header: seconds, or a date."""
    try:
        return max(0.0, float(said))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(said) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return None
