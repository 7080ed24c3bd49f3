"""What people look at: the summary of a run and the files beside its journal."""
