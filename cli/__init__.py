"""The front door: a file per group of commands; nobody imports it."""
