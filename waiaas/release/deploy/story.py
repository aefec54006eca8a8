"""The steps of a deployment, in their order; every one leaves a line in the run record."""

from collections.abc import Callable, Sequence
from importlib import import_module

from waiaas.core.errors import WaiaasError
from waiaas.host.clock import iso
from waiaas.release.deploy.deployment import Deployment, Result
from waiaas.release.deploy.record import Entry, Record
from waiaas.release.withdrawal.secrets import Secrets

# Module and function; imported when its turn comes, since some of them need much that others do not.
STEPS = {
    "check": ("build_again", "check"),
    "documents": ("build_again", "documents"),
    "signatures": ("signatures", "signatures"),
    "feed": ("feed", "feed"),
    "desktop": ("shell", "channel"),
    "verify": ("client", "verify"),
    "image": ("image", "image"),
    "assets": ("assets", "assets"),
}
FAILED = "failed"


def deploy(deployment: Deployment, names: Sequence[str]) -> list[Entry]:
    """Do these steps, in the order of the story; the first that fails ends it, and is recorded too."""
    return [_step(deployment, name) for name in STEPS if name in names]


def record(deployment: Deployment) -> Record:
    """The run record of this release, with what earlier attempts left in it."""
    plan = deployment.plan
    subject = {"tag": plan.tag, "version": str(plan.version), "commit": plan.commit, "sha256": plan.sha256}
    secrets = Secrets(deployment.bench.environ)
    return Record(deployment.folder, subject, deployment.bench.files, secrets)


def _step(deployment: Deployment, name: str) -> Entry:
    clock = deployment.bench.clock
    begun, at = clock.monotonic(), iso(clock.now())
    kept = record(deployment)

    def entry(outcome: str, observed: dict[str, str]) -> Entry:
        made = Entry(name, outcome, observed, at, round(clock.monotonic() - begun, 1))
        kept.add(made)
        return made

    try:
        result = _function(name)(deployment)
    except WaiaasError as problem:
        entry(FAILED, {"code": problem.code, "message": problem.message})
        raise
    return entry(result.outcome, dict(result.observed))


def _function(name: str) -> Callable[[Deployment], Result]:
    module, function = STEPS[name]
    place = import_module(f"waiaas.release.deploy.{module}")
    found: Callable[[Deployment], Result] = getattr(place, function)
    return found
