"""The three desks: their tools, worlds and request types."""
