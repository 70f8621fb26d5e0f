"""Stateful stand-ins for real payment gateways, as local HTTP servers."""
