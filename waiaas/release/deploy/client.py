"""The proof behind the gate: the previous release, as users have it, upgrades from the public feed.

No setting of ours helps it: its own root of trust, its own address of the feed, a fresh folder. The
first release of all has no predecessor; it proves itself by downloading and verifying what is public.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from waiaas.core.errors import WaiaasError
from waiaas.core.release import Release
from waiaas.core.value import frozen
from waiaas.core.version import Version
from waiaas.host.files import sha256
from waiaas.host.http import Network
from waiaas.host.problems import HttpStatus, NetworkProblem
from waiaas.host.processes import Processes
from waiaas.release.deploy.assemble import payload
from waiaas.release.deploy.deployment import HOLDS, WOULD, Deployment, Result

PUBLIC_WITHIN = 900.0  # seconds until a push is served; Pages takes a minute or two
LOOK_EVERY = 10.0  # seconds
REQUEST, BUDGET = 20.0, 1 << 20  # seconds and bytes for one look at timestamp.json
PATIENCE = 300.0  # seconds for one command of the client


def verify(deployment: Deployment) -> Result:
    """Whoever has the previous release gets this one."""
    plan = deployment.plan
    deployment.fetch()
    previous = predecessor(deployment.repository.releases(), plan.version)
    who = str(previous.version) if previous else f"{plan.version}, the first"
    if not deployment.publishes:
        deployment.bench.remark(f"dry run: would upgrade {who} from {plan.feed_url}")
        return Result(WOULD, {"client": who})
    _await_public(deployment)
    program = payload(deployment.feed, previous) if previous else deployment.artefact
    with TemporaryDirectory(prefix="waiaas-client-") as scratch:
        client = Client(program, Path(scratch), plan.version, dict(deployment.bench.environ))
        if previous is None:
            client.download()
            return Result(HOLDS, {"client": who, "downloaded": str(plan.version)})
        client.upgrade()
        digest = sha256(client.program)
    if digest != plan.sha256:
        raise WaiaasError("other-bytes", f"the client installed sha256 {digest}", "withdraw this release")
    return Result(HOLDS, {"client": who, "upgraded to": f"sha256:{digest}"})


def predecessor(releases: Sequence[Release], version: Version) -> Release | None:
    """The newest release before this one that its users may have: not withdrawn, and stable for a stable."""
    earlier = [
        release
        for release in releases
        if release.version < version
        and release.withdrawn is None
        and (version.is_rc or not release.version.is_rc)
    ]
    return max(earlier, key=lambda release: release.version, default=None)


@frozen
class Client:
    """An installation in a folder of its own that knows nothing but what is in its file."""

    source: Path
    folder: Path
    wanted: Version
    environ: dict[str, str]

    @property
    def program(self) -> Path:
        return self.folder / "bin" / "waiaas"

    def upgrade(self) -> None:
        """Install, check, upgrade; raises WaiaasError `client-refuses` with what it said."""
        self._install()
        self._run("init")
        self._run("upgrade", "--check", "--to", str(self.wanted))
        self._run("upgrade", "--to", str(self.wanted), "--no-start")
        said = self._run("--version").strip()
        if said != str(self.wanted):
            raise WaiaasError(
                "client-refuses", f"the client is at {said}, not at {self.wanted}", "withdraw it"
            )

    def download(self) -> None:
        """Download and verify, for whoever has nothing to upgrade from."""
        self._install()
        self._run("init")
        bundle = self.folder / "bundle.tgz"
        self._run("bundle", "create", "--version", str(self.wanted), "-o", str(bundle))
        self._run("bundle", "verify", str(bundle))

    def _install(self) -> None:
        self.program.parent.mkdir()
        shutil.copyfile(self.source, self.program)
        self.program.chmod(0o755)

    def _run(self, *arguments: str) -> str:
        argv = [str(self.program), "--data-dir", str(self.folder / "data"), *arguments]
        channel = "rc" if self.wanted.is_rc else "stable"
        environ = {"PATH": self.environ.get("PATH", ""), "LANG": "C.UTF-8", "WAIAAS_UPGRADE_CHANNEL": channel}
        proxies = {name: value for name, value in self.environ.items() if name.lower().endswith("_proxy")}
        done = Processes({**environ, **proxies, "WAIAAS_UPGRADE_MODE": "self"}).run(argv, PATIENCE)
        if done.code:
            raise WaiaasError(
                "client-refuses",
                f"`waiaas {' '.join(arguments)}` of the previous release failed: {done.stderr.strip()}",
                "users would meet the same: withdraw this release, or mend the feed",
            )
        return done.stdout


def _await_public(deployment: Deployment) -> None:
    """Wait until the address of the feed serves what the branch holds; raises WaiaasError `not-public`."""
    wanted = (deployment.feed / "metadata" / "timestamp.json").read_bytes()
    url = deployment.plan.feed_url.rstrip("/") + "/metadata/timestamp.json"
    clock = deployment.bench.clock
    network = Network(deployment.bench.environ, clock)
    end = clock.monotonic() + PUBLIC_WITHIN
    while True:
        try:
            seen = network.get(url, REQUEST, BUDGET)
            why = "something else is served there"
        except (NetworkProblem, HttpStatus) as problem:
            seen, why = b"", problem.message
        if seen == wanted:
            return
        if clock.monotonic() >= end:
            raise WaiaasError(
                "not-public",
                f"{url} does not serve the new feed: {why}",
                "does it serve that branch? then run again",
            )
        clock.sleep(LOOK_EVERY)
