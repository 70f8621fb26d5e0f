"""The web face of the Django host: webhooks, commands, checks, admin and the demo."""
