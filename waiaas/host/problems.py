"""What can be wrong with the network: the errors that everything of `host/http.py` raises."""

from waiaas.core.errors import WaiaasError

CHUNK = 1 << 16  # bytes read at once


class NetworkProblem(WaiaasError):
    """Something between us and the server, or the server itself; exit 1. Codes `network-…`."""


class HttpStatus(NetworkProblem):
    """The server answered, with something else than 200."""

    def __init__(self, message: str, status: int, hint: str = "") -> None:
        super().__init__("network-status", message, hint)
        self.status = status


def web_page(url: str) -> NetworkProblem:
    """The error for an answer in HTML."""
    return NetworkProblem(
        "network-web-page",
        f"{url} was answered with a web page, not release data (a captive portal or a proxy's login?)",
        "open any page in a browser on this network and sign in, then try again",
    )
