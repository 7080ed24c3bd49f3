"""Attacks on the sandbox, and the probe that tries them."""
