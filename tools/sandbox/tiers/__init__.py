"""What this machine can put around a child."""
