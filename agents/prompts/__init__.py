"""The specialists' prompts, as text beside this file."""
