"""`python -m tests.systemd.disks`: the two disks that the tests begin with, in the folder of this run.

`first`: a bare machine on which WAIaaS was installed by the documented commands. `peace`: the same after
an upgrade with a migration that nobody disturbed. Both were switched off in good order.
"""

from contextlib import closing

from tests.systemd.installed import Installed, install
from tests.systemd.machine import BASE, MACHINES, RUN, Machine

FIRST, PEACE = MACHINES / "first" / "disk", MACHINES / "peace" / "disk"


def make() -> None:
    with closing(Machine(BASE, FIRST.parent)) as first:
        first.boot()
        install(first, RUN / "versions").serves("1.8.0")
        first.off()
    with closing(Machine(BASE, PEACE.parent, FIRST)) as peace:
        peace.boot()
        done = Installed(peace).upgrade("minor")
        assert done.code == 0, done
        peace.off()


if __name__ == "__main__":
    make()
