"""What the simulated model does wrong, and what cures it."""
