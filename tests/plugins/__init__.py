"""The plugin system: hooks, discovery, settings, registry, secrets."""
