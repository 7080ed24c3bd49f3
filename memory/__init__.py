"""What survives: journal, suite, clusters, learnings, index, checkpoints."""
