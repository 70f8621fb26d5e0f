"""Eight processes at the same orders at the same moment, on both databases: one effect for each."""
