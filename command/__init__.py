"""The subcommands of `dragoman`, one file or folder each; `cli.py` has the table of them and imports the chosen one.

Each is a `Subcommand` (subcommand.py): `add_arguments` and `run`. Its docstring is the text of its `--help`.
"""
