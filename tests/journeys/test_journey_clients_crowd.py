"""Crowds of clients against the built artefact's daemon as a process: idle, dribbling, too many (DMN-2, 5).

Times are deadlines that the daemon itself promises; what the machine adds is only printed.
"""

import os
import resource
import select
import socket
import time
from contextlib import ExitStack, closing, suppress
from pathlib import Path

from tests.journeys.api import eventually, health
from tests.journeys.clients import (
    POLL,
    SLACK,
    TIMEOUT,
    answer,
    connect,
    daemon,
    place,
    polled,
    post_of,
    resident,
    room_for,
)
from tests.journeys.observe import ended
from tests.journeys.workshop import Site

__all__ = ["place"]


def cpu(pid: int) -> float:
    """Seconds of CPU time, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wait_for_ends(crowd: list[socket.socket], seconds: float, dribbling: int = 0) -> list[float]:
    """When each connection was ended by the daemon, in seconds from now; the first few go on dribbling."""
    poller = select.poll()
    by_number = {client.fileno(): client for client in crowd}
    for number in by_number:
        poller.register(number, select.POLLIN | select.POLLHUP)
    begun, ends = time.monotonic(), []
    while by_number and time.monotonic() - begun < seconds:
        for client in crowd[:dribbling]:
            with suppress(OSError):
                client.send(b"x")
        for number, _ in poller.poll(200):
            try:
                data = by_number[number].recv(65536)
            except ConnectionError:
                data = b""
            if not data:
                poller.unregister(number)
                del by_number[number]
                ends.append(time.monotonic() - begun)
    return ends


def test_two_thousand_idle_and_two_hundred_dribbling_connections__PRF_14(place: Site) -> None:
    count = room_for(2200)
    dribbling, quiet = count // 11, count - count // 11
    with daemon(place) as process, ExitStack() as stack:
        polled(place)
        alone, port = resident(process.pid), place.daemon["port"]
        crowd = [stack.enter_context(connect(place, port)) for _ in range(count)]
        for client in crowd[dribbling : dribbling + quiet // 2]:
            client.sendall(POLL)  # half of the idle ones have been served before
        most, slowest, begun = resident(process.pid), 0.0, time.monotonic()
        for byte in POLL[:8]:
            for client in crowd[:dribbling]:
                with suppress(ConnectionError):
                    client.sendall(bytes([byte]))
            slowest = max(slowest, polled(place))
            assert health(place)["status"] == "ok"
            most = max(most, resident(process.pid))
            if time.monotonic() - begun > TIMEOUT - 1:
                break
        ends = wait_for_ends(crowd, TIMEOUT + SLACK, dribbling)
        assert len(ends) == count
        assert most <= 2 * alone
        print(f"{count} connections: {alone} -> {most} KiB, slowest `waiaas health` {slowest:.2f} s")
        print(f"all ended within {max(ends):.2f} s of the last look, deadline {TIMEOUT} s")
        eventually(lambda: len(os.listdir(f"/proc/{process.pid}/fd")) < 64)


def test_past_the_bound_of_connections_both_ways_to_health_stay_open__DMN_5(place: Site) -> None:
    with daemon(place, WAIAAS_DAEMON_MAX_CONNECTIONS="32"), ExitStack() as stack:
        port = place.daemon["port"]
        for number in range(300):
            client = stack.enter_context(connect(place, port))
            client.sendall(b"GET /hea" if number % 2 else b"")
        polled(place)
        assert health(place)["status"] == "ok"


def test_without_descriptors_the_daemon_neither_spins_nor_dies__DMN_5(place: Site) -> None:
    """Started under `ulimit -n 64`, then left with six free descriptors, fewer than its least crowd."""
    with daemon(place, "ulimit -n 64") as process, ExitStack() as stack:
        limit = max(map(int, os.listdir(f"/proc/{process.pid}/fd"))) + 7
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (limit, limit))
        port = place.daemon["port"]
        crowd = [stack.enter_context(connect(place, port)) for _ in range(100)]
        for client in crowd:
            client.sendall(b"GET /")
        eventually(lambda: exhausted(place))
        slowest = max(polled(place) for _ in range(5))
        before, begun = cpu(process.pid), time.monotonic()
        ends = wait_for_ends(crowd, 2.0)
        used, took = cpu(process.pid) - before, time.monotonic() - begun
        print(f"EMFILE: {used:.2f} s of CPU in {took:.2f} s, {len(ends)} connections made room")
        print(f"EMFILE: slowest `waiaas health` {slowest:.2f} s")
        assert used < took / 3
        assert ends
        for client in crowd:
            client.close()
        eventually(lambda: polled(place) > 0)
        assert health(place)["status"] == "ok"
        assert exhausted(place) < 20 * (time.monotonic() - begun + 5)  # there is a pause between two
        process.terminate()
        assert process.wait(30) == 0


def exhausted(place: Site) -> int:
    """How often the daemon found no descriptor for a connection."""
    return (place.folder / "log").read_text().count("EMFILE")


def test_sigterm_amid_two_hundred_connections_finishes_the_request_in_flight__DMN_2(place: Site) -> None:
    with daemon(place) as process, ExitStack() as stack:
        port = place.daemon["port"]
        crowd = [stack.enter_context(connect(place, port)) for _ in range(200)]
        for number, client in enumerate(crowd):
            client.sendall((b"", POLL, b"GET /he", POLL + b"GET")[number % 4])
        head, body = post_of(place, "in flight")
        with connect(place) as client:
            client.sendall(head + body[:-1])
            assert health(place)["status"] == "ok"  # what came before this has been read
            begun = time.monotonic()
            process.terminate()
            eventually(lambda: refused(port))
            client.sendall(body[-1:])
            said = answer(client)
        assert process.wait(30) == 0
        took = time.monotonic() - begun
    assert said.startswith(b"HTTP/1.1 201 ")
    assert b"\r\nConnection: close\r\n" in said
    assert took <= 2 * TIMEOUT
    print(f"stopped amid 200 connections in {took:.2f} s")
    names = [wallet["name"] for wallet in place.json("wallets", "list")]
    assert names == ["in flight"]
    assert ended(process.pid)


def refused(port: int) -> bool:
    with closing(socket.socket()) as client:
        return client.connect_ex(("127.0.0.1", port)) != 0
