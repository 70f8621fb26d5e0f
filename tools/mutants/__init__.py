"""Mutation testing: change the rules one by one, and see whether a test notices."""
