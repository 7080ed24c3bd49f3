"""What a slot shows the engineer beside its clusters, and what it may write down: one style a file."""
