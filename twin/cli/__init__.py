"""The command `twin`, one file per group of commands."""
