"""Set phrases that stand for one word: patterns over lower-case text, applied one after the other.

Several words that together say yes, no or whatever become one word that `clauses` knows: `noneed`, `avoid`, `badidea`,
`goodidea`, `licence`, `concede`, `ratherthan`. Others become a word of the lexicon: `forbiddenthing`, `unavailable`.
"""

from __future__ import annotations

import re

_PHRASES: tuple[tuple[str, str], ...] = (
    (r"[’‘`]", "'"),
    (r"\s-{1,2}>\s|\s[-–—]{1,2}\s|—", " ; "),
    (r"\b(\w+)\[(\d)\]", r"\1 index\2"),
    (r"_0\b|\[0\]", " index0 "),
    (r":\s*(true|false)\b", r" \1"),
    (
        r"\b(it|that|there|he|she|who|what|where|here|this|somebody|someone|nobody|nothing|everything)'s\b",
        r"\1 is",
    ),
    (r"(?<=[a-z])'s\b|(?<=s)'(?= )", ""),
    (r"(?<=[a-z])'(re|ve|ll|d)\b", " "),
    (r"\b(solely|exclusively|purely)\b", "only"),
    (
        r"\blet (.{1,50}?) (slip|fall by|lapse|drop|go unanswered|get lost)( (away|through|off|"
        r"the wayside))?\b",
        r"forget \1",
    ),
    (
        r"\b(leave|leaves|leaving|left) (.{1,40}?) (behind|untouched|unchanged|undone|unfinished|"
        r"unanswered)\b",
        r"omit \2",
    ),
    (r"\b(lose|losing|lost) (sight|track) of\b", "forget"),
    # verbs that mean no
    (r"\bdo(ing)? without\b", "avoid"),
    (r"\bsay(ing)? yes to\b", "accept"),
    (
        r"\b(pay|give|take|hold) no (attention|heed|account) (to|of)\b|\bturn a blind eye to\b|\blook past\b",
        "ignore",
    ),
    (r"[_/]", " "),
    (r"\bcan't|\bcannot|\bcan not\b", "can not"),
    (r"\bwon't", "will not"),
    (r"n't\b", " not"),
    (r"\b(is|are|was|were|be|been|being) (strictly )?(forbidden|prohibited|banned)\b", r"\1 notallowed"),
    # against the policy
    (
        r"\b(not (allowed|permitted|allow|permit)\b( by)?|(does|do|did|would) not (allow|permit|let)|"
        r"against the (policy|rules?)|(violat|break)\w* (the )?(policy|rules?)|off limits|not ok(ay)? under)",
        "forbiddenthing",
    ),
    (r"\b(can|may|could) not be (\w+ed|done)\b", r"forbiddenthing \2"),
    (r"\bin (only|just) one\b|\bin one\b", "inone"),
    (r"\byes or no\b|\byes no\b", "yes"),
    (r"\b(say|saying|says|said) (firmly |politely |simply )?(no|sorry)\b(?! more)", "decline"),
    (
        r"\bstay(s|ing)? with (the|a|your) no\b|\bno means no\b|\ba no (is|stays|remains) (a )?no\b",
        "staysfirm",
    ),
    (r"\bno less\b|\bno more( and|,)?(?= |$)|\bno longer\b|\bnot only\b(?=.*\bbut\b)", " "),
    # not to be done, before what is named
    (
        r"\b(there (is|s|exists)( absolutely| really)? )?(no|not any|little|hardly any) (real |further |"
        r"good )?(need|point|use|sense|reason|cause|call|value|benefit|excuse|grounds?)( whatsoever|"
        r" at all)?( to be| to| in| for| of|$)",
        "noneed ",
    ),
    # permitted, though it be wrong
    (
        r"\b(do|does|need) not (worry|care|fret|mind) (about|if|when|whether)?|\b(feel free|"
        r"there is nothing wrong|nothing speaks against|no (harm|problem|issue|objection))( to| in| with|"
        r" if)?\b|\bit (does not matter|makes no difference|is all the same|is all right|is alright|is fine|"
        r"is ok|is okay|is no problem)( if| whether| when| that| to)?\b",
        "licence ",
    ),
    (r"\b(do|does|need|should|would|must) not (have|need|want|bother) (to|about|with)\b", "noneed "),
    (r"\b(do|does) not (bother|need)\b", "noneed "),
    (r"\b(need|needs) not\b", "noneed"),
    (r"\bwithout bothering( to| with)?\b", "without"),
    (
        r"\b(never mind|forget about|do away with|dispense with|save (yourself|the)( trouble of)?|"
        r"spare (the customer|yourself|them)|refrain from|desist from|hold back from|shy away from|"
        r"stay away from|keep from|steer clear of|hold off( on)?|skimp on|(stop|quit)(?= \w+ing))",
        "avoid",
    ),
    (r"\b(keep|stay) (quiet|silent|mum) (about|on)\b|\bkeep (?=[^.,;]{0,50} to yourself)", "not tell "),
    (
        r"\b((do not|never|not) )?(lose|waste|spend)( any| your| too much)? (time|effort|energy|"
        r"thought)s?( with| on| in)?\b",
        "avoid ",
    ),
    (
        r"\b(as long as|while|unless and until)((?: \w+){1,3}?) (have|has|had|is|are|was|were) not\b",
        r"until\2 \3",
    ),
    # not to be done, after what is named
    (
        r"\b(do|does) not (even )?exist\b|\b(is|are) (not|never) (a )?part of\b|\b(is|are) (often|usually|"
        r"mostly|frequently|rarely|not always|not necessarily) (not (it|right|the one|the right one|meant)|"
        r"wrong|the wrong one)\b",
        "badidea",
    ),
    (r"\b(fine|okay|ok|all right|alright|acceptable|safe|good|better) not to\b", "noneed"),
    (
        r"\b(is|are|be|it) (usually |often |mostly |quite |really |just |only )?(pointless|useless|"
        r"unnecessary|needless|superfluous|optional|redundant|unimportant|irrelevant|overkill|futile|"
        r"senseless|excessive|overrated|negligible|immaterial|dispensable|secondary|tedious|a (waste|"
        r"nuisance|formality|luxury|mistake|bother|burden|hassle|chore|detour|bad idea|no go|distraction)|"
        r"(a )?wast\w+( of \w+)?|wrong|bad practice|unacceptable|notallowed|nobody's business|no use|"
        r"no good)\b( of time| of effort)?",
        "badidea",
    ),
    (
        r"\b(is|are|be) (really |strictly |actually )?(not|never|hardly|rarely|seldom) (really |strictly |"
        r"actually |usually |always )?(needed|necessary|required|worth( it| the \w+)?|important|relevant|"
        r"useful|helpful|essential|mandatory|obligatory|sensible|ok|okay|fine|acceptable|allowed|permitted|"
        r"a good idea|called for|worthwhile|a (requirement|must|priority)|our (job|business|problem))\b|"
        r"forbiddenthing$",
        "badidea",
    ),
    (
        r"\b(do|does|did|will|would) (not|hardly|rarely|never) (really )?(matter|count|help anyone|"
        r"help anybody|pay off|interest anyone|concern (us|you))\b|\b(matters?|counts?) (little|less|"
        r"for nothing)\b",
        "badidea",
    ),
    (
        r"\b(only|just|merely|simply|needlessly) (costs?|wastes?|eats?|slows?|delays?|leads?|puts?|annoys?|"
        r"confuses?|invites?|causes?|makes?|takes|tires?|upsets?|bothers?|irritates?|frightens?|scares?|"
        r"drags?|clutters?|provokes?|charges?|doubles?|pays?|raises?|holds?|prolongs?)\b",
        "badidea",
    ),
    (
        r"\b(wastes|wasting|costs too much|takes too (long|much)|slows (\w+ ){1,3}down|makes no sense|"
        r"makes? no difference|gains? nothing|gets you nowhere|achieves nothing|can wait|is for later|"
        r"can be (skipped|dropped|omitted|ignored|left (out|off|aside)|neglected|saved|spared|forgotten)|"
        r"may be (skipped|dropped|omitted|ignored|left (out|off|aside))|annoys? \w+|puts \w+ off|"
        r"makes (them|people|\w+ customers?) feel|is no (obstacle|problem of|concern|hindrance|issue|"
        r"priority|business)|backfires|is too (slow|much|long|expensive))\b",
        "badidea",
    ),
    (
        r"\b(is|are) (perfectly |quite |usually |always |just |absolutely )?(good enough|enough|fine|ok|"
        r"okay|alright|all right|acceptable|sufficient|plenty|harmless|safe)\b",
        "goodidea",
    ),
    (r"\b(carry out|do|grant|give|take|grab|accept|approve|handle|offer) (whatever|whichever)\b", r"\1 what"),
    # whatever comes of it
    (r"\b(regardless of|irrespective of|no matter|whether or not|does not matter|never mind)\b", "concede"),
    (r"\bwhichever\b", "whatever"),
    (
        r"\bhowever (?=(often|much|hard|long|many|loud|angr|insist|strong|upset)\w*)|\beven (if|though|when|"
        r"where|after|with|under)\b",
        "concede ",
    ),
    (r"\b(it is|it's|tempting as it is) tempting to\b", "avoid "),
    (
        r"\b(instead of|rather than|as opposed to|in place of|in lieu of|ahead of)\b|, (and )?not\b(?! (be|"
        r"have))",
        " ratherthan",
    ),
    (
        r"\b(leave|leaves|leaving|left|drop|drops|dropping|cut|cutting)(?! (alone|it|them|you|customers|"
        r"people))( \w+){0,4} (out|off|away|aside)\b",
        r"omit \2",
    ),
    (r"\b(leav(e|es|ing)|left) (out|off|away|aside)\b", "omit"),
    (
        r"(?<!the )(?<!one )(?<!than )\bfirst\b(?=\s*([.,;:!?)]|$)|\s+(and|then|before|to|please|check|"
        r"verify|look|ask|see|call|make|find|list|state|present|confirm|read)\b)",
        "firststep",
    ),
    (r"\bfail(s|ing|ed)? to\b", "forget"),
    (r"\b(is|are|was|were) not (enough|sufficient|good enough)\b", "badidea"),
    (r"\bno (exception|exceptions)\b", r"not \1"),
    (
        r"\b(when|if|where) (in doubt|unsure|uncertain|not (completely |quite |entirely )?sure|possible|"
        r"necessary)\b,?",
        r"\1 \2 ,",
    ),
    # not in stock
    (r"\bnot (yet )?(in stock|on stock|available|on hand|deliverable)\b|\bavailable:? false\b", "unavailable"),
    (r"\bwould (like|prefer|want|rather)\b", "wants"),
    (r"\bif not\b", "otherwise"),
    (r"\b(as|so) long as\b", "provided"),
    (r"\bas soon as\b", "assoonas"),
    (r"\b(\w+)-(\w+)-(\w+)", r"\1 \2 \3"),
    (r"\b(\w+)-(\w+)", r"\1 \2"),
)

REWRITES = tuple((re.compile(pattern), replacement) for pattern, replacement in _PHRASES)
"""Compiled patterns and what takes their place."""
