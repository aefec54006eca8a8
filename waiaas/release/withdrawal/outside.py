"""Programs of others — gh, git, skopeo, docker — each command line a value, each answer kept clean."""

import json
import shutil
from collections.abc import Mapping, Sequence
from typing import Any

from waiaas.core.errors import WaiaasError
from waiaas.core.value import field, frozen
from waiaas.host.processes import Finished, Processes
from waiaas.release.withdrawal.secrets import Secrets

Argv = tuple[str, ...]
PATIENCE = 60.0  # seconds for one command


@frozen
class Outside:
    """Runs them with the environment we were given."""

    processes: Processes
    environ: Mapping[str, str]
    secrets: Secrets = field(default_factory=Secrets)

    def has(self, program: str) -> bool:
        return shutil.which(program, path=self.environ.get("PATH", "")) is not None

    def run(self, argv: Sequence[str], patience: float = PATIENCE) -> Finished:
        """To its end. Raises WaiaasError `tool-missing`, `tool-silent`."""
        try:
            done = self.processes.run(argv, patience)
        except (FileNotFoundError, PermissionError) as problem:
            raise WaiaasError("tool-missing", f"{argv[0]} cannot be run: {problem.strerror}") from problem
        if done.code == -9:
            raise WaiaasError("tool-silent", f"{' '.join(argv[:3])} did not end within {patience:g} s")
        return done

    def ask(self, argv: Sequence[str], patience: float = PATIENCE) -> str:
        """What it said on stdout. Raises WaiaasError `tool-failed` with the last line of its stderr."""
        done = self.run(argv, patience)
        if done.code != 0:
            said = self.secrets.withheld((done.stderr or done.stdout).strip()).splitlines()
            last = said[-1][:300] if said else "it said nothing"
            raise WaiaasError(
                "tool-failed", f"{' '.join(argv[:3])} failed with exit code {done.code}: {last}"
            )
        return done.stdout

    def read(self, argv: Sequence[str]) -> Any:
        """Its stdout as JSON. Raises WaiaasError `tool-failed`."""
        try:
            return json.loads(self.ask(argv))
        except (ValueError, RecursionError) as problem:
            raise WaiaasError("tool-failed", f"{' '.join(argv[:3])} did not answer in JSON") from problem
