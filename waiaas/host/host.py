"""`Host`: the whole outside world in one value, so that a test can hand in another one."""

from collections.abc import Mapping

from waiaas.core.value import frozen
from waiaas.host.clock import Clock
from waiaas.host.files import Files
from waiaas.host.http import Network
from waiaas.host.processes import Processes
from waiaas.host.program import Program


@frozen
class Host:
    """Made once in `cli/main.py`. `environ` is a copy; nobody else reads `os.environ`."""

    clock: Clock
    files: Files
    network: Network
    processes: Processes
    program: Program
    environ: Mapping[str, str]
