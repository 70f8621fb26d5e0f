"""Exhaustive schedules: scripted scenarios, with every fault at every place where it can strike."""
