"""The one list of commands, in the order of `--help`."""

COMMANDS = {
    "init": "waiaas.cli.init",
    "start": "waiaas.cli.start",
    "stop": "waiaas.cli.stop",
    "restart": "waiaas.cli.restart",
    "status": "waiaas.cli.status",
    "health": "waiaas.cli.health",
    "logs": "waiaas.cli.logs",
    "upgrade": "waiaas.cli.upgrade",
    "backup": "waiaas.cli.backup",
    "bundle": "waiaas.cli.bundle",
    "db": "waiaas.cli.db",
    "config": "waiaas.cli.config",
    "doctor": "waiaas.cli.doctor",
    "kill-switch": "waiaas.cli.kill_switch",
    "wallets": "waiaas.cli.wallets",
    "audit": "waiaas.cli.audit",
    "completion": "waiaas.cli.completion",
    "step": "waiaas.cli.step",
}
SENTENCES = {  # of all but `step`, which is one version of the program talking to another
    "init": "create the data directory, or adopt one of the previous implementation",
    "start": "run the daemon",
    "stop": "stop the daemon and wait until it has ended",
    "restart": "stop the daemon if it runs, and start it in the background",
    "status": "say whether the daemon runs, and how it stands",
    "health": "ask the daemon once how it is: exit 0 healthy, 1 unhealthy, 3 not running",
    "logs": "show what the daemon logged",
    "upgrade": "upgrade to the newest release, or roll the last upgrade back",
    "backup": "create, list, verify, restore and prune backups",
    "bundle": "put a release into one file, and upgrade from it where there is no network",
    "db": "schema of the database, pending migrations, integrity",
    "config": "show, set and validate settings",
    "doctor": "look for everything that is wrong, and say what mends it",
    "kill-switch": "stop everything that acts on wallets, or allow it again",
    "wallets": "list and show wallets",
    "audit": "show the audit log, newest first",
    "completion": "print a completion script for a shell",
}
BARE = {"init", "stop", "restart", "status", "doctor"}  # without arguments of their own
PLAIN: dict[
    str, dict[str, object]
] = {  # common words that take no parser: what it would make of them (PRF-3)
    "backup list": {"action": "list", "verify": False},
    "config show": {"action": "show"},
    "db status": {"action": "status"},
    "kill-switch status": {"action": "status"},
    "step check": {"verb": "check"},
    "wallets list": {"action": "list"},
}
OF_THE_PROGRAM = {"completion"}  # alone, and of no data directory
ALIASES = {"update": "upgrade"}
WITHOUT_NOTICE = {"health", "mcp", "completion", "upgrade", "step"}  # VCHK-07
TOLD_OF_RUNS = {"backup", "db", "config", "kill-switch", "wallets", "audit", "logs"}  # that is open (UPGR-06)
SEE_TO_RUNS = {"create", "prune", "restore", "migrate"}  # actions of these that refuse or recover instead
