"""Every path the program ever touches (SPEC §3).

`Layout` is the data directory of one daemon; `ProgramLayout` is what lies beside the program file
and decides about it. They are apart because they may belong to two different users (UPGR-14).
"""

from pathlib import Path

from waiaas.core.value import frozen

DIRECTORY_MODE = 0o700
FILE_MODE = 0o600
PROGRAM_MODE = 0o755
FOLDER = ".waiaas"  # beside the program
DATABASE_NAME = "waiaas.db"  # inside a backup, whatever [database] path says (BKUP-1)


@frozen
class Layout:
    """The data directory. `database` is absolute; it may lie outside of `data_dir`."""

    data_dir: Path
    database: Path
    config: Path

    @property
    def backups(self) -> Path:
        return self.data_dir / "backups"

    @property
    def keystore(self) -> Path:
        return self.data_dir / "keystore"

    @property
    def feed(self) -> Path:
        """Metadata that the daemon's own check has verified; `upgrade` never trusts it."""
        return self.data_dir / "feed"

    @property
    def log(self) -> Path:
        return self.data_dir / "logs" / "waiaas.log"

    @property
    def daemon_lock(self) -> Path:
        return self.data_dir / "daemon.lock"

    @property
    def daemon_json(self) -> Path:
        return self.data_dir / "daemon.json"

    @property
    def socket(self) -> Path:
        """The daemon's private Unix socket (DMN-5)."""
        return self.data_dir / "daemon.sock"

    @property
    def admin_token(self) -> Path:
        return self.data_dir / "admin.token"

    @property
    def installation(self) -> Path:
        """Marks a directory as ours and holds the random id that is never sent (FEED-7)."""
        return self.data_dir / "installation.json"

    @property
    def run_lock(self) -> Path:
        """Taken by a run after the program's lock (UPGR-16)."""
        return self.data_dir / "upgrade.lock"

    @property
    def gate(self) -> Path:
        """The database gate: shared to open the database, exclusive to rename it (DIR-5)."""
        return self.database.with_name(self.database.name + ".gate")

    @property
    def migrating(self) -> Path:
        """The copy that a migration works on before it is renamed into place (MIG-04)."""
        return self.database.with_name("." + self.database.name + ".migrating")

    @property
    def rehearsal(self) -> Path:
        return self.database.with_name("." + self.database.name + ".rehearsal")

    @property
    def legacy_lock(self) -> Path:
        """A directory that the previous implementation touches every five seconds (DIR-4)."""
        return self.data_dir / "daemon.lock.lock"


@frozen
class ProgramLayout:
    """The program and the folder beside it, writable by the program's owner alone (UPGR-14)."""

    program: Path

    @property
    def base(self) -> Path:
        return self.program.parent / FOLDER

    @property
    def lock(self) -> Path:
        return self.base / "lock"

    @property
    def journal(self) -> Path:
        return self.base / "journal"

    @property
    def ballast(self) -> Path:
        """Room for the last entries of the journal, on a full disk."""
        return self.base / "ballast"

    @property
    def history(self) -> Path:
        return self.base / "history"

    @property
    def staged(self) -> Path:
        return self.base / "staged"

    @property
    def metadata(self) -> Path:
        return self.base / "metadata"

    @property
    def floors(self) -> Path:
        return self.base / "floors.json"

    @property
    def previous(self) -> Path:
        """Stable name of the program to fall back to."""
        return self.base / "waiaas.previous"

    def slot(self, digest: str) -> Path:
        """Where the program with this sha256 is kept."""
        return self.base / f"{digest}.pyz"
