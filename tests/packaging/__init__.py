"""Tests of what is shipped and of what is kept in the repository."""
