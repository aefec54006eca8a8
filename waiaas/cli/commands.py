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
ALIASES = {"update": "upgrade"}
HIDDEN = {"step"}  # one version of the program talking to another
WITHOUT_NOTICE = {"health", "mcp", "completion", "upgrade", "step"}  # VCHK-07
VISIBLE = tuple(name for name in COMMANDS if name not in HIDDEN)
