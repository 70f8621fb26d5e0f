"""The lines of defence of docs/security.md, a file for each theme."""
