"""The maker's side: keys, the artefact, the feed. `python -m waiaas.release`; not in the artefact.

    keys.py        private keys as PEM files, and the signers made from them
    entry.py       the text of the artefact's own `__main__.py`
    archive.py     the canonical repack: same content, same bytes
    build.py       the locked dependencies, a stage, shiv, the repack
    artefact.py    what a built file says about itself, read without running it
    repository.py  the feed: TUF metadata on disk, read and written whole
    pending.py     a change frozen for signing, in memory or in a folder
    publish.py     the stories: prepare, sign, publish, roll out, withdraw, refresh, rotate
    arguments.py   the command line; commands.py tells the stories, `__main__.py` prints and exits

The feed has one point of commit, `timestamp.json`: it is written last, what it names is already
there, and files that nothing names yet are harmless. Every number is taken above all that lie on
disk, so an interrupted run never makes two files of one name with different bytes.
"""
