"""Any bytes at all as HTTP requests: a request, a refusal, or more please; and no two readings."""

import email.parser
import socket

from hypothesis import example, given
from hypothesis import strategies as st

from tests.fuzz.fuzz_kit import fuzz
from waiaas.daemon.peer import Peer
from waiaas.daemon.wire import Head, Limits, Refused, Request, parse_head

LIMITS = Limits(line=400, headers=1000, body=200)
STATUSES = {400, 413, 414, 417, 431, 501, 505}

WORDS = [
    b"GET", b"POST", b"get", b" ", b"  ", b"/", b"*", b"/health?a=b#c", b"http://localhost/x", b"//", b"%00",
    b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2.0", b"HTTP/1.9", b"\r\n", b"\r\n\r\n", b"\n", b"\r", b"\0", b"\t",
    b":", b"Host: a", b"host:b", b"Host : c", b"Content-Length: 5", b"Content-Length: 0",
    b"content-length:+5", b"Content-Length: 5, 5", b"Content-Length: 999999999999999999999",
    b"Transfer-Encoding: chunked", b"Transfer-Encoding:\x0bchunked", b"Connection: close",
    b"Expect: 100-continue", b"Expect: 200",
    b" folded", b"X: \xff", b"\xc2\x85", b"12345", b"a" * 300, b"X-Y: z\r\n" * 60,
]  # fmt: skip
soup = st.lists(st.sampled_from(WORDS) | st.binary(max_size=3), max_size=14).map(b"".join)
headers = st.lists(st.sampled_from(WORDS[23:]), max_size=4).map(b"\r\n".join)
nearly = st.builds(
    lambda line, fields, rest: line + b"\r\nHost: localhost\r\n" + fields + b"\r\n\r\n" + rest,
    st.sampled_from([b"GET / HTTP/1.1", b"POST /v1/wallets HTTP/1.1", b"HEAD http://x:1?q HTTP/1.0"]),
    headers,
    soup,
)
streams = st.binary(max_size=200) | soup | nearly


def read(data: bytes) -> Head | Refused | None:
    try:
        return parse_head(data, LIMITS)
    except Refused as refused:
        return refused


@fuzz(1000)
@given(streams)
@example(b"\r\n")
@example(b"GET / HTTP/1.1\r\nHost: a\r\n\r")
def test_any_bytes_are_a_request_or_refused_with_a_status__DMN_5(data: bytes) -> None:
    found = read(data)
    if isinstance(found, Refused):
        assert found.status in STATUSES
        assert found.code
        assert str(found)
    elif found:
        assert 0 < found.end <= len(data)
        assert 0 <= found.length <= LIMITS.body
        assert found.request.path[:1] in ("/", "*")


@fuzz(500)
@given(streams, st.binary(max_size=40))
def test_what_follows_a_head_never_changes_it_and_no_prefix_is_refused__DMN_5(
    data: bytes, more: bytes
) -> None:
    found = read(data)
    if isinstance(found, Head):
        assert read(data[: found.end] + more) == found
        assert {read(data[:size]) for size in range(found.end)} == {None}


@fuzz(500)
@given(streams)
def test_what_is_refused_has_been_no_request_before__DMN_5(data: bytes) -> None:
    if isinstance(read(data), Refused):
        assert not any(isinstance(read(data[:size]), Head) for size in range(len(data)))


@fuzz(600)
@given(nearly)
def test_an_accepted_head_reads_the_same_to_another_parser__DMN_5(data: bytes) -> None:
    """Python's own mail parser, which `http.client` and `http.server` use: lenient where ours is strict."""
    found = read(data)
    if not isinstance(found, Head):
        return
    _, _, fields = data[: found.end].partition(b"\r\n")
    theirs = email.parser.BytesParser().parsebytes(fields)
    assert {name.lower() for name in theirs} == set(found.request.headers)
    assert theirs.get_all("Content-Length", ["0"]) == [theirs.get("Content-Length", "0")]
    assert int(theirs.get("Content-Length", "0")) == found.length
    assert "Transfer-Encoding" not in theirs
    assert not set(b"\0\n\r") & set(data[: found.end].replace(b"\r\n", b""))


def requests_of(data: bytes, cuts: list[int]) -> tuple[list[Request], str]:
    """What a connection makes of these bytes when they arrive in these pieces."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        peer, found = Peer(ours, 0.0), []
        for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
            theirs.sendall(data[start:end])
            if start < end:
                assert peer.receive()
            try:
                while (request := peer.next_request(LIMITS)) is not None:
                    found.append(request)
                    peer.wants_continue()
            except Refused as refused:
                return found, refused.code
        return found, ""


@fuzz(400)
@given(st.lists(nearly | soup, max_size=3).map(b"".join), st.lists(st.integers(0, 2000), max_size=6))
def test_the_same_bytes_are_the_same_requests_in_whatever_pieces_they_come__DMN_5(
    data: bytes, cuts: list[int]
) -> None:
    whole = requests_of(data, [])
    pieces = requests_of(data, sorted(cut for cut in cuts if cut < len(data)))
    assert pieces == whole
