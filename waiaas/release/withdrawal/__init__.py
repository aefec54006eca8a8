"""Taking a bad release back: how urgent, the withdrawal itself, and what follows it (WDR-1 to WDR-4).

The feed comes first: a signed mark on the release reaches everybody who runs it already, which nothing
else does. Then whatever points at it, and whoever has to know. Nothing is deleted, no version is used
again, `main` is not rewritten: the way out of a withdrawal is the next patch version.

    causes.py      the table: RED within 24 h, YELLOW between 24 and 72 h
    assess.py      which of them it is, and what remains until the deadline; on record
    target.py      where users go, and whether they can: pure rules
    marking.py     the signed mark: planned, made, made public, read back as a client reads it
    story.py       the steps in their order; log.py the run record, written after each of them
    case.py        what a step works with, and the four ways in which it can end
    posts.py       notice, issue, release notes, announcement; texts.py and texts/ what they say
    pointers.py    image tags, "latest", package; rollback_tag.py the tag on the target's commit
    explain.py     what is said before the question
    report.py      the situation; downloads.py and feedback.py what users did and said
    evidence.py    logs and scans in one folder; roots.py root causes and the prevention plan
    checklist.py   before the fix goes out; checks.py what a machine can see of that
    records.py     JSON under a folder; kinds.py and shapes.py what is valid; secrets.py what never is
    settings.py    F.toml: repository, images, remote, contacts. What is not named is not touched
    outside.py     programs of others; github.py, images.py, index.py what they are told and answer

Two rules hold everywhere. A step looks before it acts and again afterwards, and only what it then saw
is recorded or told: never what was meant to happen. So every command can be given again, after a kill
at any point. And what a person typed is checked before anything is done, and escaped where it is shown.

Where the texts were silent, this was decided. A target that the migration of the bad version has cut
off is allowed: clients bring a backup back and ask first, and the texts say so. A target that no client
could install is refused, and so is none at all, unless `--nowhere` says that this is known. A moving
image tag takes the newest good version that it can mean, and if there is none, the target. Issues and
release notes carry outcomes only, since a failure may quote a path or a name of this machine.
"""
