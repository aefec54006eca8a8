"""Servers that do whatever a test wants, and reading from them."""

from collections.abc import Callable, Iterator

import pytest

from tests.wire import Answer, Server
from waiaas.host.clock import Clock
from waiaas.host.http import Network
from waiaas.host.problems import NetworkProblem


@pytest.fixture
def serve() -> Iterator["Serve"]:
    servers: list[Server] = []

    def start(answer: Answer | bytes) -> Server:
        servers.append(Server(answer))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


Serve = Callable[[Answer | bytes], Server]


def network(**environ: str) -> Network:
    return Network(environ, Clock())


def problem_of(url: str, seconds: float = 5.0, budget: int = 10_000, **environ: str) -> NetworkProblem:
    with pytest.raises(NetworkProblem) as caught:
        network(**environ).get(url, seconds, budget)
    assert caught.value.message
    assert "\n" not in caught.value.message
    return caught.value
