"""Changes to the one agent file: edits, static checks, leak scan."""
