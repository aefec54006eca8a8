"""`/metrics`, read by two official parsers: Prometheus' own `promtool`, and `prometheus_client` (DMN-4)."""

import shutil
import subprocess
from pathlib import Path

import pytest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from tests.daemon.daemon_kit import Rig, client_of, get, layout_in, rig_in, server_for
from tests.fakes import FakeClock
from waiaas.core.check import CheckOutcome
from waiaas.daemon.metrics import Metrics, family
from waiaas.host.clock import Clock
from waiaas.host.files import Files
from waiaas.store import audit, backup, switching
from waiaas.store.keyvalue import store_check

HOUR = 3600


def scrape(rig: Rig) -> dict[str, Metric]:
    response = rig.ask("GET", "/metrics")
    assert (response.status, response.content_type) == (200, "text/plain; version=0.0.4; charset=utf-8")
    return {found.name: found for found in text_string_to_metric_families(response.body.decode())}


def value(found: dict[str, Metric], name: str, **labels: str) -> float:
    base = name.removesuffix("_total")
    (sample,) = [s for s in found[base].samples if s.name == name and labels.items() <= s.labels.items()]
    return float(sample.value)


def busy(rig: Rig, twin: Path) -> None:
    """Something for every family: workers, requests, a check, runs, a backup of a twin."""
    rig.workers.register("version-check", 86400, lambda: None).ended = int(rig.clock.now())
    for path in ("/health", "/nope", "/v1/wallets"):
        rig.ask("GET", path)
    layout = layout_in(twin)
    backup.create(Files(), rig.clock, layout, "manual", "1.8.0", None)
    layout.backups.rename(rig.layout.backups)
    with rig.database.writing() as connection:
        store_check(connection, CheckOutcome("1.9.0", None, None), int(rig.clock.now()))
        audit.write(connection, "UPGRADE_COMMITTED", "system", {"run": "a"}, 1)
        switching.switch(connection, True, "cli", 1)
    rig.clock.sleep(1)


def test_promtool_finds_nothing_to_object_to__DMN_4(rig: Rig, tmp_path: Path) -> None:
    """Parses, and lints names, types and units by the field's conventions."""
    if shutil.which("promtool") is None:
        pytest.skip("no promtool here: Debian's package prometheus has it")
    busy(rig, tmp_path / "twin")
    with server_for(rig) as server, client_of(server) as client:
        client.send(get("/metrics", f"Authorization: Bearer {_token(rig)}"))
        _, _, body = client.response()
    done = subprocess.run(["promtool", "check", "metrics"], input=body, capture_output=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")
    assert body.count(b"# TYPE") > 25


def _token(rig: Rig) -> str:
    return rig.layout.admin_token.read_text().strip()


def test_every_family_has_help_type_and_a_name_by_convention__DMN_4(rig: Rig, tmp_path: Path) -> None:
    busy(rig, tmp_path / "twin")
    for name, found in scrape(rig).items():
        assert found.documentation.endswith("."), name
        assert found.type in ("gauge", "counter"), name
        assert name.startswith(("waiaas_", "process_")), name
        for sample in found.samples:
            assert sample.name.endswith("_total") == (found.type == "counter"), sample.name


def test_metrics_tell_version_schema_and_update__DMN_4(rig: Rig, tmp_path: Path) -> None:
    busy(rig, tmp_path / "twin")
    found = scrape(rig)
    assert value(found, "waiaas_build_info", implementation="python") == 1
    assert (value(found, "waiaas_up"), value(found, "waiaas_schema_version")) == (1, 16)
    assert value(found, "waiaas_update_available") == 1
    assert (value(found, "waiaas_withdrawn"), value(found, "waiaas_probation")) == (0, 0)
    assert value(found, "waiaas_version_check_timestamp_seconds") == rig.clock.now() - 1
    assert value(found, "waiaas_version_check_failed") == 0
    assert value(found, "waiaas_kill_switch_on") == 1
    assert value(found, "waiaas_upgrade_runs_total", outcome="committed") == 1
    assert value(found, "waiaas_upgrade_runs_total", outcome="rolled-back") == 0


def test_metrics_tell_backups_and_sizes_in_bytes_and_seconds__DMN_4(rig: Rig, tmp_path: Path) -> None:
    assert "waiaas_backup_newest_timestamp_seconds" not in scrape(rig)
    busy(rig, tmp_path / "twin")
    found = scrape(rig)
    (kept,) = backup.listing(rig.layout)
    assert value(found, "waiaas_backups") == 1
    assert value(found, "waiaas_backups_bytes") == kept.bytes
    assert value(found, "waiaas_backup_newest_timestamp_seconds") == kept.created_at
    assert value(found, "waiaas_database_bytes") == rig.layout.database.stat().st_size


def test_metrics_tell_of_workers__DMN_4(rig: Rig) -> None:
    def broken() -> None:
        raise ValueError("no")

    worker = rig.workers.register("odd", HOUR, broken)
    rig.workers._run(worker)
    found = scrape(rig)
    assert value(found, "waiaas_worker_runs_total", worker="odd") == 1
    assert value(found, "waiaas_worker_failures_total", worker="odd") == 1
    assert value(found, "waiaas_worker_last_run_timestamp_seconds", worker="odd") == rig.clock.now()


def test_metrics_tell_of_an_open_run_and_of_connections__DMN_4(rig: Rig) -> None:
    assert value(scrape(rig), "waiaas_open_run") == 0
    object.__setattr__(rig.parts, "open_run", lambda: {"run": "r"})
    with server_for(rig) as server, client_of(server) as one, client_of(server) as other:
        object.__setattr__(rig.parts, "connections", lambda: server.connections)
        for client in (one, other):
            client.send(get("/health"))
            client.response()
        found = scrape(rig)
    assert value(found, "waiaas_open_run") == 1
    assert value(found, "waiaas_http_connections", door="tcp") == 2
    assert value(found, "waiaas_http_connections", door="private") == 0


def test_metrics_still_come_when_the_database_cannot_be_read__DMN_4(rig: Rig, tmp_path: Path) -> None:
    busy(rig, tmp_path / "twin")
    rig.database.close()
    rig.clock.sleep(1)
    found = scrape(rig)
    assert value(found, "waiaas_up") == 0
    assert "waiaas_kill_switch_on" not in found  # not known is not off
    assert value(found, "waiaas_backups") == 1


def test_polls_answered_from_memory_are_counted_under_the_status_they_got__DMN_4() -> None:
    metrics = Metrics()
    metrics.quick = 5
    metrics.health_is(503)
    metrics.quick = 7
    metrics.health_is(503)
    metrics.quick = 8
    metrics.health_is(200)
    metrics.quick = 18
    told = {labels["code"]: count for labels, count in metrics.requests()}
    assert told == {"200": 15, "503": 3}


def test_an_unwell_daemon_counts_its_polls_as_503__DMN_4(tmp_path: Path) -> None:
    class Still(FakeClock):
        """Time stands, so that each answer after the first comes from memory."""

        monotonic = Clock.monotonic

    with rig_in(tmp_path, Still()) as rig, server_for(rig) as server, client_of(server) as client:
        rig.database.close()
        for _ in range(5):
            client.send(get("/health"))
            assert client.response()[0] == 503
        found = scrape(rig)
    assert value(found, "waiaas_http_requests_total", route="/health", code="503") == 5
    assert rig.parts.metrics.quick == 4


def test_labels_are_escaped_and_read_back_as_they_were() -> None:
    odd = 'a"b\\c\nd'
    (found,) = text_string_to_metric_families(family("x", "gauge", "An x.", [({"name": odd}, 1)]))
    assert found.samples[0].labels == {"name": odd}
