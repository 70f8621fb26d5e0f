"""The commands themselves; each subcommand of ``payments`` is a file in ``subcommands``."""
