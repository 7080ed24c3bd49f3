"""The strategies, one a file: who is asked for drafts, how they are screened, what goes to the gate."""
