"""Runnable examples; nothing in the distributions imports them."""
