"""Three ways of saying everything that an agent has to say: terse, chatty, formal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sigmaloop.eval.benchmarks.helpdesk.requests import Domain


@dataclass(frozen=True)
class Style:
    """Wordings of one agent; `{called}` is the matter, `{done}` what it would do or has done."""

    name: str
    email: str
    not_found: str
    verify: Mapping[str, str]
    which: Mapping[Domain, str]
    ask: Mapping[str, str]
    """Slot to question."""
    together: bool
    """Asks for all that it needs in one message, for all matters that it has heard of."""
    turn: str
    """Said before the first question about another matter."""
    propose: str
    tell: str
    refuse: str
    insist: str
    """Said when the customer does not accept a refusal."""
    more: str
    bye: str


TERSE = Style(
    name="terse",
    email="Email?",
    not_found="Not found. Full name and zip code?",
    verify={"zip": "Zip code?", "birth_date": "Date of birth?"},
    which={"retail": "Order number?", "airline": "Reservation number?", "telecom": "Which line?"},
    ask={
        "item": "Which item?",
        "variant": "Which variant instead?",
        "reason": "Reason?",
        "payment": "Payment method?",
        "address": "New address?",
        "date": "Which date?",
        "passenger": "Passenger names?",
        "bags": "How many bags?",
        "leg": "Which leg?",
        "amount": "How many gigabytes?",
        "plan": "Which plan?",
        "bill": "Which bill?",
        "symptom": "What happens exactly?",
        "abroad": "Are you abroad?",
    },
    together=False,
    turn="Next: {called}.",
    propose="I'd {done}. OK?",
    tell="{done}",
    refuse="{done}",
    insist="No exceptions, sorry. {done}",
    more="Anything else?",
    bye="Bye.",
)
CHATTY = Style(
    name="chatty",
    email="Hi there, thanks so much for getting in touch! I'm on it. Could you tell me the email address you use with "
    "us?",
    not_found="Hmm, that's odd, I can't find an account with that email. Not to worry! Could you give me your full "
    "name and your zip code, and I'll try again?",
    verify={
        "zip": "Wonderful, there you are! Just one little security question before we get going: what's your zip code?",
        "birth_date": "Wonderful, there you are! One tiny security question before we get going: when were you born?",
    },
    which={
        "retail": "so I'm looking at the right thing, which order is it about",
        "airline": "so I'm looking at the right trip, which reservation is it about",
        "telecom": "so I'm looking at the right one, which line is it about",
    },
    ask={
        "item": "which item would you like to send back",
        "variant": "what would you like to have instead",
        "reason": "may I ask why, just for our records",
        "payment": "which payment method shall we use",
        "address": "what's the new address, with the apartment and everything",
        "date": "what day would you like to travel",
        "passenger": "what are the names of the passengers, exactly as they should be spelled",
        "bags": "how many bags would you like to add",
        "leg": "is it the outbound or the return flight that you mean",
        "amount": "how many gigabytes would you like",
        "plan": "which plan did you have in mind",
        "bill": "which month's bill is it",
        "symptom": "could you describe what happens",
        "abroad": "are you travelling abroad at the moment",
    },
    together=True,
    turn="Great, on to your other wish, {called}!",
    propose="Okay, so here's what I've found, and it all looks good to me! I would {done}. Does that sound good to "
    "you, shall I go ahead?",
    tell="Hooray, that worked like a charm! {done} I hope that makes your day a little easier.",
    refuse="Oh no, I really wish I had better news for you. {done} I do hope you understand!",
    insist="I totally get it, and I would feel the same in your place! {done}",
    more="Now, is there anything else I can do to help you today?",
    bye="It was lovely talking to you. Have a wonderful day!",
)
FORMAL = Style(
    name="formal",
    email="Good day and thank you for contacting our customer service. In order to locate your account, kindly provide "
    "the email address under which you are registered.",
    not_found="Unfortunately, our records do not contain an account with this email address. Please state your full "
    "name together with your zip code instead.",
    verify={
        "zip": "Thank you. For the purpose of verification, please confirm the zip code that we have on file.",
        "birth_date": "Thank you. For the purpose of verification, please state your date of birth.",
    },
    which={
        "retail": "Regarding {called}, please specify which order is concerned.",
        "airline": "Regarding {called}, please specify which reservation is concerned.",
        "telecom": "Regarding {called}, please specify which line is concerned.",
    },
    ask={
        "item": "Please indicate which items you would like to return.",
        "variant": "Please specify which variant you would like to receive instead.",
        "reason": "For our records, please state the reason.",
        "payment": "Please advise which payment method should be used.",
        "address": "Please provide the complete new address, including any apartment number.",
        "date": "Please indicate the date on which you would like to travel.",
        "passenger": "Please provide the names of the passengers as they should appear.",
        "bags": "Please specify the number of bags that you would like to add.",
        "leg": "Please specify to which leg this applies.",
        "amount": "Please specify how many gigabytes you would like to add.",
        "plan": "Please let me know which plan you would like to have.",
        "bill": "Please indicate which bill is concerned.",
        "symptom": "Please describe the problem.",
        "abroad": "Please let me know whether you are currently abroad.",
    },
    together=False,
    turn="I shall now turn to {called}.",
    propose="Having reviewed your account, I propose the following: I will {done}. Kindly confirm that you agree, so "
    "that I may proceed.",
    tell="I am pleased to inform you of the following. {done}",
    refuse="I regret to inform you of the following. {done}",
    insist="I understand your disappointment; however, my answer remains the same. {done}",
    more="May I assist you with anything else?",
    bye="Thank you for contacting us. Goodbye.",
)
STYLES = (TERSE, CHATTY, FORMAL)
