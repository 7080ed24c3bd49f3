"""The simulated customer service agent: understanding, dialogue and one file of procedures per domain."""
