"""Keys of the previous implementation that we do not use: kept in the file, ignored with one notice."""

from collections.abc import Mapping

SECTIONS = frozenset(
    ("keystore", "rpc", "notifications", "security", "walletconnect", "x402", "display", "telegram")
)
KEYS: Mapping[str, frozenset[str]] = {
    "daemon": frozenset(
        (
            "log_file",
            "log_max_size",
            "log_max_files",
            "pid_file",
            "dev_mode",
            "admin_ui",
            "admin_timeout",
        )
    ),
    "database": frozenset(("wal_checkpoint_interval", "busy_timeout", "cache_size", "mmap_size")),
}


def is_legacy(section: str, key: str) -> bool:
    """True for what an old config.toml may contain. A whole section of old is taken as it is, because
    the previous loader too let unknown keys in a known section pass."""
    return section in SECTIONS or key in KEYS.get(section, ())
