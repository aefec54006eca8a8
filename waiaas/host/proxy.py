"""Which proxy an https request goes through: `HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY` (CLI-6)."""

import base64
from collections.abc import Mapping
from urllib.parse import SplitResult, unquote, urlsplit

from waiaas.core.value import frozen
from waiaas.host.problems import NetworkProblem


@frozen
class Proxy:
    """`address` is `host:port`; `authorization` the header it wants, or empty."""

    address: str
    authorization: str


def proxy_for(parts: SplitResult, environ: Mapping[str, str]) -> Proxy | None:
    """None to go straight. The lower-case variable wins, as everywhere else.

    Raises NetworkProblem `network-proxy` for a proxy that we cannot speak to.
    """
    value = _variable(environ, "https_proxy") or _variable(environ, "all_proxy")
    if not value or _goes_straight(parts, _variable(environ, "no_proxy")):
        return None
    try:
        proxy = urlsplit(value if "://" in value else f"http://{value}")
        address = f"{proxy.hostname}:{proxy.port or 80}"
    except ValueError:
        proxy, address = urlsplit(""), ""
    if proxy.scheme != "http" or not proxy.hostname:
        raise NetworkProblem(
            "network-proxy",
            "HTTPS_PROXY names a proxy that WAIaaS cannot use",
            "write it like http://proxy.example.net:3128",
        )
    return Proxy(address, _authorization(proxy))


def _goes_straight(parts: SplitResult, no_proxy: str) -> bool:
    """`NO_PROXY`: a list of names, each with everything below it, optionally with a port; or `*`."""
    host = parts.hostname or ""
    names = [name.strip().lstrip(".").lower() for name in no_proxy.split(",")]
    candidates = (host, f"{host}:{parts.port or 443}")
    return any(
        name == "*" or any(own == name or own.endswith(f".{name}") for own in candidates)
        for name in names
        if name
    )


def _authorization(proxy: SplitResult) -> str:
    if proxy.username is None:
        return ""
    pair = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return "Basic " + base64.b64encode(pair.encode()).decode("ascii")


def _variable(environ: Mapping[str, str], name: str) -> str:
    return environ.get(name) or environ.get(name.upper()) or ""
