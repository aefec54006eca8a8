"""The command line: one file a command, each with `HELP`, `arguments(parser)` and `run(args, context)`.

A command computes and returns a `Result`; `output.py` alone prints it, as text or as JSON. `main.py`
finds the command in `commands.py`, imports that one module and is the one place a run exits from.
`--version` and `health` are answered before anything heavy is imported, because monitoring calls
them all day. Plain classes there, instead of dataclasses and enums, are meant: those cost more to
import than the whole answer takes.
"""
