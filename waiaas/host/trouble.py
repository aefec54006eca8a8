"""What went wrong on the network, in one sentence that names the culprit."""

import http.client
import socket
import ssl
from urllib.error import URLError

from waiaas.host.problems import HttpStatus, NetworkProblem

CONNECTION = "check the network connection, a firewall, and HTTPS_PROXY where there is a proxy"
CERTIFICATE = (
    "check this machine's clock; behind a proxy that inspects TLS, point SSL_CERT_FILE to its certificate"
)


def translate(server: str, problem: Exception, *, expired: bool) -> NetworkProblem:
    """The error for whatever a socket, TLS or http.client raised. `server` may be a proxy."""
    reason = problem.reason if isinstance(problem, URLError) else problem
    if expired or isinstance(reason, TimeoutError):
        return NetworkProblem("network-timeout", f"{server} did not answer in time", CONNECTION)
    if isinstance(reason, socket.gaierror | UnicodeError):
        return NetworkProblem("network-dns", f"the name {server} could not be found (DNS)", CONNECTION)
    if isinstance(reason, ssl.SSLCertVerificationError):
        why = reason.verify_message or str(reason)
        return NetworkProblem("network-tls", f"the certificate of {server} is refused: {why}", CERTIFICATE)
    if isinstance(reason, ssl.SSLError):
        why = reason.reason or "the handshake failed"
        return NetworkProblem("network-tls", f"no secure connection to {server}: {why}", CERTIFICATE)
    if isinstance(reason, ConnectionRefusedError):
        return NetworkProblem("network-refused", f"{server} refused the connection", CONNECTION)
    if isinstance(reason, ConnectionError | http.client.IncompleteRead | http.client.RemoteDisconnected):
        return NetworkProblem("network-broken", f"{server} broke off in the middle of its answer", CONNECTION)
    if isinstance(reason, OSError):
        return _system(server, reason)
    return NetworkProblem(
        "network-protocol", f"what answers at {server} does not speak proper HTTP", "check the address"
    )


def _system(server: str, problem: OSError) -> NetworkProblem:
    text = problem.strerror or str(problem)
    if text.startswith("Tunnel connection failed"):
        return NetworkProblem(
            "network-proxy",
            f"the proxy {server} does not let us through: {text.partition(': ')[2][:80]}",
            "check HTTPS_PROXY, its user name and password included",
        )
    return NetworkProblem("network-unreachable", f"{server} cannot be reached: {text}", CONNECTION)


def refused_status(url: str, status: int) -> HttpStatus:
    """The error for an answer that is not 200."""
    if status in (404, 410):
        return HttpStatus(f"there is nothing at {url} ({status})", status, "check the address of the feed")
    if status in (407, 511):
        return HttpStatus(
            f"this network wants you to sign in ({status})", status, "sign in on this network, then try again"
        )
    if status in (429, 500, 502, 503, 504):
        return HttpStatus(f"{url} is not available at the moment ({status})", status, "try again later")
    return HttpStatus(f"{url} was refused by the server ({status})", status, "check the address of the feed")
