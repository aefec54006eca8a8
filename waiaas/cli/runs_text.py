"""Closed upgrade runs in words, one or all."""

from typing import TYPE_CHECKING

from waiaas.host.clock import iso

if TYPE_CHECKING:
    from waiaas.core.journal import Facts


def describe_run(record: "Facts") -> str:
    arrow = f"{record['from']} → {record['to']}"
    if record.get("outcome") != "committed":
        return f"Run {record['run']} ({arrow}): {record.get('outcome')}"
    verb = "Rolled back" if record.get("kind") == "rollback" else "Upgraded"
    down = record.get("downtimeSeconds")
    lines = [f"{verb}: {arrow}"]
    if down is not None:
        lines.append(f"  downtime {down:.1f} s")
    if record.get("backup"):
        lines.append(f"  backup   {record['backup']}")
    if record.get("kind") != "rollback":
        lines.append("  undo     waiaas upgrade --rollback")
    return "\n".join(lines)


def describe_runs(runs: "list[Facts]") -> str:
    if not runs:
        return "No upgrade has run yet."
    rows = [
        f"{iso(float(r['startedAt']))}  {r['kind']:<8}  {r['from']} → {r['to']}  {r['outcome']}" for r in runs
    ]
    return "\n".join(rows)
