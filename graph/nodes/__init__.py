"""One file a phase; nodes never import each other."""
