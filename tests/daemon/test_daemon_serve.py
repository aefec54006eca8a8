"""The service as a whole: start, serve, stop, in order."""

import json
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.daemon.daemon_kit import TOKEN, Client, Lines, get, layout_in
from waiaas.core.check import CheckOutcome
from waiaas.core.errors import Busy, NotReady, WaiaasError
from waiaas.core.health import parse
from waiaas.core.layout import Layout
from waiaas.core.settings import DaemonSettings, Settings
from waiaas.daemon.log import Log
from waiaas.daemon.serve import Service
from waiaas.host.clock import Clock
from waiaas.host.files import Files
from waiaas.host.host import Host
from waiaas.host.http import Network
from waiaas.host.locks import Gate
from waiaas.host.processes import Processes
from waiaas.host.program import Program
from waiaas.host.sqlite import reading, side
from waiaas.store import keyvalue


class House:
    """A data directory and services over it."""

    def __init__(self, folder: Path) -> None:
        self.layout: Layout = layout_in(folder)
        self.clock = Clock()
        self.sink = Lines()
        self.environ: dict[str, str] = {}

    def service(self, check: Callable[[], CheckOutcome] | None = None, **settings: Any) -> Service:
        host = Host(self.clock, Files(), Network({}, self.clock), Processes({}), Program(None), self.environ)
        daemon = DaemonSettings(**{"port": 0, "threads": 2, "shutdown_timeout": 2, **settings})
        log = Log(self.clock, self.sink, "debug")
        return Service(host, self.layout, Settings(daemon=daemon), log, lambda: False, check)

    def stored(self, key: str) -> str | None:
        with reading(self.layout.database, Gate(self.layout.gate, self.clock)) as connection:
            return keyvalue.get(connection, key)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def ask(service: Service, request: bytes) -> tuple[int, bytes]:
    with socket.create_connection(("127.0.0.1", service.port), timeout=10) as connection:
        status, _, body = Client(connection).send(request).response()
        return status, body


def test_it_serves_and_stops_in_order__DMN_2(house: House) -> None:
    service = house.service()
    service.start()
    status, body = ask(service, get("/health"))
    assert (status, parse(body).schema_version) == (200, 16)
    assert service.socket_path is not None
    with pytest.raises(Busy), Gate(house.layout.gate, house.clock).exclusive(0):
        pass
    service.request_stop()
    service.wait()
    service.stop()
    service.stop()
    assert not side(house.layout.database, "-wal").exists()
    with Gate(house.layout.gate, house.clock).exclusive(0):
        pass
    said = [line.split(" ", 1)[1].strip() for line in house.sink.lines]
    starts = [line.split("start: ")[1].split()[0] for line in said if "start: " in line]
    assert starts == ["database", "http", "workers"]
    assert "stop: http" in said[-2]
    assert "stop: database" in said[-1]


def test_a_stop_asked_for_before_the_wait_is_not_lost__DMN_2(house: House) -> None:
    service = house.service()
    service.request_stop()
    service.start()
    service.wait()
    service.stop()


def test_the_first_start_makes_the_kill_switch_active_and_later_ones_leave_it__DMN_4(house: House) -> None:
    for expected in ("ACTIVE", "SUSPENDED"):
        service = house.service()
        service.start()
        body = b'{"on": true}'
        request = (
            b"POST /v1/admin/kill-switch HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            + f"Authorization: Bearer {TOKEN}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        )
        status = json.loads(ask(service, get("/v1/admin/status", f"Authorization: Bearer {TOKEN}"))[1])
        assert status["killSwitch"] == expected
        ask(service, request + body)
        service.stop()
    assert house.stored("kill_switch_state") == "SUSPENDED"


def test_the_check_runs_once_at_start_without_delaying_it__VCHK_01(house: House) -> None:
    asked, gate = threading.Event(), threading.Event()

    def check() -> CheckOutcome:
        asked.set()
        gate.wait(10)
        return CheckOutcome("1.9.0", None, None)

    service = house.service(check)
    service.start()
    assert parse(ask(service, get("/health"))[1]).latest_version is None
    assert asked.wait(5)
    gate.set()
    service.stop()
    assert house.stored("version_check_latest") == "1.9.0"


def test_a_broken_check_leaves_the_daemon_healthy__VCHK_03(house: House) -> None:
    asked = threading.Event()

    def check() -> CheckOutcome:
        asked.set()
        raise OSError("no network")

    service = house.service(check)
    service.start()
    assert asked.wait(5)
    assert ask(service, get("/health"))[0] == 200
    service.stop()
    assert house.stored("version_check_latest") is None
    assert sum("WARNING" in line for line in house.sink.lines) == 1


def test_update_check_off_never_asks__VCHK_04(house: House) -> None:
    asked: list[int] = []
    service = house.service(lambda: asked.append(1) or CheckOutcome(None, None, None), update_check=False)
    service.start()
    service.stop()
    assert asked == []


def test_a_port_in_use_stops_the_start_and_leaves_nothing_open__DMN_1(house: House) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        service = house.service(port=other.getsockname()[1])
        with pytest.raises(WaiaasError) as refused:
            service.start()
    assert refused.value.code == "port-in-use"
    assert any("start: http failed" in line for line in house.sink.lines)
    with Gate(house.layout.gate, house.clock).exclusive(0):
        pass


def test_without_a_token_there_is_no_start__DIR_3(house: House) -> None:
    house.layout.admin_token.write_text("\n")
    with pytest.raises(NotReady) as refused:
        house.service().start()
    assert refused.value.code == "no-token"


def test_a_missing_database_is_not_created__MIG_06(house: House) -> None:
    house.layout.database.unlink()
    with pytest.raises(WaiaasError) as refused:
        house.service().start()
    assert refused.value.code == "start-database"
    assert not house.layout.database.exists()


def test_the_service_manager_hears_of_the_stop__DMN_2(house: House, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "n"))
        house.environ["NOTIFY_SOCKET"] = str(tmp_path / "n")
        service = house.service()
        service.start()
        service.stop()
        stopping = manager.recv(200).decode().split("\n")
        assert "STOPPING=1" in stopping
        assert "EXTEND_TIMEOUT_USEC=17000000" in stopping  # 2 s for requests, 15 s to close


def test_the_token_is_in_no_line_of_the_log__DMN_6(house: House) -> None:
    service = house.service()
    service.start()
    ask(service, get(f"/{TOKEN}", f"Authorization: Bearer {TOKEN}"))
    service.stop()
    assert not any(TOKEN in line for line in house.sink.lines)
