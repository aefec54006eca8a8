"""TLS and proxies: who is believed, and which way is taken (CLI-6)."""

import datetime
import gc
import ipaddress
import socket
import ssl
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.wire import Server, read_head, reply
from waiaas.host.clock import Clock
from waiaas.host.http import Network
from waiaas.host.problems import NetworkProblem
from waiaas.host.proxy import proxy_for

DAY = datetime.timedelta(days=1)


def certificate(folder: Path, address: str = "127.0.0.1", start: datetime.timedelta = -DAY) -> Path:
    """A self-signed certificate of two days with its key, as one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "feed")])
    begin = datetime.datetime.now(datetime.UTC) + start
    made = (
        x509.CertificateBuilder(
            name, name, key.public_key(), x509.random_serial_number(), begin, begin + 2 * DAY
        )
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), False)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(Encoding.PEM)
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path = folder / f"{address}.pem"
    path.write_bytes(pem + secret)
    return path


class Secure:
    """A TLS server that answers every request with `{}`."""

    def __init__(self, pem: Path) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        self._context = context
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.url = f"https://127.0.0.1:{self.port}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
                with self._context.wrap_socket(connection, server_side=True) as secure:
                    read_head(secure)
                    secure.sendall(reply(b"{}"))
                    secure.unwrap()
            except OSError:
                if self._socket.fileno() < 0:
                    return

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def secure() -> Iterator[Callable[[Path], Secure]]:
    servers: list[Secure] = []

    def start(pem: Path) -> Secure:
        servers.append(Secure(pem))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


Start = Callable[[Path], Secure]


def problem_of(url: str, **environ: str) -> NetworkProblem:
    with pytest.raises(NetworkProblem) as caught:
        Network(environ, Clock()).get(url, 5.0, 1000)
    return caught.value


def test_an_authority_of_one_s_own_is_trusted__CLI_6(secure: Start, tmp_path: Path) -> None:
    pem = certificate(tmp_path)
    trusting = Network({"SSL_CERT_FILE": str(pem)}, Clock())
    assert trusting.get(secure(pem).url, 5.0, 100) == b"{}"


def test_an_unknown_authority_is_refused__CLI_6(secure: Start, tmp_path: Path) -> None:
    found = problem_of(secure(certificate(tmp_path)).url)
    assert found.code == "network-tls"
    assert "127.0.0.1" in found.message and "self-signed" in found.message
    assert "SSL_CERT_FILE" in found.hint


def test_a_certificate_for_another_host_is_refused(secure: Start, tmp_path: Path) -> None:
    pem = certificate(tmp_path, "127.0.0.2")
    found = problem_of(secure(pem).url, SSL_CERT_FILE=str(pem))
    assert (found.code, "not valid for" in found.message) == ("network-tls", True)


@pytest.mark.parametrize(("start", "word"), [(-9 * DAY, "expired"), (9 * DAY, "not yet valid")])
def test_a_certificate_out_of_date_is_refused_and_the_clock_suspected(
    secure: Start, tmp_path: Path, start: datetime.timedelta, word: str
) -> None:
    pem = certificate(tmp_path, start=start)
    found = problem_of(secure(pem).url, SSL_CERT_FILE=str(pem))
    assert word in found.message
    assert "clock" in found.hint


def test_certificates_that_cannot_be_read_are_named__CLI_6(tmp_path: Path) -> None:
    found = problem_of("https://127.0.0.1:9", SSL_CERT_FILE=str(tmp_path / "absent.pem"))
    assert (found.code, "absent.pem" in found.message) == ("network-tls", True)
    (tmp_path / "empty.pem").touch()
    assert problem_of("https://127.0.0.1:9", SSL_CERT_FILE=str(tmp_path / "empty.pem")).code == "network-tls"


def tunnel(port: int) -> Callable[[socket.socket, bytes], None]:
    """A proxy that lets everybody through to `port`."""

    def talk(client: socket.socket, _head: bytes) -> None:
        with socket.create_connection(("127.0.0.1", port)) as goal:
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=pump, args=(goal, client))
            back.start()
            pump(client, goal)
            back.join()

    return talk


def pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while chunk := source.recv(65536):
            target.sendall(chunk)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return


@pytest.mark.parametrize("variable", ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])
def test_a_proxy_is_used_and_given_its_password__CLI_6(secure: Start, tmp_path: Path, variable: str) -> None:
    pem = certificate(tmp_path)
    goal = secure(pem)
    proxy = Server(tunnel(goal.port))
    environ = {variable: f"http://me:p%40ss@127.0.0.1:{proxy.port}", "SSL_CERT_FILE": str(pem)}
    assert Network(environ, Clock()).get(goal.url, 5.0, 100) == b"{}"
    (head,) = proxy.heads
    assert head.startswith(f"CONNECT 127.0.0.1:{goal.port} ".encode())
    assert b"Proxy-Authorization: Basic bWU6cEBzcw==" in head
    proxy.close()


def test_no_proxy_goes_straight__CLI_6(secure: Start, tmp_path: Path) -> None:
    pem = certificate(tmp_path)
    environ = {"HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": "127.0.0.1", "SSL_CERT_FILE": str(pem)}
    assert Network(environ, Clock()).get(secure(pem).url, 5.0, 100) == b"{}"


def test_plain_http_on_this_machine_never_leaves_it() -> None:
    server = Server(reply(b"{}"))
    environ = {"http_proxy": "http://127.0.0.1:9", "ALL_PROXY": "http://127.0.0.1:9"}
    assert Network(environ, Clock()).get(server.url, 5.0, 100) == b"{}"
    server.close()


def test_a_proxy_that_refuses_is_named_not_its_password() -> None:
    proxy = Server(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
    address = f"http://me:secret@127.0.0.1:{proxy.port}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # 3.11.2 itself leaves such a response open
        found = problem_of("https://feed.example.test/", HTTPS_PROXY=address)
        code, message = found.code, found.message
        del found
        gc.collect()
    assert code == "network-proxy"
    assert f"127.0.0.1:{proxy.port}" in message and "407" in message
    assert "secret" not in message
    proxy.close()


@pytest.mark.parametrize(
    "value", ["socks5://127.0.0.1:1080", "https://proxy.test", "http://", "http://x:99999"]
)
def test_a_proxy_we_cannot_speak_to_is_said(value: str) -> None:
    assert problem_of("https://feed.example.test/", HTTPS_PROXY=value).code == "network-proxy"


@pytest.mark.parametrize(
    ("no_proxy", "straight"),
    [
        ("*", True),
        ("feed.example.test", True),
        (".example.test", True),
        ("example.test", True),
        ("other.test, EXAMPLE.TEST", True),
        ("feed.example.test:443", True),
        ("feed.example.test:8443", False),
        ("ample.test", False),
        ("", False),
        (" , ", False),
    ],
)
def test_who_goes_straight(no_proxy: str, straight: bool) -> None:
    environ = {"HTTPS_PROXY": "proxy.test:3128", "NO_PROXY": no_proxy}
    found = proxy_for(urlsplit("https://feed.example.test/x"), environ)
    assert (found is None) is straight
    assert found is None or found.address == "proxy.test:3128"
