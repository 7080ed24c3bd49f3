"""Agents without a model that know what is to be done, for checks of the benchmark itself: perfect, sloppy, lying."""
