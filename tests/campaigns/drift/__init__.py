"""Books that drift from the gateway's in every way, and books that do not: both are told apart."""
