"""Conversations of agents as people read them, and as other programs stored them."""
