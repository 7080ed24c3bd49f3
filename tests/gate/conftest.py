"""Rollouts by letter."""

from lettered import make_rollout as make_rollout
from lettered import outcomes as outcomes
