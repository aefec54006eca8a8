"""The running daemon: memory, requests a second, a crowd (PRF-6, 7, 8, 14)."""

import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from startup import ask, free_port, serving
from table import Row, Shop, Unmeasured, clocked, resident

from tests.journeys.api import eventually, request
from tests.journeys.clients import room_for

NODE = Path(__file__).parents[2] / ".venv" / "bin" / "node"
ROUNDS = 5
LOAD_SECONDS = 3
IDLE_SECONDS = 30
REQUESTS = re.compile(r"Requests/sec:\s*([\d.]+)")
SERVER = """
const body = Buffer.from(process.argv[1]);
require('http').createServer((request, response) => {
  response.writeHead(200, {'Content-Type': 'application/json', 'Content-Length': body.length});
  response.end(body);
}).listen(Number(process.argv[2]), '127.0.0.1');
"""
HOLD = "import http.server, sys; print(flush=True); sys.stdin.read()"


def memory(shop: Shop) -> Iterator[Row]:
    """Idle for half a minute, after a version check that reached a feed."""
    feed = shop.workshop.feed(shop.folder / "feed-memory", shop.workshop.current)
    site = shop.site(feed_url=feed.url)
    site.ok("init")
    site.ok("start", "--detach")
    try:
        eventually(lambda: any("timestamp" in path for path in feed.requests), 30)
        eventually(lambda: request(site, "GET", "/health", token=False)[1]["latestVersion"], 30)
        time.sleep(IDLE_SECONDS)
        ours = resident(site.daemon["pid"])
    finally:
        site.close()
        feed.close()
    bare = subprocess.Popen([site.python, "-I", "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert bare.stdout and bare.stdout.readline()
    theirs = resident(bare.pid)
    bare.communicate()
    what = "resident memory, idle, after a check"
    measured, yardstick = f"{ours / 1024:.1f} MiB", f"`import http.server` {theirs / 1024:.1f} MiB"
    yield Row(what, measured, yardstick, ours / theirs, 1.6, "≤ 1.6×", 1)


def keep_alive(shop: Shop) -> Iterator[Row]:
    yield _against_node(shop, "`GET /health`, keep-alive, 8 connections", [], 0.75)


def one_each(shop: Shop) -> Iterator[Row]:
    yield _against_node(shop, "`GET /health`, one connection each", ["-H", "Connection: close"], 0.5)


def crowd(shop: Shop) -> Iterator[Row]:
    """2,000 idle and 200 dribbling connections, less where the machine allows fewer."""
    count = room_for(2200)
    with serving(shop) as site, ExitStack() as stack:
        pid, port = site.daemon["pid"], site.daemon["port"]
        before, most, slowest = resident(pid), 0, 0.0
        clients = [
            stack.enter_context(socket.create_connection(("127.0.0.1", port), 10)) for _ in range(count)
        ]
        for byte in b"GET /":
            for client in clients[: count // 11]:
                with suppress(OSError):
                    client.sendall(bytes([byte]))
            slowest = max(slowest, clocked(lambda: site.ok("health")))
            most = max(most, resident(pid))
    kib = f"{before} KiB → {most} KiB"
    yield Row(f"memory, {count} connections", kib, "itself, idle", most / before, 2.0, "≤ 2×", 1)
    yield Row("slowest `waiaas health` meanwhile", f"{slowest:.2f} s", "–", slowest, 1.0, "< 1 s", 5)


def _against_node(shop: Shop, what: str, options: list[str], limit: float) -> Row:
    if shutil.which("wrk") is None or not NODE.is_file():
        raise Unmeasured("wrk or Node.js is missing (apt-get install wrk)")
    with serving(shop) as site:
        body = site.ok("health").out.strip()
        with _node(body) as port:
            ours, theirs = [], []
            for _ in range(ROUNDS):
                ours.append(_load(site.daemon["port"], options))
                theirs.append(_load(port, options))
    mine, node = sorted(ours)[ROUNDS // 2], sorted(theirs)[ROUNDS // 2]
    told = f"{mine:,.0f}/s", f"Node.js http {node:,.0f}/s"
    return Row(what, *told, mine / node, limit, f"≥ {limit:g}×", ROUNDS, at_least=True)


@contextmanager
def _node(body: str) -> Iterator[int]:
    port = free_port()
    process = subprocess.Popen([str(NODE), "-e", SERVER, body, str(port)])
    try:
        eventually(lambda: ask(port))
        yield port
    finally:
        process.terminate()
        process.wait()


def _load(port: int, options: list[str]) -> float:
    argv = ["wrk", "-t1", "-c8", f"-d{LOAD_SECONDS}s", *options, f"http://127.0.0.1:{port}/health"]
    told = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    found = REQUESTS.search(told)
    assert found, told
    return float(found[1])
