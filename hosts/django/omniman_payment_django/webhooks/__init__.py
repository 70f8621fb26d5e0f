"""Notifications from gateways: verified wake-ups. Nothing here reads an amount from an event."""
