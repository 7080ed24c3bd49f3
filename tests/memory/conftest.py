"""Makers of records and of journals."""

from made_records import journal as journal
from made_records import make_entry as make_entry
from made_records import make_events as make_events
from made_records import make_failure as make_failure
from made_records import make_learning as make_learning
from made_records import make_rollout as make_rollout
from made_records import make_verdict as make_verdict
from made_records import only_readable as only_readable
