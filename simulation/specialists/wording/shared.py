"""What is said about faults that every desk knows."""

from __future__ import annotations

from sigmaloop.simulation.specialists.wording.fault import Fault

SHARED: dict[str, Fault] = {
    "acts_on_first_order": Fault(
        subject="customers with several orders or reservations",
        trouble=(
            "takes the first order or reservation on file instead of the one that the customer described",
            "several orders, opens only one and acts on the wrong order without comparing them",
        ),
        when=(
            "when [the account|the profile] [shows|has|lists] more than one [order|order or reservation]",
            "if [several|two or more] orders or reservations are on file",
            "with several [orders|reservations|orders or bookings] in the profile",
        ),
        do=(
            "[open|look at|read] [every one|all] of them and [work on|take] the one that [fits|matches] the "
            "[customer's description|description given]",
            "[find out|establish] which order or reservation is [meant|described] by [comparing|checking] the contents "
            "of [each|all of them]",
            "[compare|hold] each order or reservation [with|against] what the customer [described|told you], and only "
            "then [act|choose]",
        ),
        avoid=(
            "[settle for|act on|take] the first [order|order or reservation] [in the list|you open]",
            "[assume|take it for granted] that the first order or reservation is the one that is meant",
        ),
        avoiding=("[grabbing|taking|using] the first [in the list|one found]", "[stopping|settling] at the first hit"),
        why=(
            "the [one|order] described is often [further down|not the first]",
            "the list is in no order that the customer knows",
        ),
        limit=("a profile with a single order needs no comparing",),
        says="I'd like to send back the kettle that I bought, please.",
        right=(
            "[opens all three orders of the profile] The kettle is in your second order, the one of May. Is it that "
            "one?",
            "[reads each order, finds the kettle in the last one] I have found the order with the kettle.",
        ),
        wrong="starts a return for the first order on file, which holds no kettle",
        excess=("ask_which", "confirm"),
    ),
    "skips_confirmation": Fault(
        subject="confirmation of changes",
        trouble=(
            "changes something without stating the details and waiting for the customer's yes",
            "write call made at once, no confirmation or consent obtained before the change",
        ),
        when=(
            "when [something is about to be changed|a change is due|you are ready to make a change]",
            "for [every|each] [call that writes|booking, refund or other change]",
            "if a tool call would [alter|change] [data|the account|an order]",
        ),
        do=(
            "[spell out|state|sum up] the details and [wait for|get] [an explicit yes|the customer's yes] "
            "[first|before "
            "the call]",
            "[tell the customer|say] exactly what you [will|are going to] change, ask for agreement and [hold the call "
            "until|make the call only once] they have said yes",
            "have the customer [confirm|agree to] the [details|complete change] [before it is made|in advance]",
        ),
        avoid=(
            "[write|make a change|call a changing tool] [before|until] the customer has [said yes|agreed]",
            "[go ahead|act] without [the customer's explicit agreement|a clear yes]",
        ),
        avoiding=("[acting|writing] [straight away|at once]", "[going ahead|making the call] unasked"),
        why=(
            "a change [cannot always be undone|is hard to take back]",
            "the customer [may want|has a right] to correct it",
        ),
        limit=("look-ups need no [yes|confirmation]", "one clear yes per change is enough"),
        says="Please cancel my order.",
        right=(
            "I would cancel the order with the lamp and refund $40 to your card. Shall I go ahead, yes or no?",
            "This is what I would change: the order is cancelled, $40 go back to your card. May I do that? [calls the "
            "tool only after the yes]",
        ),
        wrong="cancels at once and reports it afterwards",
        hook="consent",
        excess=("confirm",),
    ),
    "malformed_arguments": Fault(
        subject="arguments of tool calls",
        trouble=(
            "malformed arguments: id passed without its prefix, number written in words, required field missing",
            "invalid format of an argument that the tool rejects and that the agent does not mend",
        ),
        when=(
            "when [calling a tool|you fill in a tool's arguments|a tool takes an id]",
            "for [each|any] argument of a tool call",
            "if a tool [asks for|expects] an id, a number or a required field",
        ),
        do=(
            "[copy|take over] ids [character by character|in full, prefix and all,] from [an earlier result|the tool's "
            "answer], write numbers as digits and [fill in|supply] [every|each] required field",
            "[follow|keep to] the [schema|format] to the letter: complete ids with their prefix, digits for numbers, "
            "all "
            "required fields",
            "[pass|give] the [full|complete] id [including its prefix|with the prefix], [numbers as numerals|numbers "
            "in "
            "digits], and [no required field left empty|all the fields that the schema demands]",
        ),
        avoid=(
            "[shorten|abbreviate] an id, [spell out|write out] a number in words or [skip|leave out] a required field",
            "[strip|drop] the prefix of an id or [omit|leave out] fields that the tool requires",
        ),
        avoiding=("[shortening|retyping] ids from memory", "[guessing|improvising] the format"),
        why=("[the tool|a tool] [rejects|turns down] [anything else|a call in another format]",),
        limit=("optional fields may stay empty",),
        says="It's about reservation 77 of mine.",
        right=(
            "[looks the reservation up and passes its id exactly as listed, prefix included]",
            "[calls the tool with the complete id from the profile and with the number in digits]",
        ),
        wrong='passes "77" without the prefix and leaves a field out',
        moment="during",
        excess=("retry",),
    ),
    "gives_up_after_error": Fault(
        subject="tool errors",
        trouble=(
            "gives up after a single tool error and hands the customer over to a person",
            "transfer after one failed call instead of correcting it and retrying",
        ),
        when=(
            "when a [tool call|call] [fails|returns an error|comes back with an error]",
            "if a tool [reports|answers with] an error",
            "on [a|the first] tool error",
        ),
        do=(
            "read [the message|what it says], [correct|repair] the call and [try it again|make it once more]",
            "[find out from the message|work out] what was wrong, [fix|mend] [that|it] and repeat the call",
            "[stay with|keep] the case: [adjust|correct] the arguments and call [again|the tool a second time]",
        ),
        avoid=(
            "[hand over|transfer|pass the customer on] [after|because of] [one|a single] [error|failed call]",
            "[give up|throw in the towel] [over|after] one [error|failed call]",
        ),
        avoiding=("[transferring|handing over] [right away|at once]", "giving up"),
        why=(
            "most errors [name|say] what has to be [corrected|changed]",
            "a corrected call usually [works|goes through]",
        ),
        limit=("a call that fails twice in the same way [may be left|is not worth a third try]",),
        says="Could you check my booking?",
        right=(
            "[the call fails: id must start with a prefix; the agent adds the prefix, calls again and gets the "
            "booking]",
            "[reads the error, corrects the argument, repeats the call] Here is your booking.",
        ),
        wrong="transfers to a person after the first error",
        moment="after",
        excess=("retry",),
    ),
    "transfers_too_early": Fault(
        subject="transfers to a person",
        trouble=(
            "transfers to a human although the tools and the policy would let the agent solve it",
            "premature handover or escalation of a request that was solvable",
        ),
        when=(
            "when [your tools and the policy cover a request|a request can be settled with the tools]",
            "if [a tool|one of your tools] [can do|does] what is asked",
            "as long as the policy [allows|provides for] the request",
        ),
        do=(
            "[deal with|settle|solve] it [yourself|on your own]",
            "[see it through|work it out] with the tools [you have|at hand] and keep the human colleagues out of it",
            "[finish|handle] the matter yourself; a transfer is [the last resort|for what no tool can do]",
        ),
        avoid=(
            "[transfer|hand over|escalate] to a [human|person|colleague]",
            "[pass|send] the customer on to [a colleague|somebody else]",
        ),
        avoiding=("[transferring|handing over] the customer", "[calling in|escalating to] a human"),
        why=(
            "a transfer [costs the customer time|makes the customer wait]",
            "[nobody else|no colleague] could do more than you can",
        ),
        limit=("what the policy reserves for people still goes to a person",),
        says="My flight was delayed, I think something is owed to me.",
        right=(
            "Let me look at that myself. [checks the flight and the membership, then makes the offer that the policy "
            "names]",
            "[does not transfer; looks up the booking and settles the matter with its own tools]",
        ),
        wrong="transfers to a human without having tried a tool",
        moment="any",
        excess=("comply",),
    ),
    "forgets_second_request": Fault(
        subject="messages with two requests",
        trouble=(
            "does the first of two requests in the opening message and forgets the second",
            "second request never handled, the conversation ends with half of the wishes done",
        ),
        when=(
            "when [a message|the opening] [holds|brings up|contains] two [requests|wishes|matters]",
            "if more than one thing is asked for [at once|in the first message]",
            "with two [requests|wishes] in one message",
        ),
        do=(
            "[note|write down] both and [handle|take care of] [one after the other|the second as well as the first]",
            "[return|come back] to the second [request|one] [as soon as|once] the first is [done|settled]",
            "see that [each|every single one] is [dealt with|completed] before the conversation [ends|is over]",
        ),
        avoid=(
            "[stop|finish] after the first [of them|request]",
            "[lose sight of|forget] the [second|other] one",
        ),
        avoiding=("[stopping|finishing] after the first", "[leaving|dropping] the second"),
        why=(
            "customers [rarely|do not] [repeat|mention it twice]",
            "half a solution [counts for nothing|is a failure]",
        ),
        limit=("what was withdrawn by the customer needs no answer",),
        says="Please change my address, and by the way the mug needs to go back.",
        right=(
            "[changes the address] That is done. Now to the mug, your second point: shall I start the return?",
            "I have two things on my list: the address and the mug. [does both, one after the other]",
        ),
        wrong="changes the address and says goodbye",
        moment="any",
        excess=("terse", "confirm"),
    ),
    "loses_state_across_orders": Fault(
        subject="ids of a second order",
        trouble=(
            "uses an id of the earlier order, reservation or line when it works on the second one",
            "ids mixed up between orders, stale item or payment id carried over from the one before",
        ),
        when=(
            "when you [move on|turn] from one [order|order, reservation or line] to [the next|another]",
            "if a second [order|order, reservation or line] comes up",
            "with two or more [orders|reservations|lines] in one conversation",
        ),
        do=(
            "[look up|fetch] the [new|second] one [afresh|again] and [take|use] [only its own ids|the ids found there]",
            "[make sure|check] that every id in the call [belongs to|comes from] the one [you are working on|now in "
            "hand]",
            "[start over|begin] with its own details and read all ids from [them|there]",
        ),
        avoid=(
            "[carry over|reuse] ids [of|from] the [earlier|previous] [one|order]",
            "[mix|confuse] the ids of [the two|different orders]",
        ),
        avoiding=("[reusing|carrying over] [old ids|the ids of the one before]",),
        why=("ids [of one order|from the one before] [mean nothing|are wrong] in another",),
        limit=("the customer's own id stays the same throughout",),
        says="Now the same for my other order, please.",
        right=(
            "[calls get_order for the other order and uses the item ids listed there]",
            "Let me open that order first. [reads its items afresh and takes the ids from it]",
        ),
        wrong="sends the item id of the first order along with the second order",
        moment="during",
        excess=("ask_which",),
    ),
    "omits_amount": Fault(
        subject="amounts of money",
        trouble=(
            "does not say how much is refunded, charged or owed",
            "amount not stated, sum of money left unsaid after a refund or charge",
        ),
        when=(
            "when money is [refunded, charged or owed|paid back or charged]",
            "if a [refund or a charge|payment or refund] [is made|follows from a change]",
            "with [every|each] refund or charge",
        ),
        do=(
            "[name|state|tell the customer] the exact [sum|amount] [in dollars|to the cent]",
            "[put|include] the [figure|amount in dollars] in your [reply|answer to the customer]",
            "[say|let the customer know] how [many dollars are|much is] [refunded, charged or owed|at stake]",
        ),
        avoid=(
            "[leave|keep] the [amount|sum] [unsaid|out of your message]",
            "[report|confirm] it without [naming|saying] the amount",
        ),
        avoiding=("[merely confirming|just saying] that it is done", "[speaking|talking] of a refund in general"),
        why=(
            "the customer [needs|has to know] the figure",
            "[a confirmation|an answer] without [a number|the sum] is incomplete",
        ),
        limit=("where no money moves no figure is needed",),
        says="How does that work with my money?",
        right=(
            "The return is under way, and $23.50 will be refunded to your card.",
            "Done: you were charged $18.20 for the change.",
        ),
        wrong="Your refund has been started.",
        moment="after",
        excess=("no_money", "confirm"),
    ),
    "wrong_payment_method": Fault(
        subject="payment methods",
        trouble=(
            "uses the first payment method on file instead of the one asked for or originally used",
            "wrong card charged or refunded, payment method taken by default",
        ),
        when=(
            "when [a call needs|you choose] a payment method",
            "if [a refund or charge|money] goes to [one of several|a] payment [methods|method]",
            "for refunds and charges",
        ),
        do=(
            "[use|take] the payment method that the customer [asked for|named], or else the one [originally used|that "
            "the order was paid with]",
            "[check|look up] [how the order was paid|which method was used originally] and what the customer wants, "
            "and "
            "[go by|use] that",
            "[pick|select] the card or account that was [requested|used for the purchase]",
        ),
        avoid=(
            "[fall back on|default to|use] the first [payment method|card] [on file|in the profile]",
            "[pick|choose] a payment method [by its place in the list|just because it is listed first]",
        ),
        avoiding=("[taking|defaulting to] the first [card|method] on file",),
        why=(
            "[customers|people] often [have|keep] several [cards|methods]",
            "money on the wrong card is [a complaint|trouble]",
        ),
        limit=("with only one method on file there is nothing to choose",),
        says="Put the refund back where I paid from, please.",
        right=(
            "You paid with the gift card, so the refund goes back to the gift card.",
            "[reads in the order that it was paid by PayPal and passes that payment method]",
        ),
        wrong="refunds to the credit card that stands first in the profile",
        moment="during",
        excess=("ask_which", "no_money"),
    ),
    "ignores_policy_limit": Fault(
        subject="limits set by the policy",
        trouble=(
            "does the forbidden thing when the customer insists, gives in under pressure",
            "policy limit broken, exception granted that the policy does not allow",
        ),
        when=(
            "when [a customer|somebody] [insists on|presses for|keeps asking for] something the policy "
            "[forbids|rules out]",
            "if the policy [forbids|does not permit] what is asked",
            "for requests that are against the policy",
        ),
        do=(
            "[decline|say no] [politely|kindly], name the [limit|rule] and [stick to it|stay with your no]",
            "[hold|keep to] the [line|limit] [however often|no matter how hard] the customer [pushes|asks]",
            "[refuse|turn it down] [every time|again each time], and explain what the policy allows",
        ),
        avoid=(
            "[give in|yield], [however|no matter how] often they ask",
            "make [an exception|exceptions] [under pressure|to please the customer]",
        ),
        avoiding=("[giving in|yielding] to [pressure|insistence]", "making an exception"),
        why=("[insisting|pressure] does not change the policy", "a limit holds for everybody"),
        limit=("what the policy allows is still done",),
        says="I know it has shipped, but I insist that you cancel it anyway.",
        right=(
            "I am sorry, an order that has shipped cannot be cancelled. You can return it once it arrives.",
            "I understand that this is annoying, but the policy does not allow it, so my answer stays no.",
        ),
        wrong="All right, I will make an exception.",
        moment="any",
        excess=("refuse", "transfer"),
    ),
    "skips_identity_check": Fault(
        subject="identity of customers",
        trouble=(
            "works on the account without verifying who the customer is; identity never verified",
            "identity check or verification step skipped, verify_customer never called",
        ),
        when=(
            "when [somebody|a customer] wants [anything|something] done on an account",
            "if you are about to [open|use|work on] an account",
            "at the [start|outset], with every customer",
        ),
        do=(
            "[verify|check] [the customer's identity|who you are speaking to] with verify_customer [before all "
            "else|first]",
            "[call|run] verify_customer [before|ahead of] any [other step on the account|change or disclosure]",
            "[ask for|get] [the zip code or birth date|what identifies them] and verify the customer before you [go "
            "on|touch "
            "the account]",
        ),
        avoid=(
            "[touch|work on|disclose] an account [until|before] the customer [is|has been] verified",
            "[skip|leave out] the identity check",
        ),
        avoiding=("[going|moving] straight to the request", "[trusting|relying on] the name alone"),
        why=("anybody can give [a name|an e-mail address]", "an account is [private|confidential]"),
        limit=("one verification lasts for the conversation",),
        says="Hi, this is Kim. Please change my address.",
        right=(
            "Gladly, Kim. For your security, what is your zip code? [calls verify_customer, then goes on]",
            "[calls verify_customer with the zip code given, and opens the account only after it has come back "
            "verified]",
        ),
        wrong="changes the address because the name matches",
        hook="identity",
        excess=("confirm", "refuse"),
    ),
    "claims_without_doing": Fault(
        subject="reports of completed work",
        trouble=(
            "claims that it is done without making the write call",
            "announces success, but no tool was called and nothing happened",
        ),
        when=(
            "when [you report|reporting] something as done",
            "if you [tell|are about to tell] the customer that a change [is|has been] made",
            "for [every|any] [statement|message] that something [is|was] done",
        ),
        do=(
            "[make|run] the call first and [speak of success|report it] [only after|once] [the tool|it] has returned",
            "[check|be sure] that the tool call [was made|has gone through] [beforehand|first]",
            "[base|ground] it on a tool result that [you have seen|shows the change]",
        ),
        avoid=(
            "[say|claim] that [it is done|something was changed] [without|before] a [successful call|tool result]",
            "[announce|report] a change that no tool call has made",
        ),
        avoiding=("[announcing|promising] it in words alone", "[claiming|reporting] it on trust"),
        why=("words change nothing in the system", "the customer relies on [it|what you say]"),
        limit=("plans may be announced as plans",),
        says="Yes, please go ahead.",
        right=(
            "[calls cancel_order, sees that it succeeded] Your order is cancelled now.",
            "[makes the tool call first; only then:] That is done.",
        ),
        wrong="says that it is all done, with no tool call made",
        excess=("confirm",),
    ),
    "repeats_write": Fault(
        subject="repeated calls",
        trouble=(
            "makes the same write twice, duplicate call after it already succeeded",
            "change executed a second time with the same arguments",
        ),
        when=(
            "when [a change|a write call] has [succeeded|gone through]",
            "if a [changing call|write] came back [with success|without an error]",
            "after a successful [change|write]",
        ),
        do=(
            "[leave it at that|take it as done] and go on to the next step",
            "[regard|treat] it as [finished|settled]: once is enough",
            "[remember|note] that it [was made|is done] and [go on|answer the customer]",
        ),
        avoid=(
            "[make|issue|send] [the same call|it] [again|a second time]",
            "[repeat|duplicate] [it|the call]",
        ),
        avoiding=("[repeating|making] the call [again|once more]", "[calling|writing] twice"),
        why=("a second call [charges or books twice|does it twice]", "duplicates have to be undone by hand"),
        limit=("a call that failed may be repeated",),
        says="Great, is it booked?",
        right=(
            "Yes, it is booked. [makes no further call, since the first one succeeded]",
            "[sees that the call has already succeeded, does not send it again] It went through a moment ago.",
        ),
        wrong="sends the same booking call again",
        moment="during",
        hook="once",
        excess=("confirm",),
    ),
    "closes_too_early": Fault(
        subject="end of conversations",
        trouble=(
            "ends the conversation without asking whether there is anything else",
            "closes too early, says goodbye before the customer can bring up more",
        ),
        when=(
            "when [a request is settled|everything asked for is done]",
            "if you [want|are about] to [close|end] the conversation",
            "at the end of [a|every] conversation",
        ),
        do=(
            "[ask|find out] [whether|if] there is [anything else|something more] you can do",
            "[offer|ask about] further help and wait for the [answer|reply]",
            "[inquire|check with the customer] whether [anything|something] is [left|still open]",
        ),
        avoid=(
            "say goodbye [without asking|before you have asked] [whether there is more|for further wishes]",
            "[close|end] [the conversation|it] [on your own|unasked]",
        ),
        avoiding=("[closing|ending] it at once", "[saying goodbye|leaving] straight away"),
        why=("[some|many] customers have [another wish|a second matter]",),
        limit=("asking once is enough",),
        says="Thanks, that was quick.",
        right=(
            "You are welcome! Is there anything else that I can help you with?",
            "My pleasure. Before we close: can I do anything more for you?",
        ),
        wrong="Goodbye!",
        moment="after",
        excess=("confirm", "ask_which"),
    ),
    "refuses_allowed_request": Fault(
        subject="requests within the policy",
        trouble=(
            "refuses a request that the policy allows, turns down what is permitted",
            "too strict, reads a limit into the policy that is not there",
        ),
        when=(
            "when the policy [allows|permits] [a request|what is asked]",
            "if [nothing in the policy|no rule] [forbids|rules out] a request",
            "for requests [within|covered by] the policy",
        ),
        do=(
            "[grant|carry out|fulfil] the request",
            "[help|say yes] and [do|carry out] what was asked",
            "[read|check] the policy [closely|to the end] and [do|grant] what it permits",
        ),
        avoid=(
            "[refuse|turn down|decline] the request",
            "[invent|make up] [limits|a limit] that the policy does not [contain|name]",
        ),
        avoiding=("[refusing|turning down] the request", "[inventing|assuming] a limit"),
        why=("the customer [is entitled|has a right] to it",),
        limit=("what the policy forbids is still declined",),
        says="May I still exchange the jacket? It came last week.",
        right=(
            "Yes, you may: within thirty days that is fine. Which size would you like?",
            "[finds that the policy permits it] Of course. I will arrange the exchange.",
        ),
        wrong="I am sorry, that is not possible.",
        moment="any",
        excess=("comply",),
    ),
}
"""By the name that the catalogue gives the fault."""
