"""Deterministic simulation: the real engine, a store in memory and the mock gateway, one seed."""
