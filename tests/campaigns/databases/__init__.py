"""A database that fails at every statement, once and for a while: nothing lost, nothing twice."""
