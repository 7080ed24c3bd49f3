"""The scripted customer: what it hears and what it says."""
