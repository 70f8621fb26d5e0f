"""Pytest fixtures: a simulator for one test."""
