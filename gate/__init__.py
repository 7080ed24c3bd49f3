"""The decision, pure: no I/O and no clock."""
