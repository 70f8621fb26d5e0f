"""What every simulator is made of: a server on a thread, a clock, faults, books, deliveries."""
