"""Secrets and payers planted everywhere: looked for in all that is stored, logged or shown."""
