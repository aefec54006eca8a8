"""The outside world, one file a kind of thing; nothing decides here.

`host.Host` bundles the clock, the file system, the network and the processes. It is made once, in
`cli/main.py`, and handed down. Durable file operations carry a name, so that a test can cut the
power at any of them; the file system and SQLite themselves stay real in tests.
"""
