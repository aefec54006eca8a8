"""Closed upgrade runs in words, one or all."""

from waiaas.host.clock import iso

TYPE_CHECKING = False  # importing `typing` is one of the things that every command saves (PRF-3)
if TYPE_CHECKING:
    from collections.abc import Iterator

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
    return "\n".join(line for run in runs for line in _lines(run))


def _lines(run: "Facts") -> "Iterator[str]":
    arrow = f"{run['from']} → {run['to']}"
    yield f"{iso(float(run['startedAt']))}  {run['kind']:<8}  {arrow}  {run['outcome']}"
    if run["outcome"] != "committed":
        yield f"  {why(run)}"


def failed_here(runs: "list[Facts]", version: str) -> "Facts | None":
    """How the last run to `version` failed: `run`, `at` in Unix seconds, `reason`. None where it did not, or
    where it was interrupted. `runs`: oldest first."""
    tried = [r for r in runs if r.get("to") == version and r.get("kind") == "upgrade"]
    last = tried[-1] if tried else {}
    error = last.get("error") or {}
    if last.get("outcome") in (None, "committed") or error.get("code") in (None, "interrupted"):
        return None
    return {"run": last["run"], "at": last["finishedAt"], "reason": why(last)}


def why(run: "Facts") -> str:
    """Why a run did not commit, and in which step."""
    error, steps = run.get("error") or {}, run.get("steps") or [{}]
    step = error.get("step") or steps[-1].get("name")
    within = f" in step “{step}”" if step else ""
    return f"failed{within}: {error['message']}" if error.get("message") else f"interrupted{within}"
