"""The gate put to the test in worlds whose truth is known."""
