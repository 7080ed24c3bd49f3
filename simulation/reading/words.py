"""A sentence as a list of words: lower case, contractions spelled out, set phrases as one word, light stems."""

from __future__ import annotations

import re
from functools import lru_cache

_TOKEN = re.compile(r"[a-z0-9#$%@]+(?:'[a-z]+)?|[.,;:()!?=+\-<>]")
_QUOTED = re.compile(r"\"[^\"\n]{0,80}\"|“[^”\n]{0,80}”|(?<![\w])'[^'\n]{2,80}'(?![\w])")
_REWRITES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"[’‘`]", "'"),
        (r"\s-{1,2}>\s|\s[-–—]{1,2}\s|—", " ; "),
        (r"\b(\w+)\[(\d)\]", r"\1 index\2"),
        (r"_0\b|\[0\]", " index0 "),
        (r":\s*(true|false)\b", r" \1"),
        (r"\b(it|that|there|he|she|who|what|where|here|this|somebody|someone|nobody|nothing|everything)'s\b", r"\1 is"),
        (r"(?<=[a-z])'s\b|(?<=s)'(?= )", ""),
        (r"(?<=[a-z])'(re|ve|ll|d)\b", " "),
        (r"\b(solely|exclusively|purely)\b", "only"),
        (r"\blet (.{1,50}?) (slip|fall by|lapse|drop|go unanswered|get lost)( (away|through|off|the wayside))?\b", r"forget \1"),
        (r"\b(leave|leaves|leaving|left) (.{1,40}?) (behind|untouched|unchanged|undone|unfinished|unanswered)\b", r"omit \2"),
        (r"\b(lose|losing|lost) (sight|track) of\b", "forget"),
        (r"\bdo(ing)? without\b", "avoid"),
        (r"\bsay(ing)? yes to\b", "accept"),
        (r"\b(pay|give|take|hold) no (attention|heed|account) (to|of)\b|\bturn a blind eye to\b|\blook past\b", "ignore"),
        (r"[_/]", " "),
        (r"\bcan't|\bcannot|\bcan not\b", "can not"),
        (r"\bwon't", "will not"),
        (r"n't\b", " not"),
        (r"\b(is|are|was|were|be|been|being) (strictly )?(forbidden|prohibited|banned)\b", r"\1 notallowed"),
        (
            r"\b(not (allowed|permitted|allow|permit)\b( by)?|(does|do|did|would) not (allow|permit|let)|against the "
            r"(policy|rules?)|(violat|break)\w* (the )?(policy|rules?)|off limits|not ok(ay)? under)",
            "forbiddenthing",
        ),
        (r"\b(can|may|could) not be (\w+ed|done)\b", r"forbiddenthing \2"),
        (r"\bin (only|just) one\b|\bin one\b", "inone"),
        (r"\byes or no\b|\byes no\b", "yes"),
        (r"\b(say|saying|says|said) (firmly |politely |simply )?(no|sorry)\b(?! more)", "decline"),
        (r"\bstay(s|ing)? with (the|a|your) no\b|\bno means no\b|\ba no (is|stays|remains) (a )?no\b", "staysfirm"),
        (r"\bno less\b|\bno more( and|,)?(?= |$)|\bno longer\b|\bnot only\b(?=.*\bbut\b)", " "),
        # what somebody may say about the worth of doing something
        (
            r"\b(there (is|s|exists)( absolutely| really)? )?(no|not any|little|hardly any) (real |further |good )?"
            r"(need|point|use|sense|reason|cause|call|value|benefit|excuse|grounds?)( whatsoever| at all)?"
            r"( to be| to| in| for| of|$)",
            "noneed ",
        ),
        (r"\b(do|does|need|should|would|must) not (have|need|want|care|bother|worry) (to|about|with)\b", "noneed "),
        (r"\b(do|does) not (bother|need)\b", "noneed "),
        (r"\b(need|needs) not\b", "noneed"),
        (r"\bwithout bothering( to| with)?\b", "without"),
        (r"\b(never mind|forget about|do away with|dispense with|save (yourself|the)( trouble of)?|spare (the "
         r"customer|yourself|them)|refrain from|desist from|hold back from|shy away from|stay away from|keep from|steer "
         r"clear of|hold off( on)?|skimp on|(stop|quit)(?= \w+ing))", "avoid"),  # fmt: skip
        (r"\b(keep|stay) (quiet|silent|mum) (about|on)\b|\bkeep (?=[^.,;]{0,50} to yourself)", "not tell "),
        (r"\b((do not|never|not) )?(lose|waste|spend)( any| your| too much)? (time|effort|energy|thought)s?"
         r"( with| on| in)?\b", "avoid "),  # fmt: skip
        (r"\b(as long as|while|unless and until)((?: \w+){1,3}?) (have|has|had|is|are|was|were) not\b", r"until\2 \3"),
        (r"\b(do|does) not (even )?exist\b|\b(is|are) (not|never) (a )?part of\b|\b(is|are) (often|usually|mostly|frequently|"
         r"rarely|not always|not necessarily) (not (it|right|the one|the right one|meant)|wrong|the wrong one)\b",
         "badidea"),  # fmt: skip
        (r"\b(fine|okay|ok|all right|alright|acceptable|safe|good|better) not to\b", "noneed"),
        (r"\b(is|are|be|it) (usually |often |mostly |quite |really |just |only )?(pointless|useless|unnecessary|"
         r"needless|superfluous|optional|redundant|unimportant|irrelevant|overkill|futile|senseless|excessive|"
         r"overrated|negligible|immaterial|dispensable|secondary|tedious|a (waste|nuisance|formality|luxury|mistake|bother|"
         r"burden|hassle|chore|detour|bad idea|no go|distraction)|(a )?wast\w+( of \w+)?|wrong|bad practice|unacceptable|"
         r"notallowed|nobody's business|no use|no good)\b( of time| of effort)?", "badidea"),  # fmt: skip
        (r"\b(is|are|be) (really |strictly |actually )?(not|never|hardly|rarely|seldom) (really |strictly |actually |"
         r"usually |always )?(needed|necessary|required|worth( it| the \w+)?|important|relevant|useful|helpful|essential|"
         r"mandatory|obligatory|sensible|ok|okay|fine|acceptable|allowed|permitted|a good idea|called for|worthwhile|"
         r"a (requirement|must|priority)|our (job|business|problem))\b|forbiddenthing$", "badidea"),  # fmt: skip
        (r"\b(do|does|did|will|would) (not|hardly|rarely|never) (really )?(matter|count|help anyone|help anybody|pay "
         r"off|interest anyone|concern (us|you))\b|\b(matters?|counts?) (little|less|for nothing)\b", "badidea"),  # fmt: skip
        (r"\b(only|just|merely|simply|needlessly) (costs?|wastes?|eats?|slows?|delays?|leads?|puts?|annoys?|confuses?|"
         r"invites?|causes?|makes?|takes|tires?|upsets?|bothers?|irritates?|frightens?|scares?|drags?|clutters?|"
         r"provokes?|charges?|doubles?|pays?|raises?|holds?|prolongs?)\b", "badidea"),  # fmt: skip
        (r"\b(wastes|wasting|costs too much|takes too (long|much)|slows (\w+ ){1,3}down|makes no sense|makes? no "
         r"difference|gains? nothing|gets you nowhere|achieves nothing|can wait|is for later|can be (skipped|dropped|"
         r"omitted|ignored|left (out|off|aside)|neglected|saved|spared|forgotten)|may be (skipped|dropped|omitted|"
         r"ignored|left (out|off|aside))|annoys? \w+|puts \w+ off|makes (them|people|\w+ customers?) feel|is no "
         r"(obstacle|problem of|concern|hindrance|issue|priority|business)|backfires|is too (slow|much|long|expensive))\b",
         "badidea"),  # fmt: skip
        (r"\b(is|are) (perfectly |quite |usually |always |just |absolutely )?(good enough|enough|fine|ok|okay|alright|"
         r"all right|acceptable|sufficient|plenty|harmless|safe)\b", "goodidea"),  # fmt: skip
        (r"\b(carry out|do|grant|give|take|grab|accept|approve|handle|offer) (whatever|whichever)\b", r"\1 what"),
        (r"\b(regardless of|irrespective of|no matter|whether or not|does not matter|never mind)\b", "concede"),
        (r"\bwhichever\b", "whatever"),
        (r"\bhowever (?=(often|much|hard|long|many|loud|angr|insist|strong|upset)\w*)|\beven (if|though|when|where|"
         r"after|with|under)\b", "concede "),  # fmt: skip
        (r"\b(it is|it's|tempting as it is) tempting to\b", "avoid "),
        (r"\b(instead of|rather than|as opposed to|in place of|in lieu of|ahead of)\b|, (and )?not\b(?! (be|have))",
         " ratherthan"),  # fmt: skip
        (r"\b(leave|leaves|leaving|left|drop|drops|dropping|cut|cutting)(?! (alone|it|them|you|customers|people))"
         r"( \w+){0,4} (out|off|away|aside)\b", r"omit \2"),  # fmt: skip
        (r"\b(leav(e|es|ing)|left) (out|off|away|aside)\b", "omit"),
        (r"(?<!the )(?<!one )(?<!than )\bfirst\b(?=\s*([.,;:!?)]|$)|\s+(and|then|before|to|please|check|verify|look|ask|see|call|make|find|list|"
         r"state|present|confirm|read)\b)", "firststep"),  # fmt: skip
        (r"\bfail(s|ing|ed)? to\b", "forget"),
        (r"\b(is|are|was|were) not (enough|sufficient|good enough)\b", "badidea"),
        (r"\bno (exception|exceptions)\b", r"not \1"),
        (r"\b(when|if|where) (in doubt|unsure|uncertain|not (completely |quite |entirely )?sure|possible|necessary)\b,?",
         r"\1 \2 ,"),  # fmt: skip
        (r"\bnot (yet )?(in stock|available|on hand|deliverable)\b", "unavailable"),
        (r"\bwould (like|prefer|want|rather)\b", "wants"),
        (r"\bif not\b", "otherwise"),
        (r"\b(as|so) long as\b", "provided"),
        (r"\bas soon as\b", "assoonas"),
        (r"\b(\w+)-(\w+)-(\w+)", r"\1 \2 \3"),
        (r"\b(\w+)-(\w+)", r"\1 \2"),
    )
)  # fmt: skip
_DROPPED = frozenset({"a", "an", "the", "very", "also", "really", "please", "just", "actually", "simply", "kindly"})
_FORMS = {
    "forgets": "forget", "forgetting": "forget", "forgotten": "forget", "forgot": "forget", "skips": "skip",
    "skipping": "skip", "skipped": "skip", "omits": "omit", "omitting": "omit", "omitted": "omit",
    "ignores": "ignore", "ignoring": "ignore", "ignored": "ignore", "avoiding": "avoid", "avoids": "avoid",
    "missing": "missing", "missed": "miss", "misses": "miss", "neglecting": "neglect", "neglects": "neglect",
    "overlooking": "overlook", "overlooks": "overlook", "fails": "fails", "failing": "failing",
    "dropping": "drop", "bypassing": "bypass", "disregarding": "disregard",
    "withholding": "withhold", "hiding": "hide", "told": "tell", "said": "say", "made": "make", "took": "take",
    "taken": "take", "gave": "give", "got": "get", "sent": "send", "paid": "pay", "went": "go",
    "gone": "go", "chosen": "choose", "chose": "choose", "found": "find", "kept": "keep", "meant": "mean",
    "wrote": "write", "written": "write", "cancelled": "cancel", "canceled": "cancel", "owed": "owe", "does": "do",
    "flew": "fly", "booked": "book", "bought": "buy", "swapped": "swap", "left": "leave", "sold": "sell",
}  # fmt: skip
_SENTENCE = re.compile(r"(?<=[.!?])(?<!e\.g\.)(?<!i\.e\.)(?<!etc\.)[\")”']?\s+|\n+")


def plain(sentence: str) -> str:
    """Lower case; what stands in quotation marks is a mention and keeps only its words, without negations."""
    text = _QUOTED.sub(_mention, sentence.replace("’", "'")).lower()
    for pattern, replacement in _REWRITES:
        text = pattern.sub(replacement, text)
    return text


def _mention(match: re.Match[str]) -> str:
    inner = re.sub(r"[^\w\s?]", " ", match.group()[1:-1])
    return " saidwords " + re.sub(r"\b(no|not|never|n't|without)\b", "", inner, flags=re.I) + " endwords "


def words(sentence: str) -> list[str]:
    """Words and punctuation of a sentence."""
    return [_FORMS.get(w, w) for w in _TOKEN.findall(plain(sentence)) if w not in _DROPPED]


def sentences(text: str) -> list[str]:
    """Sentences and lines of a text, without bullets."""
    pieces = (piece.strip(" \t-*•>#") for piece in _SENTENCE.split(text))
    return [piece for piece in pieces if len(piece) > 2]


@lru_cache(maxsize=8192)
def stem(word: str) -> str:
    """A light stem: plural, -ing, -ed, -ly and -ation endings go."""
    if len(word) <= 3 or not word.isalpha():
        return word
    for ending, keep in (("ies", "y"), ("ied", "y"), ("ations", ""), ("ation", ""), ("ings", ""), ("ing", "")):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return _undouble(word[: -len(ending)] + keep)
    for ending in ("ers", "er", "edly", "ed", "ely", "ly", "es", "s", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not word.endswith(("ss", "eed")):
            return _undouble(word[: -len(ending)])
    return _undouble(word)


def _undouble(word: str) -> str:
    """Cancelled, shipped: one consonant at the end, and no mute e."""
    if len(word) > 4 and word[-1] == word[-2] and word[-1] not in "sz":
        return word[:-1]
    return word[:-1] if len(word) > 4 and word.endswith("e") else word


def form(word: str) -> str:
    """The stem of a word, irregular forms included: what the lexicon is compared by."""
    return stem(_FORMS.get(word, word))
