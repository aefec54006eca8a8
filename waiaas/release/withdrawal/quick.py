"""The quick reference, at the end of `release --help` and in docs/withdraw.md (W-21)."""

TEXT = """\
a bad version is out (docs/withdraw.md tells it all):
  how urgent it is         python -m waiaas.release assess V --cause C --feed F
  take it back             python -m waiaas.release withdraw V --feed F --keys K --reason '…'
  current version          python -m waiaas.release status --feed F
  last ten releases        gh release list --limit 10
  failed release runs      gh run list --workflow release.yml
  log of a failed run      gh run view ID --log-failed
  undo it in the source    git revert COMMIT   (as fix: …; the release pull request makes the next patch)
"""
