"""Omniman's payment core: contracts, plugin hooks, pure decisions and the engine.

Knows no web framework, ORM or gateway SDK. The names below are the public surface; the
heavier parts (engine, testing, conformance) are imported from their own packages.
"""
