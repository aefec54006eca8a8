"""`waiaas health`: who was asked, and why there is no answer (CLI-2, CLI-6)."""

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Waiaas
from waiaas.cli import health
from waiaas.core.errors import Exit
from waiaas.host import http


@pytest.fixture
def port() -> Iterator[int]:
    """Where a connection is taken and never answered."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize(
    "url", ["http://192.0.2.2:3100", "http://127.example.org:3100", "http://[2001:db8::1]:3100", "http://nas"]
)
@pytest.mark.parametrize("word", ["--offline", ""])
def test_offline_asks_no_other_machine__CLI_6(
    waiaas: Waiaas, monkeypatch: pytest.MonkeyPatch, url: str, word: str
) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("went out")

    monkeypatch.setattr(http, "local_health", never)
    words = [word] if word else []
    environ = {} if word else {"WAIAAS_OFFLINE": "yes"}
    ran = waiaas(*words, "--json", "health", "--url", url, environ=environ)
    assert (ran.code, ran.error["code"]) == (Exit.FAILED, "network-offline")


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "[::1]", "127.9.9.9", "0.0.0.0"])
def test_offline_still_asks_this_machine__CLI_6(
    waiaas: Waiaas, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(http, "local_health", lambda *_, **__: (200, b'{"status": "ok"}'))
    assert waiaas("--offline", "health", "--url", f"http://{name}:3100").code == 0


def test_an_address_where_nobody_answers_is_named__CLI_2(waiaas: Waiaas) -> None:
    """It is another daemon than the one that `start` would start here."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
    ran = waiaas("health", "--url", url)
    assert ran.code == Exit.NOT_READY
    assert f"nothing answers at {url} (connection refused)" in ran.err
    assert "start" not in ran.err
    assert "hint: check the address" in ran.err


def test_a_daemon_that_hangs_is_told_with_what_to_do__CLI_2(ready: Waiaas, data_dir: Path, port: int) -> None:
    ran = ready("health", "--timeout", "0.1", "--url", f"http://127.0.0.1:{port}")
    assert (ran.code, "hint: look at that machine" in ran.err) == (Exit.FAILED, True)
    (data_dir / "daemon.json").write_text(json.dumps({"port": port, "hostname": "127.0.0.1"}))
    assert "hint: `waiaas logs` may say why; `waiaas restart`" in ready("health", "--timeout", "0.1").err


def test_a_directory_of_somebody_else_is_no_system_error__CLI_3(
    ready: Waiaas, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(name: str) -> str:
        raise PermissionError(13, "Permission denied", name)

    monkeypatch.setattr(health, "_described", refused)
    monkeypatch.setattr(os, "geteuid", lambda: 4321)
    assert ready("health", "--json").error["code"] == "data-dir-closed"
    assert ready("health").code == Exit.NOT_AUTHORISED
