"""Design mutants: each undoes one rule, and the simulation has to notice."""
