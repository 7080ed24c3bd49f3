"""Understands what an agent says, in any wording: which facts it asks for, what it wants confirmed, how it ends.

Works sentence by sentence: a fact counts as asked for only in a sentence that asks (a question, "please tell me",
"I'd need"), so that an agent may mention an email without the customer repeating it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sigmaloop.eval.benchmarks.helpdesk.scoring import plain

_LONGEST = 4000
"""Characters of an utterance that a customer listens to."""


@dataclass(frozen=True)
class Heard:
    """What a customer makes of an utterance."""

    asked: tuple[str, ...] = ()
    """Slots asked for, in the order of `SLOTS`."""
    alternatives: bool = False
    """The facts are asked for as alternatives ("your email or your name and zip")."""
    confirm: bool = False
    anything_else: bool = False
    farewell: bool = False
    done: bool = False
    """Claims that something has been carried out."""
    refused: bool = False
    not_found: bool = False
    transfer: bool = False
    """Offers to hand over to somebody else."""
    hold: bool = False
    greeting: bool = False
    more: bool = False
    """Asks for details without naming any."""
    question: bool = False
    asks_unknown: bool = False
    """A question for information that no slot stands for."""
    informs: bool = False
    """States something with a number in it."""
    words: int = 0


SLOTS: dict[str, str] = {
    "email": r"\be-?mails?\b",
    "name": r"\b(?:your|full|first|last|whole|account|customer'?s?|surname|legal) (?:and last )?names?\b|\bsurname|"
    r"\bname (?:and|on|in|under|plus|\+|as|of the account)|(?:and|or|plus|,|by|&) (?:the )?name\b|^(?:the )?name\b|"
    r"who (?:am i|are you\b|is this|do i have)|whom (?:am i|do i)|- (?:full )?name\b|what(?:'s| is) the name",
    "zip": r"\bzip|postal|post ?code",
    "birth_date": r"\bbirth|\bborn\b|\bd\.?o\.?b\b|how old",
    "phone": r"(?:phone|contact|callback|mobile|cell) ?(?:phone )?number|number to reach|reach you at",
    "which": r"(?:order|reservation|booking|confirmation|purchase|trip|line|pnr|record)(?:'s)? ?(?:number|id\b|no\b|code|"
    r"reference|#|locator)|(?:number|id|code|reference) (?:of|for|on) (?:the|your|that|this) (?:\w+ )?(?:order|reservation|booking|purchase|"
    r"trip|line)|which (?:\w+ ){0,3}?(?:orders?|purchases?|reservations?|bookings?|trips?|lines?|phones?|numbers?|one|"
    r"sim|device)\b|what (?:order|purchase|reservation|booking|trip|line|phone)\b|(?:order|reservation|booking|trip|line|"
    r"phone) (?:is|are|was|were|do|does|did|would) (?:this|it|that|you|we|affected|concerned|the)|identify the "
    r"(?:order|reservation|booking|line|trip)|whose (?:phone|line|number|sim)|"
    r"(?:details?|more|bit|something) (?:of|about|on) (?:the|your|this|that) (?:order|reservation|booking|trip|purchase|line)|"
    r"(?:order|reservation|booking|trip|line) (?:you mean|in question|concerned|affected|it is about|this is about)|"
    r"where (?:are|were) you (?:flying|travel\w+)|"
    r"(?:the|your|an?) (?:order|reservation|booking) (?:please|details)",
    "item": r"(?:which|what|name the|list the|exact) (?:\w+ ){0,3}?(?:items?|products?|articles?|things?|pieces?|goods)\b|"
    r"(?:items?|products?|articles?) (?:would|do|did|are|is|you|exactly|should|in question|concerned)|what (?:exactly )?(?:would|do) you (?:like|want)"
    r" to (?:return|exchange|send back|swap|change|modify)|everything or|whole order or|all of it or",
    "variant": r"colou?rs?\b|\bsizes?\b|\bvariants?\b|which version|\bmodel\b|specification|replacement|replace it with|"
    r"(?:like|want|get|have|need|prefer) (?:\w+ ){0,2}?instead|what (?:should|shall) (?:it|we|i) (?:\w+ )?(?:be )?(?:exchange|swap|"
    r"change)\w* (?:it )?(?:for|to|into)|new (?:item|product|one)\b|which option|what options?|exchange (?:it|them) for|swap (?:it|them) for|"
    r"change (?:it|them) (?:to|into)",
    "reason": r"\breasons?\b|\bwhy\b|how come|what (?:made|prompted|happened|led)|what(?:'s| is| was) (?:wrong|the matter) with|"
    r"motivat|because of what",
    "payment": r"payment|\bpay\b|paypal|gift ?card|credit card|\bcards?\b|(?:refund|money|difference|credit|amount|charge|fee|cost|bill)"
    r"(?:ed)? (?:\w+ ){0,3}?(?:to|onto|go|on)\b|how (?:would|do|should) .{0,30}\brefund|how .{0,30}\bsettle|"
    r"where .{0,30}\b(?:refund|money)\b|\bcharge (?:it|this|that) to|account to (?:debit|charge)",
    "address": r"(?<!mail )(?<!-mail )\baddress|street|where (?:should|shall|do|would) (?:it|we|i|you|they) .{0,20}?(?:sen[dt]|"
    r"deliver|ship|go\b)|(?:ship|deliver|send)\w* (?:\w+ )?(?:it )?(?:to )?where|apartment|where (?:did|have) you moved|"
    r"\bunit\b|house number",
    "date": r"(?<!birth )(?<!birth)\bdates?\b(?! of birth)|(?:what|which) days?\b|\bwhen (?:would|do|did|should|shall|are|will|was|is|exactly|can) "
    r"(?:you|it|we|the|i|this)\b|travel day|day (?:of|for) (?:travel|the flight)|new day|day you",
    "flight": r"which flights?\b|what flights?\b|flight (?:number|do you|would you|option)|time of day|preferred (?:flight|time|departure)|"
    r"(?:departure|flight) times?|morning or|(?:any )?preference|cheapest|earliest|prefer to (?:fly|leave|depart)",
    "cabin": r"\bcabin|(?:which|what|travel|service|preferred|the) class\b|economy or|business or",
    "leg": r"\blegs?\b|outbound|(?:the|or) return\b|return flight|which (?:part|segment|direction|half|way)|both (?:ways|flights|"
    r"directions)|one[- ]way|round[- ]trip|whole trip or|\bsegments?\b",
    "passenger": r"passenger|travell?ers?\b|who (?:is|are|will|else|should|all|'s)\b.{0,20}(?:travel|fly|go|com)|how many (?:people|persons|seats)|"
    r"(?:correct|right|exact|proper|new|misspelled|wrong) (?:spelling|name)|spell|name (?:should|is wrong|needs|must|be)|names? .{0,20}travel",
    "bags": r"how many (?:\w+ ){0,3}?(?:bags|suitcases|pieces)|(?:number|amount) of (?:\w+ )?bags|any (?:\w+ )?(?:bags|luggage|baggage)|"
    r"bags (?:would|do|will|should|are)|luggage|baggage|suitcase",
    "amount": r"how (?:much|many) (?:\w+ ){0,3}?(?:data|gb|gigs?|gigabytes?)|amount of (?:\w+ )?data|gigabytes|number of (?:gb|gig)|\bgbs?\b|"
    r"how much (?:more|extra|would|do|should|shall)|what amount|how big",
    "plan": r"(?:which|what|new|desired|preferred) (?:\w+ )?(?:plan|tariff|package)|plan (?:would|do|should|you)|\btariff",
    "bill": r"(?:which|what) (?:\w+ ){0,2}?(?:bills?|months?|invoices?|charges?|statements?|amounts?)\b|bill(?:ing)? (?:month|period|number|id)|"
    r"invoice|(?:bills?|charges?) (?:is|are|do|does|would|you) ",
    "abroad": r"abroad|travel(?:l)?ing\b(?!.{0,15}(?:with|to\b|date))|roaming|outside (?:of )?(?:the|your)|another country|foreign|which country|"
    r"what country|where are you (?:right now|now|at the moment|currently|located|using|calling)|at home\b|your (?:current )?location|in the country",
    "tried": r"restart|re-?boot|turn\w* .{0,25}(?:off|on again)|switch\w* .{0,25}(?:off|on again)|airplane mode|flight mode|"
    r"power[- ]?cycl|troubleshoot|\btried|\btry\b",
    "symptom": r"what (?:exactly )?(?:happens|do you see|does it (?:show|say)|is (?:the |your )?(?:problem|issue|wrong|going on|happening|not working))|"
    r"what(?:'s| is) (?:not working|the (?:exact |precise )?(?:problem|issue|trouble))|symptoms?|error message|describe|signal|what (?:kind|sort|type) of "
    r"(?:problem|issue|trouble)|since when|calls? or|(?:calls|texts|internet|data|pictures) (?:work|affected|too)",
    "delay": r"how (?:long|late)|length of the delay|hours? (?:late|was)|delayed by",
}  # fmt: skip

IDENTITY = ("email", "name", "zip", "birth_date", "phone")

_ASKS = re.compile(
    r"\?|\bplease (?:provide|share|send|give|tell|confirm|let|specify|state|verify|describe|choose|pick|supply|enter|"
    r"reply|indicate|name|add|include|write|type|advise|clarify|say|pass|note|list)|\b(?:could|can|would|will) (?:you|i|we)\b|"
    r"\bmay (?:i|we)|\bmight i|\bneed\b|\blet (?:me|us) (?:know|have)|\btell (?:me|us)\b|\bgive (?:me|us)\b|"
    r"\bsend (?:me|us)\b|\bshare\b|\bprovide\b|\bdo you (?:have|know|remember|happen)|\bmind (?:sharing|telling|giving|if)|\brequired?\b|"
    r"\blooking for\b|\bwould (?:help|be (?:great|helpful|useful|good|enough|perfect|ideal))|\bmissing\b|\bwithout (?:your|the|a|knowing)|"
    r"\bwait(?:ing)? for\b|\bask(?:ing)? (?:you )?for\b|\bask (?:you )?(?:what|which|why|when|where|how)\b|\bremind me\b|"
    r"\b(?:not|un)(?:sure| sure| clear|clear| certain) (?:which|what|when|where|whether|about)|\bwonder(?:ing)?\b|\bcurious\b|"
    r"\bi(?:'d| would) (?:also )?(?:like|love|want) to (?:know|hear|ask|understand|verify|confirm)|\bcare to\b|\bplus your\b|"
    r"\bwhat i (?:still )?(?:need|lack|require)|\b(?:don't|do not) (?:yet )?(?:know|have) (?:yet )?(?:which|what|your|the|when|where|how)|"
    r"\bdepends on\b|\bhelps? (?:me|us) to know\b|\btype (?:in )?your|\bonce (?:i have|you (?:give|send|tell|share|confirm|provide))|"
    r"^(?:your|the|full|and your|and the|also your)?\s*[\w ,/&+-]{0,60},? ?please\b"
)
_CONFIRM = re.compile(
    r"\b(?:shall|should|may|can|could|do|must) (?:i|we) (?:then |now |therefore |just |really |please |also )*(?!have|ask|get|know|help|assist|"
    r"see|find|use|charge (?:it )?to which|send it where|take your|be of|call|deliver it where|verify)\w+|"
    r"\b(?:would|do) you (?:still |really |also )?(?:like|want|wish|prefer) (?:for )?(?:me|us) to|\bgo(?:ing)? ahead\b|\bproceed\b|"
    r"\b(?:do|can|could|would|will) you (?:please )?(?:\w+ )?(?:confirm|agree|approve|accept|authori[sz]e|consent)\b(?! (?:your|the (?:email|zip|name|order number))\b)|"
    r"\bis (?:that|this|it|everything|all (?:of )?(?:that|this)|the above) (?:all )?(?:correct|right|ok|okay|fine|alright|good|accurate|acceptable|"
    r"what you|how you|in order|as you)|\b(?:ok|okay|fine|good|alright|all right|acceptable|convenient) (?:with|for|by) you|\bare you (?:ok|okay|happy|fine|sure|"
    r"comfortable|certain|in agreement|all right|alright)|\byou agree|\byes or no|\byes ?/ ?no|\byes\b.{0,20}\bor\b.{0,10}\bno\b|\bdo(?:es)? (?:that|this|it) (?:\w+ )?(?:work|"
    r"sound|look|suit|seem|match|meet)|\bsounds? (?:good|right|ok|fine)|\b(?:all right|alright|right|correct|ok|okay|agreed|deal|yes)\s*\?|"
    r"\b(?:want|like|wish) to (?:go (?:ahead|through|on|forward)|continue|do (?:this|that|it)|keep going|take (?:it|this|that)|accept)|"
    r"\bhappy (?:for me|with (?:that|this))|\bhave (?:i|we) (?:got|understood) (?:that|this|it|you|everything)|\bgreen light|\bok to\b|\bokay to\b|"
    r"\bfine if i\b|\bif i (?:go|cancel|process|make|do|start|proceed)|\bmind if i\b(?! ask)|\bany (?:objections?|corrections?)\b|\bdid i (?:get|understand)"
)
_CONFIRM_ANYWHERE = re.compile(
    r"\bplease (?:\w+ )?(?:confirm|approve|say yes|answer (?:with )?(?:yes|'yes'|\"yes\")|reply (?:with )?[\"'“]?(?:yes|ok|confirm)|agree)\b(?! (?:your|me your|the (?:e-?mail|zip|name|order number|"
    r"reservation number|phone|address)))|\b(?:just )?say (?:[\"'“]?yes|the word|so|ok|go)|\blet me know (?:if|whether|that) (?:you|this|that|it|i|everything|all|we)\b|"
    r"\b(?:need|wait(?:ing)? for|await(?:ing)?|require|have|with|want|get|like|seek(?:ing)?|ask for|only|just) (?:\w+ ){0,2}?your (?:\w+ )?(?:ok|okay|approval|consent|permission|go-?ahead|confirmation|"
    r"agreement|yes|blessing|word)\b|\b(?:as soon as|once|if) you (?:confirm|agree|approve|say yes|give|are happy|'re happy)(?! me)|\bonce you(?:'ve| have) (?:confirmed|agreed|approved)|"
    r"\bi(?:'d| would) (?:just )?need a (?:clear |simple )?[\"'“]?yes|\bneed (?:a|an explicit|an?) [\"'“]?(?:yes|confirmation|ok)|\btell me (?:if|whether) (?:i|that|this|it|you)\b|\bi'd like to double-?check that"
)
_ELSE = re.compile(
    r"\b(?:any|some)thing (?:else|more|further|other|additional)|\b(?:any|some) (?:other|further|more|additional) (?:\w+ )?(?:questions?|requests?|concerns?|"
    r"matters?|issues?|help|assistance|things?|topics?|wish(?:es)?)|\bwhat else\b|\belse (?:i|we|you|on your)|\b(?:was|is|would) (?:that|this|it) (?:be )?(?:all|everything)\b|"
    r"\bother than that\b.*\?|\bany (?:more )?questions\b|\bmore i can do|\bfurther (?:help|assistance)\b|\bother way i can|\bhelp with something else|"
    r"\badditional (?:help|assistance)|\banother (?:matter|request|question|thing)\b|\bstill (?:something|anything) (?:open|left|on)"
)
_FAREWELL = re.compile(
    r"\bgood ?bye|\bhave (?:yourself )?an? (?:\w+ )?(?:nice|great|good|lovely|wonderful|pleasant|fantastic|excellent|safe|fine|happy) |\btake care(?! of)\b|\bbye\b|"
    r"\ball the best\b|\buntil next time|\bthank(?:s| you) for (?:contacting|calling|choosing|flying|shopping|being|reaching|your (?:patience|time|call|business))|"
    r"\bsafe travels|\bsee you|\benjoy (?:your|the) (?:day|evening|weekend|trip|flight|rest)|\bbest wishes|\bfarewell"
)
_DONE = re.compile(
    r"\b(?:has|have) (?:now |just |already |both |all |successfully |also )*been\b|\bi(?:'ve| have)(?: now| just| already| successfully| also)* (?!checked|looked|found|seen|verified|noted|"
    r"located|read|understood|a |the |two |to |your |no |not |got|one |some |pulled|received|reviewed|opened|any|identified|been)\w+(?:ed|de|ut|nt|et|ne|id|ssued)\b|\b(?:it'?s|it is|that'?s|that is|all|everything(?: is|'s)?|you(?:'re| are)(?: all)?) "
    r"(?:now )?(?:done|set|completed?|sorted|taken care of|settled|finished)\b|\bsuccessfully\b|\b(?:is|are|was|were) (?:now |hereby )?(?:cancelled|canceled|booked|refunded|changed|updated|"
    r"credited|paid|exchanged|issued|added|upgraded|downgraded|activated?|active|suspended|resumed|processed|started|reset|completed?|done|confirmed|corrected|insured)\b|"
    r"^\s*done\b|\bi (?:just |now |already )?(?:cancelled|canceled|booked|refunded|changed|updated|credited|paid|exchanged|issued|added|upgraded|"
    r"downgraded|activated|suspended|resumed|processed|started|reset|completed|corrected)\b|\btaken care of\b|\bwent through\b"
)
_NOT_YET = re.compile(r"\b(?:would|will|'ll|going to|can|could|shall|should|if|before|once|after|about to|to be|not|need)\b|n't\b")
_REFUSED = re.compile(
    r"\b(?:can(?:'t|not)|can not|unable|not able|not possible|impossible|not eligible|ineligible|not allowed|not permitted|isn't (?:possible|allowed|eligible|covered|due|refundable)|won't be able|"
    r"not (?:something|entitled|covered|refundable|due|cancell?able)|against (?:our|the|company) (?:policy|rules)|does(?:n't| not) (?:qualify|allow|permit|meet|give)|"
    r"do(?:n't| not) (?:allow|permit|qualify|offer|make)|(?:have|has) to (?:decline|refuse|say no|turn)|must (?:decline|refuse)|(?:no|without) (?:compensation|voucher|refund|exceptions?)|"
    r"there is no way|(?:hands are tied|out of the question|no longer be|too late to)|not in a position|policy (?:prevents|prohibits|rules|forbids|does)|rules? (?:prevent|forbid)|remains? valid|charge (?:is valid|stands))\b"
)
_REGRETS = re.compile(r"\b(?:sorry|unfortunately|afraid|regret)\b.{0,200}\b(?:only|not|no)\b|\bonly .{0,60}(?:can|may|are|is) ", re.DOTALL)
_ONLY_FIRST = re.compile(r"\b(?:until|unless|without|before|first)\b|\b(?:find|locate|see|access|identify|pull|open|match|verify|tell|determine|help you yet)\b.{0,40}")
_NOT_FOUND = re.compile(
    r"(?:can(?:'t|not)|could ?n(?:'t|ot)|could not|unable to|not able to|did(?:n't| not)|do(?:n't| not)|was(?:n't| not) able to|no luck|fail\w* to|having trouble) .{0,25}?"
    r"(?:find|finding|locate|locating|see any|match|come up|turn up|recogni|pull)|not (?:on file|registered|in our (?:system|records|database)|found)|does(?:n't| not) (?:match|exist|seem to)|"
    r"no (?:account|customer|match|record|result|profile|entry|luck|such)|nothing (?:under|for|with|comes)|another (?:way|e-?mail)|different e-?mail|isn't (?:on file|registered|in our)"
)
_TRANSFER = re.compile(
    r"\b(?:transfer|hand\w*|connect|forward|pass|escalat\w+|put)\w* (?:you|this|the|your|it)?.{0,25}?(?:human|colleague|specialist|person|supervisor|"
    r"manager|agent|team|representative|department|someone|through)\b|\b(?:speak|talk) (?:to|with) (?:a|one of) .{0,20}(?:human|colleague|supervisor|person)"
)
_HOLD = re.compile(
    r"\b(?:one|a|just a|give me a) (?:brief |short |quick |little )?(?:moment|second|minute|sec|bit)\b|\bbear with me|\bhold on|\bhang on|\bplease wait|\blet me (?:just |quickly |now |first )*(?:check|look|see|pull|find|verify|"
    r"review|take|have a look|get|dig|open)\b|\bi(?:'ll| will|'m going to|'m) (?:just |now |quickly )*(?:check|look|be right|pull|see|find|review|working|get (?:right )?on)\w*|\blooking (?:into|it up|that up|at)|"
    r"\bworking on it|\bchecking\b|\bstand by|\bwhile i\b"
)
_GREETING = re.compile(
    r"\bhow (?:can|may|could|might) (?:i|we) (?:be of|help|assist|serve|support)|\bwhat can (?:i|we) (?:help|do|assist)|\bwhat brings you|\bhow (?:is it that )?i can help|\bwhat (?:would|do) you (?:like|want|need)(?: me)?(?: to do)?\s*\?|"
    r"\bwhat(?:'s| is) (?:this|it) (?:all )?about|\bwhat(?:'s| is) your (?:request|question|concern|issue)\b"
)
_MORE = re.compile(
    r"\b(?:more|further|additional|some|any|the|a few|bit) (?:\w+ )?(?:details?|information|info|context|specifics)|\btell me more|\belaborate|\ba bit more|\bmore about|\bbe more specific|"
    r"\bclarif|\bwhat (?:exactly )?do you mean|\bexplain\b|\bwhat (?:exactly )?(?:can|should|do) (?:i|you)\b"
)
_IDENTIFY = re.compile(
    r"\b(?:verify|confirm|check|validate|prove|establish|authenticate|sure) .{0,20}?(?:identity|who you are|it(?:'s| is) (?:really )?you|you are|i(?:'m| am) (?:speaking|talking))|\bverify you\b|\bidentif(?:y|ication)\b.{0,20}(?:you|yourself)|"
    r"\bsecurity (?:check|question|reasons|purposes|details)|\b(?:account|personal|identifying|contact|verification) (?:details|information|info|data)|"
    r"\b(?:find|locate|pull up|look up|open|bring up|access|call up) (?:\w+ ){0,3}?(?:account|profile|record|file)|\bproof of identity|\bwho you are"
)
_WH = re.compile(r"\b(?:what|which|when|where|whom?|whose|how|why)\b")
_OPEN = re.compile(_WH.pattern + r"|\b(?<!yes )or\b(?! not)")
"""Marks of a question that a yes does not answer."""
_GO = re.compile(r"\bgo ahead\b|\bproceed\b|yes or no|yes/no")
_OVERRIDES = (
    ("payment", "address", r"refund|money"),
    ("payment", "date", r"refund|money"),
    ("address", "zip", r"street|city|new|moved|deliver"),
    ("address", "which", r"deliver|ship"),
    ("passenger", "name", r""),
    ("passenger", "abroad", r""),
    ("birth_date", "date", r""),
    ("bill", "payment", r"(?:which|what) (?:\w+ )?(?:bill|month|invoice|charge)"),
    ("which", "phone", r"\blines?\b|which|working"),
    ("email", "address", r"e-?mail address"),
    ("bags", "amount", r""),
    ("symptom", "tried", r"what (?:exactly )?happens"),
    ("reason", "symptom", r"wrong with (?:it|the item|them)"),
)
"""(kept, dropped, where): of two facts that a sentence seems to ask for, the one that is meant."""
_OR = re.compile(r"\bor\b|\balternatively\b|\beither\b|\bone of\b")
_UNKNOWN = re.compile(r"^(?:and |so |but )?(?:is|are|was|were|do|does|did|have|has|what|which|who|how|when)\b")
_SPLIT = re.compile(r"(?<=[.!?…])[\"')\]]?\s+|\n+|;\s+")


def listen(text: str) -> Heard:
    """What is asked, claimed and offered in an utterance."""
    spoken = re.sub(r"[*_`]{1,3}(?=\S)|(?<=\S)[*_`]{1,3}", "", plain_lines(text[:_LONGEST]))
    sentences = [sentence.strip() for sentence in _SPLIT.split(spoken) if sentence.strip()]
    asking = _asking(sentences)
    asked_text = "\n".join(asking)
    anything_else = any(_ELSE.search(sentence) for sentence in sentences)
    asking = [sentence for sentence in asking if not _ELSE.search(sentence)]
    asked = _slots([sentence for sentence in asking if not _is_yes_or_no(sentence)])
    if any(_IDENTIFY.search(s) for s in asking) and not any(slot in (*IDENTITY, "which") for slot in asked):
        asked = ("identity", *asked)
    confirm = any(_wants_yes(s) for s in asking if "?" in s) or any(_CONFIRM_ANYWHERE.search(s) for s in sentences)
    told = [sentence for sentence in sentences if "?" not in sentence]
    refused = any(_REFUSED.search(s) and not _ONLY_FIRST.search(s) for s in sentences)
    regrets = _REGRETS.search(spoken) is not None and not asked
    return Heard(
        asked=asked,
        alternatives=bool(_OR.search(asked_text)),
        confirm=confirm,
        anything_else=anything_else,
        farewell=any(_FAREWELL.search(sentence) for sentence in told),
        done=any(_claims(sentence) for sentence in told),
        refused=(refused or regrets) and not any(slot in IDENTITY for slot in asked),
        not_found=any(_NOT_FOUND.search(sentence) for sentence in sentences),
        transfer=any(_TRANSFER.search(sentence) for sentence in sentences),
        hold=any(_HOLD.search(sentence) for sentence in told),
        greeting=any(_GREETING.search(sentence) for sentence in sentences),
        more=any(_MORE.search(sentence) for sentence in asking),
        question="?" in spoken,
        asks_unknown=any(_UNKNOWN.search(sentence) for sentence in asking),
        informs=any(re.search(r"\d", sentence) for sentence in told),
        words=len(re.findall(r"[a-z]{2,}", spoken)),
    )


def plain_lines(text: str) -> str:
    """`plain`, with the line breaks kept."""
    return "\n".join(plain(line) for line in text.splitlines())


def _asking(sentences: list[str]) -> list[str]:
    """The sentences that ask; the elements of a list belong to the sentence that announces it."""
    found, announced = [], False
    for sentence in sentences:
        element = re.match(r"(?:[-•]|\d[.)])\s", sentence) is not None
        if (element and announced) or (not element and _ASKS.search(sentence)):
            found.append(sentence)
        if not element:
            announced = sentence.endswith(":") and bool(_ASKS.search(sentence))
    return found


def _slots(sentences: list[str]) -> tuple[str, ...]:
    """What the sentences ask for, in the order of `SLOTS`."""
    found: set[str] = set()
    for sentence in sentences:
        here = {slot for slot, pattern in SLOTS.items() if re.search(pattern, sentence)}
        for kept, dropped, pattern in _OVERRIDES:
            if kept in here and dropped in here and re.search(pattern, sentence):
                here.discard(dropped)
        found |= here
    return tuple(slot for slot in SLOTS if slot in found)


def _is_yes_or_no(sentence: str) -> bool:
    """Whether it only wants a yes: "Shall I refund it to your card?", but not "..., or to the gift card?"."""
    return "?" in sentence and _CONFIRM.search(sentence) is not None and not _OPEN.search(sentence)


def _wants_yes(sentence: str) -> bool:
    if not _CONFIRM.search(sentence):
        return False
    return not _OPEN.search(sentence) or _GO.search(sentence) is not None or not _slots([sentence]) and not _WH.search(sentence)


def _claims(sentence: str) -> bool:
    match = _DONE.search(sentence)
    return match is not None and not _NOT_YET.search(sentence[: match.end()])
