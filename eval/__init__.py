"""The measure: benchmarks, rollouts, the gate, statistics."""
