"""The one editable file lives here as text; nothing imports it."""
