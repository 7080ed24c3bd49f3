"""One fault as an engineer knows it: the clauses from which a remedy against it is put together.

Clauses may hold choices in square brackets, `[state|name] the amount`; `choices.spell` settles them. They carry no
capital at the start and no full stop at the end, so that a sentence can take them in any order.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Moment = Literal["before", "during", "after", "any"]
"""When, seen from the tool call concerned, the right thing has to be done; `any`: it depends on no call."""
Hook = Literal["told", "identity", "consent", "once", "looked"]
"""What a check in code looks at before it lets a call pass; `told` objects once and then lets it pass."""
Excess = Literal["transfer", "confirm", "terse", "comply", "retry", "refuse", "no_money", "ask_which"]
"""How a rule against the fault goes too far."""


class Fault(NamedTuple):
    subject: str
    """What it is about, as a noun phrase without article."""
    trouble: tuple[str, ...]
    """How somebody who saw it in a trace would describe it; recognition goes by these."""
    when: tuple[str, ...]
    """Situations, able to stand at the start or the end: "when ...", "if ...", "with ..."."""
    do: tuple[str, ...]
    """What is right, as an imperative."""
    avoid: tuple[str, ...]
    """What is wrong, as a bare verb phrase after "do not"."""
    avoiding: tuple[str, ...]
    """The same as a gerund, after "instead of"."""
    why: tuple[str, ...]
    """Reasons, as main clauses."""
    limit: tuple[str, ...]
    """How far the rule goes, as main clauses."""
    says: str
    """A customer's words in such a case."""
    right: tuple[str, ...]
    """What a good agent answers or does."""
    wrong: str
    """What the faulty one does, as a noun phrase or short sentence for a counter-example."""
    moment: Moment = "before"
    hook: Hook = "told"
    look: str = ""
    """The reading tool that must have been called, for the hook `looked`."""
    excess: tuple[Excess, ...] = ("confirm", "transfer")
