"""Overlays that make a next version broken in one chosen way; everything else of it is real."""

from tests.journeys.workshop import REPOSITORY, migration_17

WORK, STEP, START = "waiaas/upgrade/work.py", "waiaas/cli/step.py", "waiaas/cli/start.py"
M17 = "waiaas/store/migrations/m17.py"

Overlay = dict[str, str]


def appended(path: str, text: str) -> Overlay:
    """The tree's own file, its last words redefined."""
    return {path: (REPOSITORY / path).read_text() + text}


def fails_its_own_verification() -> Overlay:
    return appended(
        WORK,
        """

def verify(host, layout, *_):
    state = inspect(layout.database, Gate(layout.gate, host.clock))
    return _answer(state.schema, ["the moon is in the wrong quarter"])
""",
    )


def exits_at_once() -> Overlay:
    return appended(
        START,
        """

def run(args, context):
    print("I would rather not", file=sys.stderr, flush=True)
    os._exit(3)
""",
    )


def never_becomes_ready() -> Overlay:
    """It holds the daemon's lock and the database, serves, and does not even hear SIGTERM."""
    return appended(
        START,
        """

def announce(*_):
    while True:
        Event().wait()
""",
    )


def comes_slowly() -> Overlay:
    """Sound, but two seconds late."""
    return appended(
        START,
        """

def announce(*words, _real=announce):
    Event().wait(2)
    _real(*words)
""",
    )


def falls_ill_in_probation() -> Overlay:
    return appended(
        START,
        """

def notify(environ, text, _real=notify):
    from threading import Timer

    _real(environ, text)
    Timer(0.5, os._exit, [9]).start()
""",
    )


def is_unwell_and_will_not_stop() -> Overlay:
    """Nothing but SIGKILL ends it, and it has the database open."""
    deaf = appended(
        START,
        """

def notify(environ, text, _real=notify):
    import signal

    _real(environ, text)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
""",
    )
    return {**deaf, **appended("waiaas/core/health.py", '\n\ndef _status(seen):\n    return "degraded"\n')}


def cannot_rehearse() -> Overlay:
    return appended(STEP, "\n\ndef run(args, context):\n    raise SystemExit(78)\n")


def crashes(verb: str) -> Overlay:
    """A bug in the new version's own work, whose message holds secrets of environment and files."""
    return appended(
        WORK,
        f"""

def {verb}(host, layout, *_):
    token = layout.admin_token.read_text().strip()
    raise RuntimeError(f"the tide is out for {{token}} with {{host.environ['WAIAAS_API_SECRET']}}")
""",
    )


def is_not_what_was_signed() -> Overlay:
    return appended(WORK, '\n\n__version__ = "6.6.6"\n')


def migration_that(behaves: str) -> Overlay:
    """Migration 17, which then behaves like this; `earnest` is true only in step 5."""
    text = migration_17()[M17] + (
        "    names = connection.execute('PRAGMA database_list')\n"
        "    earnest = any('.migrating' in row['file'] for row in names)\n"
        f"    {behaves}\n"
    )
    return {**migration_17(), M17: text}


def migration_fails_in_earnest() -> Overlay:
    return migration_that("if earnest: raise ValueError('the tide is out')")


def migration_is_killed_in_earnest() -> Overlay:
    return migration_that("if earnest: import os; os.kill(os.getpid(), 9)")


def migration_fails_always() -> Overlay:
    return migration_that("raise ValueError('the tide is out')")
