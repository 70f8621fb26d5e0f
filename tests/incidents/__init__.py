"""What went wrong in other people's shops, tried on ours: docs/incidents.md has the whole list."""
