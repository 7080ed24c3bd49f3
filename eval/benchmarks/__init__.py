"""The benchmarks that ship with SigmaLoop."""
