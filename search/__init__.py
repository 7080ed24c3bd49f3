"""The search: which drafts are written, which of them become one candidate, what a rejection teaches. Pure."""
