"""The one door for model calls."""
