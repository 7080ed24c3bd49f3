"""The wordings that customers understand, as regular expressions over lower-case sentences.

Each list holds alternatives; `listening` says how they work together.
"""

from __future__ import annotations

import re


def _any(*wordings: str, flags: int = 0) -> re.Pattern[str]:
    return re.compile("|".join(wordings), flags)


SLOTS: dict[str, re.Pattern[str]] = {
    "email": _any(
        r"\be-?mails?\b",
    ),
    "name": _any(
        r"\b(?:your|full|first|last|whole|account|customer'?s?|surname|legal) (?:and last )?names?\b",
        r"\bsurname",
        r"\bname (?:and|on|in|under|plus|\+|as|of the account)",
        r"(?:and|or|plus|,|by|&) (?:the )?name\b",
        r"^(?:the )?name\b",
        r"who (?:am i|are you\b|is this|do i have)",
        r"whom (?:am i|do i)",
        r"- (?:full )?name\b",
        r"what(?:'s| is) the name",
        r"\b(?:what|which|whose) names?\b",
    ),
    "zip": _any(
        r"\bzip",
        r"postal",
        r"post ?code",
    ),
    "birth_date": _any(
        r"\bbirth",
        r"\bborn\b",
        r"\bd\.?o\.?b\b",
        r"how old",
    ),
    "phone": _any(
        r"(?:phone|contact|callback|mobile|cell) ?(?:phone )?number",
        r"number to reach",
        r"reach you at",
    ),
    "which": _any(
        r"(?:order|reservation|booking|confirmation|purchase|trip|line|pnr|record)(?:'s)? ?(?:number|id\b|"
        r"no\b|code|reference|#|locator)",
        r"(?:number|id|code|reference) (?:of|for|on) (?:the|your|that|this) (?:\w+ )?(?:order|reservation|"
        r"booking|purchase|trip|line)",
        r"which (?:\w+ ){0,3}?(?:orders?|purchases?|reservations?|bookings?|trips?|lines?|phones?|"
        r"numbers?|one|sim|device)\b",
        r"what (?:order|purchase|reservation|booking|trip|line|phone(?! number))\b",
        r"\bwho (?:uses|is using|owns|has)\b",
        r"\b(?:what|which) number\b",
        r"(?:what(?:'s| is)|give me|state|tell me|have|know|need) (?:the|its|that) (?:phone )?number\b",
        r"(?:order|reservation|booking|trip|line|phone) (?:is|are|was|were|do|does|did|would) (?:this|it|"
        r"that|you|we|affected|concerned|the)",
        r"(?:point me to|find|specify|name) (?:the|your) (?:right |correct )?(?:order|reservation|booking|trip|line)\b",
        r"identify the (?:order|reservation|booking|line|trip)",
        r"whose (?:phone|line|number|sim)",
        r"(?:details?|more|bit|something) (?:of|about|on) (?:the|your|this|that) (?:order|reservation|"
        r"booking|trip|purchase|line)",
        r"(?:order|reservation|booking|trip|line) (?:you mean|in question|concerned|affected|it is about|"
        r"this is about)",
        r"where (?:are|were) you (?:flying|travel\w+)",
        r"(?:the|your|an?) (?:order|reservation|booking) (?:please|details)",
        r"\b(?:first|second|last|latest|newest|other) one\b",
        r"\bdo you mean\b",
        r"\bis (?:it|this|that) (?:(?:about|for|with|on) )?(?:(?:the|your|my) )?(?:order|reservation|booking|"
        r"trip|line|own|or_|rs_|ln_|phone)",
    ),
    "item": _any(
        r"\bwhich of (?:them|these|those)\b",
        r"(?:which|what|name the|list the|exact) (?:\w+ ){0,3}?(?:items?|products?|articles?|things?|"
        r"pieces?|goods)\b",
        r"(?:items?|products?|articles?) (?:would|do|did|are|is|you|exactly|should|in question|concerned)",
        r"what (?:exactly )?(?:would|do) you (?:like|want) to (?:return|exchange|send back|swap|change|"
        r"modify)",
        r"everything or",
        r"whole order or",
        r"all of it or",
    ),
    "variant": _any(
        r"colou?rs?\b",
        r"\bsizes?\b",
        r"\bvariants?\b",
        r"which version",
        r"\bmodel\b",
        r"specification",
        r"replacement",
        r"replace it with",
        r"(?:like|want|get|have|need|prefer) (?:\w+ ){0,2}?instead",
        r"what (?:should|shall) (?:it|we|i) (?:\w+ )?(?:be )?(?:exchange|swap|change)\w* (?:it )?(?:for|"
        r"to|into)",
        r"new (?:item|product|one)\b",
        r"which option",
        r"what options?",
        r"exchange (?:it|them) for",
        r"swap (?:it|them) for",
        r"change (?:it|them) (?:to|into)",
    ),
    "reason": _any(
        r"\breasons?\b",
        r"\bwhy\b",
        r"how come",
        r"what (?:made|prompted|happened|led)",
        r"what(?:'s| is| was) (?:wrong|the matter) with",
        r"motivat",
        r"because of what",
    ),
    "payment": _any(
        r"payment",
        r"\bpay\b",
        r"paypal",
        r"gift ?card",
        r"credit card",
        r"\bcards?\b",
        r"(?:refund|money|difference|credit|amount|charge|fee|cost|bill)(?:ed)? (?:\w+ ){0,3}?(?:to|onto|"
        r"go|on)\b",
        r"how (?:would|do|should) .{0,30}\brefund",
        r"how .{0,30}\b(?:settle|cover|money|charged|billed)\b",
        r"\b(?:which|what) method\b",
        r"\b(?:visa|mastercard|amex|american express)\b.{0,30}\bor\b",
        r"where .{0,30}\b(?:refund|money)\b",
        r"\bcharge (?:it|this|that) to",
        r"account to (?:debit|charge)",
    ),
    "address": _any(
        r"(?<!mail )(?<!-mail )\baddress",
        r"street",
        r"where (?:should|shall|do|would) (?:it|we|i|you|they) .{0,20}?(?:sen[dt]|deliver|ship|go\b)",
        r"(?:ship|deliver|send)\w* (?:\w+ )?(?:it )?(?:to )?where",
        r"apartment",
        r"where (?:did|have) you moved",
        r"\bunit\b",
        r"house number",
    ),
    "date": _any(
        r"(?<!birth )(?<!birth)\bdates?\b(?! of birth)",
        r"(?:what|which) days?\b",
        r"\bwhen (?:would|do|did|should|shall|are|will|was|is|exactly|can) (?:you|it|we|the|i|this)\b",
        r"travel day",
        r"day (?:of|for) (?:travel|the flight)",
        r"new day",
        r"day you",
    ),
    "flight": _any(
        r"which flights?\b",
        r"what flights?\b",
        r"flight (?:number|do you|would you|option)",
        r"time of day",
        r"preferred (?:flight|time|departure)",
        r"(?:departure|flight) times?",
        r"morning or",
        r"(?:any )?preference",
        r"cheapest",
        r"earliest",
        r"prefer to (?:fly|leave|depart)",
    ),
    "cabin": _any(
        r"\bcabin",
        r"(?:which|what|travel|service|preferred|the) class\b",
        r"economy or",
        r"business or",
    ),
    "leg": _any(
        r"\blegs?\b",
        r"outbound",
        r"(?:the|or) return\b",
        r"return flight",
        r"which (?:part|segment|direction|half|way)",
        r"both (?:ways|flights|directions)",
        r"one[- ]way",
        r"round[- ]trip",
        r"whole trip or",
        r"\bsegments?\b",
    ),
    "passenger": _any(
        r"passenger",
        r"travell?ers?\b",
        r"who (?:is|are|will|else|should|all|'s)\b.{0,20}(?:travel|fly|go|com)",
        r"how many (?:people|persons|seats)",
        r"(?:correct|right|exact|proper|new|misspelled|wrong) (?:spelling|name)",
        r"spell",
        r"name (?:should|is wrong|needs|must|be)",
        r"names? .{0,20}travel",
    ),
    "bags": _any(
        r"how many (?:\w+ ){0,3}?(?:bags|suitcases|pieces)",
        r"(?:number|amount) of (?:\w+ )?bags",
        r"any (?:\w+ )?(?:bags|luggage|baggage)",
        r"bags (?:would|do|will|should|are)",
        r"luggage",
        r"baggage",
        r"suitcase",
    ),
    "amount": _any(
        r"how (?:much|many) (?:\w+ ){0,3}?(?:data|gb|gigs?|gigabytes?)",
        r"amount of (?:\w+ )?data",
        r"gigabytes",
        r"number of (?:gb|gig)",
        r"\bgbs?\b",
        r"how much (?:more|extra|would|do|should|shall)",
        r"what amount",
        r"how big",
    ),
    "plan": _any(
        r"(?:which|what|new|desired|preferred) (?:\w+ )?(?:plan|tariff|package)",
        r"plan (?:would|do|should|you)",
        r"\btariff",
    ),
    "bill": _any(
        r"(?:which|what) (?:\w+ ){0,2}?(?:bills?|months?|invoices?|charges?|statements?|amounts?)\b",
        r"bill(?:ing)? (?:month|period|number|id)",
        r"invoice",
        r"(?:bills?|charges?) (?:is|are|do|does|would|you) ",
    ),
    "abroad": _any(
        r"abroad",
        r"travel(?:l)?ing\b(?!.{0,15}(?:with|to\b|date))",
        r"roaming",
        r"outside (?:of )?(?:the|your)",
        r"another country",
        r"foreign",
        r"which country",
        r"what country",
        r"where are you (?:right now|now|at the moment|currently|located|using|calling)",
        r"at home\b",
        r"your (?:current )?location",
        r"in the country",
    ),
    "tried": _any(
        r"restart",
        r"re-?boot",
        r"turn\w* .{0,25}(?:off|on again)",
        r"switch\w* .{0,25}(?:off|on again)",
        r"airplane mode",
        r"flight mode",
        r"power[- ]?cycl",
        r"troubleshoot",
        r"\btried",
        r"(?<!i'll )(?<!i will )(?<!i can )(?<!we )(?<!we can )(?<!me )(?<!let's )(?<!i )\btry\b(?! again)",
    ),
    "symptom": _any(
        r"what (?:exactly )?(?:happens|do you see|does it (?:show|say)|is (?:the |your )?(?:problem|issue|"
        r"wrong|going on|happening|not working))",
        r"what(?:'s| is) (?:not working|the (?:exact |precise )?(?:problem|issue|trouble))",
        r"symptoms?",
        r"error message",
        r"describe",
        r"signal",
        r"what (?:kind|sort|type) of (?:problem|issue|trouble)",
        r"since when",
        r"calls? or",
        r"(?:calls|texts|internet|data|pictures) (?:work|affected|too)",
    ),
    "delay": _any(
        r"how (?:long|late)",
        r"length of the delay",
        r"hours? (?:late|was)",
        r"delayed by",
    ),
}
"""What a sentence that asks asks for: slot to wordings."""

ASKS = _any(
    r"\?",
    r"\b(?:please|kindly) (?:just )?\w+ (?:me |us )?(?:your|the|which|what|who|whose|where|how|when)\b",
    r"\b(?:drop|pop) (?:me |us |in )*(?:your|the)\b",
    r", please[.!]?$",
    r"\b(?:have|need|got) to (?:check|verify|confirm|ask)\b",
    r"^(?:\w+,? )?(?:and |now |next,? |then |finally,? )+your\b",
    r"\bplease (?:provide|share|send|give|tell|confirm|let|specify|state|verify|describe|choose|pick|"
    r"supply|enter|reply|indicate|name|add|include|write|type|advise|clarify|say|pass|note|list)",
    r"\b(?:could|can|would|will) (?:you|i|we)\b",
    r"\bmay (?:i|we)",
    r"\bmight i",
    r"\bneed\b",
    r"\blet (?:me|us) (?:know|have)",
    r"\btell (?:me|us)\b",
    r"\bgive (?:me|us)\b",
    r"\bsend (?:me|us)\b",
    r"\bshare\b",
    r"\bprovide\b",
    r"\bdo you (?:have|know|remember|happen)",
    r"\bmind (?:sharing|telling|giving|if)",
    r"\brequired?\b",
    r"\bi(?:'d| would) (?:also )?like your\b",
    r"\blooking for\b",
    r"\bwould (?:help|be (?:great|helpful|useful|good|enough|perfect|ideal))",
    r"\bmissing\b",
    r"\bwithout (?:your|the|a|knowing)",
    r"\bwait(?:ing)? for\b",
    r"\bask(?:ing)? (?:you )?for\b",
    r"\bask (?:you )?(?:what|which|why|when|where|how)\b",
    r"\bremind me\b",
    r"\b(?:not|un)(?:sure| sure| clear|clear| certain) (?:which|what|when|where|whether|about)",
    r"\bwonder(?:ing)?\b",
    r"\bcurious\b",
    r"\bi(?:'d| would) (?:also )?(?:like|love|want) to (?:know|hear|ask|understand|verify|confirm)",
    r"\bcare to\b",
    r"\b(?:have|got) to know\b",
    r"\bplus your\b",
    r"\bwhat i (?:still )?(?:need|lack|require)",
    r"\b(?:don't|do not) (?:yet )?(?:know|have) (?:yet )?(?:which|what|your|the|when|where|how)",
    r"\bdepends on\b",
    r"\bhelps? (?:me|us) to know\b",
    r"\btype (?:in )?your",
    r"\bonce (?:i have|you (?:give|send|tell|share|confirm|provide))",
    r"^(?:your|the|full|and your|and the|also your)?\s*[\w ,/&+-]{0,60},? ?please\b",
)
"""A sentence that asks for something."""

CONFIRM = _any(
    r"\b(?:shall|should|may|can|could|do|must) (?:i|we) (?:then |now |therefore |just |really |please |"
    r"also )*(?!have|ask|get|know|help|assist|see|find|be of|call you|verify|trouble|bother|request|learn|"
    r"hear)\w+",
    r"\b(?:would|do) you (?:still |really |also )?(?:like|want|wish|prefer) (?:for )?(?:me|us) to",
    r"\b(?:would|do) you (?:still |really )?(?:like|want|wish) to (?:pay|book|end|cancel|return|exchange|"
    r"upgrade|downgrade|change|add|switch|have|buy|keep going)\b",
    r"\bwould (?:that|this|it) (?:be|work|suit|do)\b",
    r"\b(?:shall|should|may) (?:i|we)\s*\?",
    r"\ball (?:good|fine|right|correct|okay|ok|clear)\s*\?",
    r"\bgood to go\b",
    r"\b(?:looks?|sounds?) (?:right|good|ok|okay|fine|correct|alright|all right)\b",
    r"^(?:so,? |then )?(?:want|like|need) me to\b",
    r"\bin agreement\b",
    r"\bam i (?:right|correct)\b",
    r"\b(?:get|have) (?:a|your) (?:\w+ )?yes\b",
    r"\bgive (?:me )?(?:the|your) (?:go-?ahead|ok|okay|permission|consent|approval|green light)",
    r"\bis (?:this|that|it) what you\b",
    r"\bgo(?:ing)? ahead\b",
    r"\bproceed\b",
    r"\b(?:do|can|could|would|will) you (?:please )?(?:\w+ )?(?:confirm|agree|approve|accept|authori[sz]e|"
    r"consent)\b(?! (?:your|the (?:email|zip|name|order number))\b)",
    r"\bis (?:that|this|it|everything|all (?:of )?(?:that|this)|the above) (?:all )?(?:correct|right|ok|"
    r"okay|fine|alright|good|accurate|acceptable|what you|how you|in order|as you)",
    r"\b(?:ok|okay|fine|good|alright|all right|acceptable|convenient) (?:with|for|by) you",
    r"\bare you (?:ok|okay|happy|fine|sure|comfortable|certain|in agreement|all right|alright)",
    r"\byou agree",
    r"\byes or no",
    r"\byes ?/ ?no",
    r"\byes\b.{0,20}\bor\b.{0,10}\bno\b",
    r"\bdo(?:es)? (?:that|this|it) (?:\w+ )?(?:work|sound|look|suit|seem|match|meet)",
    r"\bsounds? (?:good|right|ok|fine)",
    r"\b(?:all right|alright|right|correct|ok|okay|agreed|deal|yes)\s*\?",
    r"\b(?:want|like|wish) to (?:go (?:ahead|through|on|forward)|continue|do (?:this|that|it)|keep going|"
    r"take (?:it|this|that)|accept)",
    r"\bhappy (?:for me|with (?:that|this))",
    r"\bhave (?:i|we) (?:got|understood) (?:that|this|it|you|everything)",
    r"\bgreen light",
    r"\bok to\b",
    r"\bokay to\b",
    r"\bfine if i\b",
    r"\bif i (?:go|cancel|process|make|do|start|proceed)",
    r"\bmind if i\b(?! ask)",
    r"\bany (?:objections?|corrections?)\b",
    r"\bdid i (?:get|understand)",
)
"""A question for a yes."""

CONFIRM_ANYWHERE = _any(
    r"""\b(?:please|kindly) (?:\w+ )?(?:confirm|approve|say yes|answer (?:with )?(?:yes|'yes'|\"yes\")|"""
    r"""reply (?:with )?[\"'“]?(?:yes|ok|confirm)|agree)\b(?! (?:your|me your|the (?:e-?mail|zip|name|"""
    r"order number|reservation number|phone|address)))",
    r"""\b(?:just )?(?:say|tell me) (?:[\"'“]?yes|the word|so|ok|go)""",
    r"\blet me know (?:if|whether|that) (?:you(?:'d| would)? (?:like|want|agree|approve|wish|are|still)|"
    r"this|that|it|i|everything|all|we)\b",
    r"\b(?:need|wait(?:ing)? for|await(?:ing)?|require|have|with|want|get|like|seek(?:ing)?|ask for|only|"
    r"just) (?:\w+ ){0,2}?your (?:\w+ )?(?:ok|okay|approval|consent|permission|go-?ahead|confirmation|"
    r"agreement|yes|blessing|word)\b",
    r"\b(?:as soon as|once|if) you (?:confirm|agree|approve|say yes|give|are happy|'re happy)(?! me)",
    r"\bonce you(?:'ve| have) (?:confirmed|agreed|approved)",
    r"""\bi(?:'d| would) (?:just )?need a (?:clear |simple )?[\"'“]?yes""",
    r"""\bneed (?:a|an explicit|an?) [\"'“]?(?:yes|confirmation|ok)""",
    r"\btell me (?:if|whether) (?:i|that|this|you)\b",
    r"\blet me know (?:your thoughts|what you think)",
    r"^(?:so,? )?what do you think",
    r"\bhow (?:does|do|would) (?:that|this|it|these) (?:sound|look|feel)",
    r"\bi'd like to double-?check that",
)
"""A request for a yes that needs no question mark."""

PROPOSES = _any(
    r"\b(?:i|we)(?:'d| would|'ll| will|'m going to| am going to|'m about to| am about to| can| propose| "
    r"suggest| plan to| "
    r"intend to)(?: then| now| just| also| therefore| like)*(?: to)? (?!need|help|be (?:happy|glad)|assist|"
    r"have to|ask|know|"
    r"look|check|see|wait|love|understand|find|get back|let you|do my|do that|tell|like to (?:know|ask))\w+",
    r"\bhere(?:'s| is) (?:what|the plan)\b",
    r"\b(?:my|the) (?:plan|proposal|suggestion) is\b",
    r"^(?:proposal|summary|plan|planned change|to do)\b\s*:",
)
"""A statement of what an agent is about to do."""

PICK = _any(
    r"\bwhich(?: one| of (?:them|these|those))?(?:,| (?:do|would|should|shall|may|can|please)\b|\s*\?)",
    r"\bwhat (?:do|would) you (?:prefer|like)\b",
    r"\byour (?:choice|preference)\b",
)
"""A question for one of the things that were just listed."""
METHODS = _any(
    r"\b(?:visa|mastercard|amex|paypal|gift card|credit card|your cards|payment methods?)\b",
)

WH = _any(
    r"\b(?:what|which|when|where|whom?|whose|how|why)\b",
)

GO = _any(
    r"\bis (?:this|that|it) what you\b",
    r"\bgo ahead\b",
    r"\bproceed\b",
    r"yes or no",
    r"yes/no",
)
"""A request for a yes even beside another question."""

ABOUT_YOU = _any(
    r"\b(?:your|the) (?:full |account )?(?:e-?mail|zip|postal|name|date of birth|birth|order (?:number|"
    r"id))",
)
"""Facts that are asked for with "may I have", which is no question for a yes."""

ELSE = _any(
    r"\b(?<!before )(?:any|some)thing (?:else|more|further|other|additional)",
    r"\b(?:any|some) (?:other|further|more|additional) (?:\w+ )?(?:questions?|requests?|concerns?|"
    r"matters?|issues?|help|assistance|things?|topics?|wish(?:es)?)",
    r"\bwhat else\b",
    r"\belse (?:i|we|you|on your)",
    r"\b(?:was|is|would) (?:that|this|it) (?:be )?(?:all|everything)\b",
    r"\bother than that\b.*\?",
    r"\bany (?:more )?questions\b",
    r"\bmore i can do",
    r"\bfurther (?:help|assistance)\b",
    r"\bother way i can",
    r"\bhelp with something else",
    r"\badditional (?:help|assistance)",
    r"\banother (?:matter|request|question|thing|issue|topic|point|concern|problem)\b",
    r"\b(?:any )?other (?:changes|things)\b.{0,20}\b(?:i|we|you)\b",
    r"\b(?:will|does|did|would) (?:that|this) (?:be all|cover|settle|take care of|complete|include) "
    r"?(?:everything|it all|all)?\b",
    r"\bmore (?:that )?(?:i|we) can (?:do|help)",
    r"\b(?:anything|something) (?:left|open|remaining)\b",
    r"\bany other way\b",
    r"\bhow else (?:can|may|could|might)\b",
    r"\bfurther way\b",
    r"^(?:anything )?else\s*\?",
    r"\bfurther (?:questions?|requests?|concerns?|wish(?:es)?|needs?)\b",
    r"\bcovered (?:everything|it all)\b",
    r"\ball (?:of )?your questions\b",
    r"\bstill (?:something|anything) (?:open|left|on)",
    r"answered (?:all )?(?:of )?your questions?",
)
"""A question for a further matter."""

COMPLETES = _any(
    r"\bbefore (?:i|we)\b",
    r"\b(?:to|in|on|from|of|about) (?:this|the|that|your) (?:\w+ )?(?:order|exchange|return|reservation|"
    r"booking|trip|request|change|item)",
    r"\b(?:else|more|other\b.{0,15}) to (?:exchange|return|change|modify|cancel|swap)",
    r"\bitems?\b",
)
"""What turns a question for more into one about the matter in hand."""

FAREWELL = _any(
    r"\bgood ?bye",
    r"\bhave (?:yourself )?an? (?:\w+ )?(?:nice|great|good|lovely|wonderful|pleasant|fantastic|excellent|"
    r"safe|fine|happy) ",
    r"\btake care(?! of)\b",
    r"\bbye\b",
    r"\ball the best\b",
    r"\buntil next time",
    r"\bthank(?:s| you) for (?:choosing|flying|shopping|your (?:business|loyalty))",
    r"\bwish(?:ing)? you\b",
    r"\bsafe travels",
    r"\bsee you",
    r"\benjoy (?:your|the) (?:day|evening|weekend|trip|flight|rest)",
    r"\bbest wishes",
    r"\bfarewell",
)

DONE = _any(
    r"\b(?:has|have) (?:now |just |already |both |all |successfully |also )*been\b",
    r"\bi(?:'ve| have)(?: now| just| already| successfully| also)* (?!checked|looked|found|seen|verified|"
    r"noted|located|read|understood|a |the |two |to |your |no |not |got|one |some |pulled|received|"
    r"reviewed|opened|any|identified|been)\w+(?:ed|de|ut|nt|et|ne|id|ssued)\b",
    r"\b(?:it'?s|it is|that'?s|that is|all|everything(?: is|'s)?|you(?:'re|"
    r" are)(?: all)?) (?:now )?(?:done|set|completed?|sorted|taken care of|settled|finished)\b",
    r"\bsuccessfully\b",
    r"\b(?:is|are|was|were) (?:now |hereby )?(?:cancelled|canceled|booked|refunded|changed|updated|"
    r"credited|paid|exchanged|issued|added|upgraded|downgraded|activated?|active|suspended|resumed|"
    r"processed|started|reset|completed?|done|confirmed|corrected|insured|returned|renamed|moved|switched|saved|blocked|"
    r"reactivated|resolved|fixed|ordered|submitted|initiated|set up|arranged)\b",
    r"\bon (?:its|their) way\b",
    r"^\s*done\b",
    r"\bi (?:just |now |already )?(?:cancelled|canceled|booked|refunded|changed|updated|credited|paid|"
    r"exchanged|issued|added|upgraded|downgraded|activated|suspended|resumed|processed|started|reset|"
    r"completed|corrected)\b",
    r"\btaken care of\b",
    r"\bwent through\b",
)
"""A claim that something has been carried out, if nothing of NOT_YET stands before it."""

NOT_YET = _any(
    r"\b(?:would|will|'ll|going to|can|could|shall|should|if|before|once|after|about to|to be|not|need)\b",
    r"n't\b",
)

REFUSED = _any(
    r"\b(?:can(?:'t|not)|can not|unable|not able|not possible|impossible|not eligible|ineligible|"
    r"not allowed|not permitted|isn't (?:possible|allowed|eligible|covered|due|refundable)|won't be able|"
    r"not (?:something|entitled|covered|refundable|due|cancell?able)|against (?:our|the|"
    r"company) (?:policy|rules)|does(?:n't| not) (?:qualify|allow|permit|meet|give)|do(?:n't|"
    r" not) (?:allow|permit|qualify|offer|make)|(?:have|has) to (?:decline|refuse|say no|turn)|"
    r"must (?:decline|refuse)|(?:no|without) (?:compensation|voucher|refund|exceptions?)|there is no way|"
    r"(?:hands are tied|out of the question|off the table|no longer be|too late to)|not in a position|"
    r"no (?:cancellations?|refunds?|credits?|exceptions?) (?:once|after|when)|"
    r"no longer (?:possible|available|an option)|(?:are|is)n't (?:cancell?able|eligible|refundable|permitted|"
    r"an option)|"
    r"not an option|nothing (?:more )?(?:i|we) can do|answer (?:has to be|is|must be|remains) no|past the "
    r"point|may not be|"
    r"(?:don't|do not|doesn't|does not|won't) let (?:me|us)|(?:do(?:n't| not)) (?:cancel|refund|credit|"
    r"compensate|reimburse)|"
    r"out of my hands|won't (?:work|be possible)|outside (?:of )?(?:what )?our (?:policy|rules)|"
    r"policy (?:prevents|prohibits|rules|forbids|does)|rules? (?:prevent|forbid)|remains? valid|"
    r"charge (?:is valid|stands))\b",
)

REGRETS = _any(
    r"\b(?:sorry|unfortunately|afraid|regret)\b.{0,200}\b(?:only|not|no|at most)\b",
    r"\bonly .{0,60}(?:can|may|are|is) ",
    flags=re.DOTALL,
)
"""A refusal that is told by what would be allowed."""

ONLY_FIRST = _any(
    r"\b(?:until|unless|without|before|first)\b",
    r"\b(?:find|locate|see|access|identify|pull|open|match|verify|tell|determine|help you yet)\b.{0,40}",
)
"""What turns a refusal into "not without ..."."""

NOT_FOUND = _any(
    r"(?:can(?:'t|not)|could ?n(?:'t|ot)|could not|unable to|not able to|did(?:n't| not)|do(?:es)?(?:n't| not)|"
    r"was(?:n't| not) able to|no luck|fail\w* to|having trouble) .{0,25}?(?:find|finding|locate|locating|"
    r"see any|match|come up|turn up|recogni|pull)",
    r"not (?:on file|registered|in our (?:system|records|database)|found)",
    r"does(?:n't| not) (?:match|exist|seem to)",
    r"no (?:account|customer|match|record|result|profile|entry|luck|such)",
    r"nothing (?:under|for|with|comes)",
    r"another (?:way|e-?mail)",
    r"different e-?mail",
    r"isn't (?:on file|registered|in our)",
)

TRANSFER = _any(
    r"\b(?:transfer|hand\w*|connect|forward|pass|escalat\w+|put)\w* (?:you|this|the|your|"
    r"it)?.{0,25}?(?:human|colleague|specialist|person|supervisor|manager|agent|team|representative|"
    r"department|someone|through)\b",
    r"\b(?:speak|talk) (?:to|with) (?:a|one of) .{0,20}(?:human|colleague|supervisor|person)",
)

HOLD = _any(
    r"\b(?:one|a|just a|give me a) (?:brief |short |quick |little )?(?:moment|second|minute|sec|bit)\b",
    r"\bbear with me",
    r"\bhold on",
    r"\bhang on",
    r"\bplease wait",
    r"\blet me (?:just |quickly |now |first )*(?:check|look|see|pull|find|verify|review|take|have a look|"
    r"get|dig|open)\b",
    r"\bi(?:'ll| will|'m going to|'m) (?:just |now |quickly )*(?:check|look|be right|pull|see|find|review|"
    r"working|get (?:right )?on)\w*",
    r"\blooking (?:into|it up|that up|at)",
    r"\bworking on it",
    r"\bchecking\b",
    r"\bstand by",
    r"\bwhile i\b",
)

GREETING = _any(
    r"\bhow (?:can|may|could|might) (?:i|we) (?:be of|help|assist|serve|support)",
    r"\bwhat can (?:i|we) (?:help|do|assist)",
    r"\bwhat brings you",
    r"\bhow (?:is it that )?i can help",
    r"\bwhat (?:would|do) you (?:like|want|need)(?: me)?(?: to do)?\s*\?",
    r"\bwhat(?:'s| is) (?:this|it) (?:all )?about",
    r"\bwhat(?:'s| is) your (?:request|question|concern|issue)\b",
)

MORE = _any(
    r"\b(?:more|further|additional|some|any|the|a few|bit) (?:\w+ )?(?:details?|information|info|context|"
    r"specifics)",
    r"\btell me more",
    r"\belaborate",
    r"\ba bit more",
    r"\bmore about",
    r"\bbe more specific",
    r"\bclarif",
    r"\bwhat (?:exactly )?do you mean",
    r"\bexplain\b",
    r"\bwhat (?:exactly )?(?:can|should|do) (?:i|you)\b",
)
"""A request for details that names none."""

IDENTIFY = _any(
    r"\b(?:verify|confirm|check|validate|prove|establish|authenticate|sure) .{0,20}?(?:identity|"
    r"who you are|it(?:'s| is) (?:really )?you|you are|i(?:'m| am) (?:speaking|talking))",
    r"\bverify you\b",
    r"\bidentif(?:y|ication)\b.{0,20}(?:you|yourself)",
    r"\bsecurity (?:check|question|reasons|purposes|details)",
    r"\b(?:account|personal|identifying|contact|verification) (?:details|information|info|data)",
    r"\b(?:find|locate|pull up|look up|open|bring up|access|call up) (?:\w+ ){0,3}?(?:account|profile|"
    r"record|file)",
    r"\bproof of identity",
    r"\bwho you are",
)
"""A request to prove who one is, that names no fact."""

OR = _any(
    r"\bor\b",
    r"\balternatively\b",
    r"\beither\b",
    r"\bone of\b",
)

UNKNOWN = _any(
    r"^(?:and |so |but )?(?:is|are|was|were|do|does|did|have|has|what|which|who|how|when)\b",
)
"""The beginning of a question for information."""

OPEN = _any(WH.pattern, r"\b(?<!yes )or\b(?! not)")
"""Marks of a question that a yes does not answer."""
