"""The user's side of an upgrade: what to trust, what to choose, and how to change version safely.

Trust. The root of trust lies inside the program (`trust.py`). From it TUF's client proves, over
any number of key rotations, what the feed says now (`feed.py`): the online keys can only say that
nothing is newer, the offline targets keys alone say what a release is. Two things TUF leaves to us.
It remembers versions in a cache that can be lost, so the highest list of releases ever verified is
kept apart (`floors.py`). And it believes the machine's clock, so time is never taken to be earlier
than this build or than the newest time the targets keys have signed. `refusal.py` says what was
refused, `download.py` lets nothing reach the disk under its name but the bytes that were signed.
No option, setting or variable skips any of it. What is carried to
where there is no network (`carried.py`) is read by the same client; only its age is judged otherwise
(`bundle.py`), because nothing can prove there that nothing is newer. `bundle_make.py` makes bundles,
`bundle_look.py` looks at them without changing anything.

Choosing is no part of this package: `core/choose.py` decides from plain values.

Changing version. A run is a list of steps, each with `do` and `undo` (`steps.py`); the journal
around them is written before anything acts (`transaction.py`), so that after a power cut the run is
finished or undone, to one of two worlds and nothing between (`story.py` tells it in order). The new
version's work (migrate, verify, serve) is done by the new file, as a child of the old one
(`child.py`, `work.py`). What decides about the program lies beside it, where its owner alone can
write, and nothing of that is ever taken from the data directory.
"""
