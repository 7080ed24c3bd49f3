"""How the simulated model reads a harness."""
