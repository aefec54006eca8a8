"""`/metrics`: every family by name, kind and sentence (Prometheus text format 0.0.4).

Names follow the field's conventions: base units, `_total` for what only grows, `_info` with the value 1,
times as Unix seconds, so that an age is `time() - waiaas_…_timestamp_seconds`. What cannot be read just
now is left out rather than guessed; `waiaas_up` says why.
"""

import os
import resource
import sys
from pathlib import Path

import waiaas
from waiaas.core.health import HealthReport
from waiaas.daemon.metrics import Sample, family, gauge
from waiaas.daemon.parts import Parts
from waiaas.daemon.survey import Recorded, Survey, survey
from waiaas.daemon.workers import Worker
from waiaas.store.manifest import Backup


def exposition(parts: Parts) -> str:
    seen = survey(parts)
    return "".join(
        (
            *_program(seen.report),
            *_upgrades(seen),
            *(_recorded(seen.recorded) if seen.recorded else ()),
            *_data(seen),
            *_workers(parts.workers.all()),
            *_http(parts, seen),
            *_process(parts.clock.now() - parts.probe.uptime),
        )
    )


def _program(report: HealthReport) -> tuple[str, ...]:
    labels = {
        "version": waiaas.__version__,
        "implementation": report.implementation,
        "python": "{}.{}.{}".format(*sys.version_info),
    }
    return (
        family("waiaas_build_info", "gauge", "The program that runs.", [(labels, 1)]),
        gauge("waiaas_up", "1 while the daemon can serve.", report.serves),
        gauge("waiaas_uptime_seconds", "Time since the start.", report.uptime),
        gauge("waiaas_schema_version", "Schema version of the database.", report.schema_version),
    )


def _upgrades(seen: Survey) -> tuple[str, ...]:
    report = seen.report
    return (
        gauge("waiaas_update_available", "1 when a newer version is known.", report.update_available),
        gauge("waiaas_withdrawn", "1 when the running version was withdrawn.", bool(report.withdrawn)),
        gauge("waiaas_probation", "1 until an upgrade has committed.", report.probation),
        gauge("waiaas_open_run", "1 while an upgrade run is at work or interrupted.", bool(seen.open_run)),
    )


def _recorded(recorded: Recorded) -> tuple[str, ...]:
    check = recorded.check
    outcomes: list[Sample] = [({"outcome": name}, runs) for name, runs in recorded.outcomes.items()]
    return (
        family("waiaas_upgrade_runs_total", "counter", "Upgrade runs by how they ended.", outcomes),
        gauge("waiaas_version_check_failed", "1 when the last check failed.", check.error is not None),
        gauge("waiaas_version_check_timestamp_seconds", "Last check that succeeded.", check.checked_at),
        gauge("waiaas_kill_switch_on", "1 while nothing acts on wallets.", recorded.kill_switch != "ACTIVE"),
        gauge("waiaas_wallets", "Wallets that are registered.", recorded.wallets),
    )


def _data(seen: Survey) -> tuple[str, ...]:
    kept: tuple[Backup, ...] = seen.backups
    newest = kept[0].created_at if kept else None
    return (
        gauge("waiaas_database_bytes", "Size of the database file.", seen.database_bytes),
        gauge("waiaas_database_wal_bytes", "Size of its write-ahead log.", seen.wal_bytes),
        gauge("waiaas_backups", "Backups that are kept.", len(kept)),
        gauge("waiaas_backups_bytes", "Size of all backups.", sum(backup.bytes for backup in kept)),
        gauge("waiaas_backup_newest_timestamp_seconds", "When the newest was made.", newest),
    )


def _workers(workers: list[Worker]) -> tuple[str, ...]:
    ended: list[Sample] = [({"worker": w.name}, w.ended) for w in workers if w.ended is not None]
    return (
        family(
            "waiaas_worker_runs_total",
            "counter",
            "Runs of a background worker.",
            [({"worker": w.name}, w.runs) for w in workers],
        ),
        family(
            "waiaas_worker_failures_total",
            "counter",
            "Runs of a background worker that failed.",
            [({"worker": w.name}, w.failures) for w in workers],
        ),
        family("waiaas_worker_last_run_timestamp_seconds", "gauge", "When its last run ended.", ended),
    )


def _http(parts: Parts, seen: Survey) -> tuple[str, ...]:
    doors: list[Sample] = [({"door": name}, count) for name, count in seen.connections.items()]
    return (
        family("waiaas_http_requests_total", "counter", "Requests answered.", parts.metrics.requests()),
        family("waiaas_http_connections", "gauge", "Connections that are open.", doors),
    )


def _process(started: float) -> tuple[str, ...]:
    """What every exporter says of its process, under the names they all use."""
    used, open_files, most = os.times(), Path("/proc/self/fd"), resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    proc = open_files.exists()
    return (
        gauge("process_start_time_seconds", "Start time of the daemon.", round(started)),
        family(
            "process_cpu_seconds_total", "counter", "CPU time that was used.", [({}, used.user + used.system)]
        ),
        gauge("process_resident_memory_bytes", "Resident memory.", _resident() if proc else None),
        gauge("process_open_fds", "Open descriptors.", len(list(open_files.iterdir())) if proc else None),
        gauge("process_max_fds", "Most of them.", None if most == resource.RLIM_INFINITY else most),
    )


def _resident() -> int:
    """Bytes, from proc_pid_statm(5)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()
