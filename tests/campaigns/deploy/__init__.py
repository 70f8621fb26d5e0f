"""Deployments with work in flight: every state of an operation, every change under its feet."""
