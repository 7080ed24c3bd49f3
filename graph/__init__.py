"""The loop: nodes, edges, state, and the composition root."""
