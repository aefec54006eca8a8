"""What the jobs of release.yml do, as a story that can be interrupted anywhere and run again (RLSE-03…05).

    plan.py        release.json: what one run is to publish, made before gate 2, read behind it
    assemble.py    before the gate: the artefact, its plan, and the frozen change to the feed
    deployment.py  what every step works with: the plan, the tools, dry run or not
    branch.py      the public copy of the feed: a branch of a git repository
    build_again.py behind the gate: the same bytes from a build of our own; SHA256SUMS and SBOM
    signatures.py  the partial signatures that key holders have attached to the GitHub Release
    feed.py        publish into the feed, with these signatures, a key of the environment, or both
    shell.py       the desktop channel beside the feed
    client.py      the previous release, installed from the public feed, upgrades to this one
    image.py       which tags a version takes, and how an image gets them
    assets.py      the files of the GitHub Release
    record.py      the run record: what each step saw, never what it meant to do
    story.py       the steps in their order

The world decides what is left to do, not the record: each step looks first, acts only on what is
missing, and looks again. What is there with other bytes is an error and never replaced. Without
WAIAAS_RELEASE_PUBLISH=true it is a dry run: every step looks, and says what it would do.
"""
