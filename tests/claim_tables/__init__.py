"""How the tables of the papers are laid out, for the tests that hold claim files against the texts."""
