"""Bytes to requests: what two readers could read in two ways is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waiaas.daemon.wire import Head, Limits, Refused, parse_head

LIMITS = Limits(line=4096, headers=16384, body=1000)
H = b"Host: localhost\r\n"


def parse(data: bytes, limits: Limits = LIMITS) -> Head:
    head = parse_head(data, limits)
    assert head is not None
    return head


def refusal(data: bytes, limits: Limits = LIMITS) -> Refused:
    with pytest.raises(Refused) as refused:
        parse_head(data, limits)
    return refused.value


def test_a_request_is_taken_apart__DMN_4() -> None:
    line = b"PATCH /v1/wallets/a%20b?x=1&y HTTP/1.1\r\n"
    data = line + b"hOST: localhost:3100\r\nContent-Length: 3\r\nX:\t a b \t\r\n\r\nabc"
    head = parse(data)
    assert head.request.method == "PATCH"
    assert (head.request.path, head.request.query) == ("/v1/wallets/a%20b", "x=1&y")
    assert head.request.headers == {"host": "localhost:3100", "content-length": "3", "x": "a b"}
    assert data[head.end : head.end + head.length] == b"abc"


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(
            b"POST / HTTP/1.1\r\n" + H + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\n", id="two-lengths"
        ),
        pytest.param(b"POST / HTTP/1.1\r\n" + H + b"Content-Length: 1, 1\r\n\r\n", id="length-list"),
        pytest.param(b"POST / HTTP/1.1\r\n" + H + b"Content-Length: +1\r\n\r\n", id="signed-length"),
        pytest.param(b"POST / HTTP/1.1\r\n" + H + b"Content-Length: 0x1\r\n\r\n", id="hex-length"),
        pytest.param(b"POST / HTTP/1.1\r\n" + H + b"Content-Length: 1_0\r\n\r\n", id="underscore-length"),
        pytest.param(b"POST / HTTP/1.1\r\n" + H + b"Content-Length: \xb2\r\n\r\n", id="superscript-length"),
        pytest.param(b"POST / HTTP/1.1\r\n" + H + b"Content-Length:\r\n\r\n", id="empty-length"),
        pytest.param(
            b"POST / HTTP/1.1\r\n" + H + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            id="cl-te",
        ),
        pytest.param(b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", id="te-in-1.0"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", id="folded-header"),
        pytest.param(b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", id="space-before-colon"),
        pytest.param(b"GET / HTTP/1.1\r\n Host: a\r\n\r\n", id="space-before-first-header"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n", id="no-colon"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n", id="no-name"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", id="bare-lf"),
        pytest.param(b"GET / HTTP/1.1\nHost: a\n\n", id="only-lf"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", id="bare-cr"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n", id="nul"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: a\r\nX: \x1b[2J\r\n\r\n", id="escape"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", id="two-hosts"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", id="no-host"),
        pytest.param(b"GET  / HTTP/1.1\r\n" + H + b"\r\n", id="two-spaces"),
        pytest.param(b"GET /\tx HTTP/1.1\r\n" + H + b"\r\n", id="tab-in-line"),
        pytest.param(b"GET / HTTP/1.1 \r\n" + H + b"\r\n", id="space-after-version"),
        pytest.param(b"GET /\r\n\r\n", id="http-0.9"),
        pytest.param(b"get / HTTP/1.1\r\n" + H + b"\r\n", id="lower-case-method"),
        pytest.param(b"GET x HTTP/1.1\r\n" + H + b"\r\n", id="relative-target"),
        pytest.param(b"GET /a#b HTTP/1.1\r\n" + H + b"\r\n", id="fragment"),
        pytest.param(b"GET /\xc3\xa4 HTTP/1.1\r\n" + H + b"\r\n", id="raw-utf8-target"),
        pytest.param(b"CONNECT a:1 HTTP/1.1\r\n" + H + b"\r\n", id="connect"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", id="tls-hello"),
        pytest.param(b"\r\n\r\n\r\n", id="only-empty-lines"),
    ],
)
def test_an_ambiguous_or_malformed_head_is_refused__DMN_5(data: bytes) -> None:
    assert refusal(data).status == 400


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"POST / HTTP/1.1\r\n" + H + b"Transfer-Encoding: chunked\r\n\r\n", 501),
        (b"POST / HTTP/1.1\r\n" + H + b"Content-Length: 1001\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\n" + H + b"Content-Length: 1\r\nExpect: x\r\n\r\n", 417),
        (b"GET / HTTP/2.0\r\n" + H + b"\r\n", 505),
        (b"GET /" + b"a" * 4096 + b" HTTP/1.1\r\n" + H + b"\r\n", 414),
        (b"GET /" + b"a" * 5000, 414),
        (b"GET / HTTP/1.1\r\n" + H + b"X: " + b"a" * 17000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\n" + H + b"X: " + b"a" * 17000, 431),
        (b"GET / HTTP/1.1\r\n" + H + b"X: 1\r\n" * 101 + b"\r\n", 431),
    ],
)
def test_a_bound_has_its_own_answer__DMN_5(data: bytes, status: int) -> None:
    assert refusal(data).status == status


@pytest.mark.parametrize(
    ("version", "connection", "keeps"),
    [
        ("1.1", None, True),
        ("1.1", "close", False),
        ("1.1", "Close", False),
        ("1.1", "upgrade, close", False),
        ("1.1", "keep-alive", True),
        ("1.0", None, False),
        ("1.0", "Keep-Alive", True),
        ("1.0", "keep-alive, close", False),
    ],
)
def test_keep_alive_follows_version_and_connection__DMN_4(
    version: str, connection: str | None, keeps: bool
) -> None:
    line = f"Connection: {connection}\r\n" if connection else ""
    head = parse(f"GET / HTTP/{version}\r\nHost: a\r\n{line}\r\n".encode())
    assert head.request.keep_alive is keeps


def test_an_absolute_target_replaces_the_host__DMN_6() -> None:
    head = parse(b"GET http://evil.example/health HTTP/1.1\r\n" + H + b"\r\n")
    assert (head.request.path, head.request.headers["host"]) == ("/health", "evil.example")
    assert parse(b"GET http://a?x HTTP/1.1\r\n" + H + b"\r\n").request.path == "/"


def test_one_empty_line_may_come_first__DMN_4() -> None:
    data = b"\r\nGET / HTTP/1.1\r\n" + H + b"\r\n"
    assert parse(data).end == len(data)


ANY = st.binary(max_size=300) | st.lists(
    st.sampled_from(
        [
            b"GET ",
            b"/ ",
            b"HTTP/1.1",
            b"\r\n",
            b"\r",
            b"\n",
            b"Host: a",
            b": ",
            b"\0",
            b"Content-Length",
            b"9",
        ]
    ),
    max_size=20,
).map(b"".join)


@given(ANY, st.integers(0, 300))
def test_any_bytes_give_a_request_a_refusal_or_wait__DMN_5(data: bytes, cut: int) -> None:
    """And more bytes never turn a refusal, or a request, into something else."""
    before, after = outcome(data[:cut]), outcome(data)
    if before is not None:
        assert type(after) is type(before)
        if isinstance(before, Head):
            assert after == before


def outcome(data: bytes) -> Head | Refused | None:
    try:
        return parse_head(data, LIMITS)
    except Refused as refused:
        assert 400 <= refused.status < 600
        return refused


NAMES = st.from_regex(r"x-[a-z0-9]{1,10}", fullmatch=True)
VALUES = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0xFF, exclude_characters="\x7f\xa0\x85"), max_size=30
)


@given(
    st.sampled_from(["GET", "POST", "PATCH", "OPTIONS"]),
    st.from_regex(r"/[a-zA-Z0-9/%._-]{0,30}", fullmatch=True),
    st.dictionaries(NAMES, VALUES, max_size=8),
    st.binary(max_size=50),
)
def test_what_is_written_is_read_and_no_prefix_is__DMN_4(
    method: str, path: str, headers: dict[str, str], body: bytes
) -> None:
    fields = {"host": "localhost", **headers, "content-length": str(len(body))}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    data = f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode("latin-1")
    head = parse(data + body)
    assert (head.request.method, head.request.path, head.request.headers) == (method, path, fields)
    assert (head.end, head.length) == (len(data), len(body))
    assert all(parse_head(data[:size], LIMITS) is None for size in range(len(data)))
