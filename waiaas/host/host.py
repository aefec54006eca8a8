"""`Host`: the whole outside world in one value, so that a test can hand in another one."""

from collections.abc import Mapping

from waiaas.core.value import frozen

TYPE_CHECKING = False  # importing `typing` is one of the things that every command saves (PRF-3)
if TYPE_CHECKING:
    from typing import Any

    from waiaas.host.clock import Clock
    from waiaas.host.files import Files
    from waiaas.host.http import Network
    from waiaas.host.processes import Processes
    from waiaas.host.program import Program


@frozen
class Host:
    """Made once in `cli/main.py`. `environ` is a copy; nobody else reads `os.environ`."""

    clock: "Clock"
    files: "Files"
    network: "Network"
    processes: "Processes"
    program: "Program"
    environ: Mapping[str, str]

    @property
    def offline(self) -> bool:
        """No connection leaves this machine."""
        return self.network.offline


class Outside(Host):
    """The real one. A part is made, and its module read, with the first who needs it: most commands
    need no network and start no process (PRF-3)."""

    def __init__(self, program: "Program", environ: Mapping[str, str], offline: bool) -> None:
        vars(self).update(program=program, environ=environ, _offline=offline)

    @property
    def offline(self) -> bool:
        return bool(vars(self)["_offline"])

    def __getattr__(self, name: str) -> "Any":
        """Asked for what is not there yet."""
        vars(self)[name] = made = self._made(name)
        return made

    def _made(self, name: str) -> "Any":
        match name:
            case "clock":
                from waiaas.host.clock import Clock

                return Clock()
            case "files":
                from waiaas.host.files import Files

                return Files()
            case "network":
                from waiaas.host.http import Network

                return Network(self.environ, self.clock, self.offline)
            case "processes":
                from waiaas.host.processes import Processes

                return Processes(self.environ)
        raise AttributeError(name)
