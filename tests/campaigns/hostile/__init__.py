"""Whatever a stranger sends: never a 5xx, never accepted wrongly, no row, bounded."""
