"""The stand-in for a model: a deterministic, OpenAI-compatible simulation that needs no key."""
