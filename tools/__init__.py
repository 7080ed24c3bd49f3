"""The hands: gateway, sandbox, versions, edits, scripted model."""
