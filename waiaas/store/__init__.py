"""The database and its copies.

`inspect` looks and never writes; `history` judges what `schema_version` and the tables say;
`migrate` works on a copy and renames it into place; `backup` keeps whole, verified copies.
`tables` is the schema as data, `schema` turns it into a new file, `structure` compares two schemas.
`keyvalue`, `killswitch` (thrown by `switching`), `wallets` and `audit` are the rows that the daemon itself
reads and writes; they take an open connection and address every column by its name, because real
files of schema 16 come in three column orders (MIG-05).

Who may touch the file is said by the gate (DIR-5): open it under `shared`, rename it under
`exclusive`. A file in `backups/` never shares an inode with a database that will be written again,
with two exceptions, each the caller's to end: the link taken by `backup.create(link=True)`, which
`migrate` ends by renaming a new file into place, and `backup.restore(link=True)`, after which the
caller removes the backup.
"""
