"""Backends that misbehave in every way we could think of, under the real engine and worker."""
