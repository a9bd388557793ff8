"""A synthetic campus in the shape of Naga's: deterministic, awkward on purpose, nobody real."""
