"""The maker's side: keys, the artefact, the feed. `python -m waiaas.release`; not in the artefact.

    root.py        the root of trust as a document: who may sign what, and how many of them
    keys.py        private keys as PEM files, their public halves, the signers made from them
    entry.py       the text of the artefact's own `__main__.py`
    archive.py     the canonical repack: same content, same bytes
    build.py       the locked dependencies, a stage, shiv, the repack
    artefact.py    what a built file says about itself, read without running it
    metadata.py    the metadata of a feed as files: numbers, dates, what is pruned
    repository.py  the feed: drafted, signed and committed whole
    reader.py      the feed as a client reads it
    shells.py      bundles of the desktop shell as targets of the feed
    pending.py     a change frozen for signing, in memory or in a folder
    examine.py     that folder checked, because nothing in it is trusted
    describe.py    what it changes, in words for whoever signs
    publication.py what a publication adds
    publish.py     the stories with all keys at hand: publish, roll out, withdraw, refresh, rotate
    ceremony.py    the same in parts: prepare, sign on each holder's machine, publish
    withdrawal/    taking a bad release back, and what follows
    sums.py        SHA256SUMS
    contents.py    what is inside an artefact, compared with the lock; sbom.py writes it as CycloneDX
    minisign.py    the stock tool's keys and signatures; desktop.py makes the shell's latest.json
    arguments.py   the command line; commands.py tells the stories, `__main__.py` prints and exits;
                   so do the *_arguments.py and *_commands.py of each group

The feed has one point of commit, `timestamp.json`: it is written last, what it names is already
there, and files that nothing names yet are harmless. Every number is taken above all that lie on
disk, so an interrupted run never makes two files of one name with different bytes.
"""
