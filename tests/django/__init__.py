"""The Django host: its store against the core's twin in memory, its models and sessions."""
