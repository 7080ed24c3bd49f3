"""What is said about faults at the shop."""

from __future__ import annotations

from sigmaloop.simulation.specialists.wording.fault import Fault

RETAIL: dict[str, Fault] = {
    "wrong_variant": Fault(
        subject="variants of a product",
        trouble=(
            "new item matches only one of the options asked for, wrong variant chosen",
            "colour, size or material of the chosen variant is not what the customer wanted",
        ),
        when=(
            "when [choosing|you select] a [new item|variant] [for an exchange|from the list]",
            "if the customer [names|asks for] [several|certain] options, such as size and colour",
            "for [every|each] [exchange|change of an item]",
        ),
        do=(
            "[take|choose] the variant that [agrees with|matches] [all options asked for|every option], [one by "
            "one|without "
            "exception]",
            "[go through|check] [each|every] option and [leave|keep] [those|the options] not mentioned as they "
            "[are|were]",
            "[compare|match] colour, size and [all the rest|every other option] [with|to] the [wish|request]",
        ),
        avoid=(
            "[be content with|accept] a variant that [matches|fits] [only|just] one [option|of the options]",
            "[pick|choose] a variant by a single option",
        ),
        avoiding=("[matching|going by] one option only", "[taking|picking] the first that is nearly right"),
        why=("one wrong option makes it the wrong [item|product]",),
        limit=("options the customer leaves open stay those of the old item",),
        says="I'd like this shirt in blue, size M, and cotton as before.",
        right=(
            "[lists the variants, takes the one that is blue and M and cotton] I have the blue cotton one in M.",
            "Blue, M, cotton: there is exactly one such variant. Shall I exchange your shirt for it?",
        ),
        wrong="takes a blue one in size S",
        excess=("ask_which",),
    ),
    "picks_unavailable_variant": Fault(
        subject="availability of items",
        trouble=(
            "chooses a variant that is not available, out of stock, and leaves it at the refusal",
            "stock or availability of the variant not checked",
        ),
        when=(
            "when [choosing|offering|you pick] a [variant|new item]",
            "if [a variant|an item] is to replace another",
            "for exchanges and changes of items",
        ),
        do=(
            "[check|look] [whether|if] it is [available|in stock] and, if [it is not|not], [offer|suggest] one that is",
            "[take|choose] [only from|among] the variants [marked as|that are] available",
            "[read|look at] the availability [first|before you offer it]; [one|a variant] that is out of stock is no "
            "choice",
        ),
        avoid=(
            "[choose|offer|take] [a variant|one] that is [out of stock|unavailable]",
            "[pick|select] without [a look at|checking] the stock",
        ),
        avoiding=("[choosing|taking] something unavailable", "[relying|counting] on it being in stock"),
        why=("the call is refused for [items|variants] out of stock",),
        limit=("a plain return needs no look at the stock",),
        says="Can I have the same lamp in green?",
        right=(
            "Green is out of stock at the moment, but white is available. Would that suit you?",
            "[lists the variants, sees that the green one is available, and only then offers it]",
        ),
        wrong="sends the exchange for a lamp that is out of stock",
        excess=("refuse",),
    ),
    "returns_whole_order": Fault(
        subject="returns of single items",
        trouble=(
            "returns all items of an order where one was meant",
            "sends back the whole order, more items than the customer asked to return",
        ),
        when=(
            "when a customer [returns|wants to return] [something|an item] from an order",
            "if [only some|one or some] [items|articles] of an order are to go back",
            "for returns from an order [with|of] several items",
        ),
        do=(
            "[put|enter] [nothing but|only] the items [named|mentioned] in the return",
            "[list|pass] [exactly|just] the items that the customer [wants to send back|spoke of]",
            "[restrict|limit] the return to what was [asked for|named]",
        ),
        avoid=(
            "[return|send back] [the whole order|everything in the order]",
            "[include|add] items [nobody mentioned|that were not mentioned]",
        ),
        avoiding=("[returning|sending back] [all items|the entire order]",),
        why=("the customer [keeps|wants to keep] the [rest|other items]",),
        limit=("where the customer says everything, everything goes back",),
        says="The mug is chipped, I want to give it back. The plates are lovely.",
        right=(
            "[calls return_items with the mug alone] The return of the mug is started; you keep the plates.",
            "Only the mug goes back, the rest of the order stays with you. Is that right?",
        ),
        wrong="returns mug, plates and bowl",
        moment="during",
        excess=("ask_which", "confirm"),
    ),
    "guesses_cancel_reason": Fault(
        subject="reasons of a cancellation",
        trouble=(
            "fills in a cancellation reason that the customer never gave",
            "reason for cancelling guessed or invented, the customer was not asked",
        ),
        when=(
            "when an order is to be cancelled",
            "if a cancellation [needs|requires] a reason",
            "for [every|each] cancellation",
        ),
        do=(
            "[ask|find out from] the customer [why|for what reason] and [enter|pass on] [that answer|their reason]",
            "[get|obtain] the reason from the customer and [use|pass] it as [given|it was said]",
            "let the customer [name|tell you] the reason",
        ),
        avoid=(
            "[fill in|enter] a reason [of your own|that nobody gave]",
            "[guess|invent|assume] [the|a] reason",
        ),
        avoiding=("[guessing|making one up]", "[entering|picking] a likely one"),
        why=("only the customer knows [it|the reason]",),
        limit=("a reason already given need not be asked for again",),
        says="Please cancel my order.",
        right=(
            "I can do that. May I ask for what reason: no longer needed, or ordered by mistake?",
            "Why would you like to cancel it? [waits, then passes the answer as the reason]",
        ),
        wrong='cancels with the reason "no longer needed", though nobody said so',
        excess=("confirm", "ask_which"),
    ),
    "splits_exchange": Fault(
        subject="exchanges of several items",
        trouble=(
            "exchanges or changes items one by one, so that the second call is refused",
            "several exchange or modify calls for one order where one call is allowed",
        ),
        when=(
            "when [several|two or more] items of an order are to be exchanged or [changed|modified]",
            "if an exchange or [change|modification] concerns more than one item",
            "for exchanges and modifications",
        ),
        do=(
            "[collect|gather] all [items|of them] and [put|pass] them [into|in] [one|a single] call",
            "[make|send] [one|a single] call with [the complete list|all the items]",
            "[ask|find out] what else is to change, then [do|send] everything together, in one call",
        ),
        avoid=(
            "[exchange|change] them one [at a time|by one]",
            "[split|spread] [them|the items] over [several|two] calls",
        ),
        avoiding=("[handling|sending] them one by one", "[making|using] a call for each"),
        why=("the [shop|system] [takes|accepts] only one such call [an|per] order",),
        limit=("different orders get a call each",),
        says="I want the shirt in M, and the trousers in black.",
        right=(
            "[collects both and sends a single exchange call with shirt and trousers]",
            "Both go into one exchange: shirt in M, trousers in black. Anything else from that order?",
        ),
        wrong="exchanges the shirt, then the trousers in a second call, which is refused",
        excess=("confirm",),
    ),
    "drops_address_line": Fault(
        subject="addresses",
        trouble=(
            "leaves out the second address line with apartment or suite",
            "incomplete address entered, unit number lost",
        ),
        when=(
            "when an address is [changed|entered]",
            "if [the customer gives|an address has] [an apartment, suite or unit|a second line]",
            "with [every|each] [new|change of] address",
        ),
        do=(
            "[fill in|enter] the second line [as well|too], with apartment, suite or unit",
            "[copy|pass on] the address in full, [apartment or suite|the second line] included",
            "[give|pass] apartment, suite or unit as line2",
        ),
        avoid=(
            "[drop|leave out|forget] the [apartment or suite|second line]",
            "[shorten|cut] [it|the address] to street and city",
        ),
        avoiding=("[shortening|cutting] it to street and city", "[passing|entering] the street alone"),
        why=("a parcel without it [does not arrive|comes back]",),
        limit=("where there is none, the line stays empty",),
        says="I moved to 12 Elm Street, apartment 4B, Springfield.",
        right=(
            "[changes the address with line1 12 Elm Street and line2 apartment 4B]",
            "The new address is 12 Elm Street, apartment 4B, Springfield. Shall I save it?",
        ),
        wrong="saves 12 Elm Street, Springfield",
        moment="during",
        excess=("confirm",),
    ),
    "omits_refund_timing": Fault(
        subject="duration of refunds",
        trouble=(
            "does not say how long the refund takes",
            "refund timing unsaid, no word about the days until the money arrives",
        ),
        when=(
            "when [a refund|money] is [on its way|paid back]",
            "if a [change|cancellation or return] [leads to|brings] a refund",
            "with [every|any] refund",
        ),
        do=(
            "[say|tell the customer|mention] [how long it takes|how many days it takes] until the money [arrives|is "
            "there]",
            "[add|include] [the time it takes|the number of business days]",
            "[let the customer know|state] when the [refund|money] will [arrive|be on the account], in days",
        ),
        avoid=(
            "[leave the customer in the dark|keep quiet] about how long it takes",
            "[end|close] without [a word on|naming] the time it takes",
        ),
        avoiding=("[keeping quiet|saying nothing] about the time", "[just|merely] confirming the refund"),
        why=("[people|customers] [wait for|count on] their money",),
        limit=("no refund, no timing",),
        says="And when do I see my money again?",
        right=(
            "The refund to your credit card takes five to seven business days.",
            "$30 go back to your PayPal account; that takes about five business days.",
        ),
        wrong="The refund is on its way.",
        moment="after",
        excess=("no_money",),
    ),
    "sums_wrong": Fault(
        subject="totals",
        trouble=(
            "forgets shipping or discount when it adds up a total",
            "wrong sum stated for an order, fee left out of the calculation",
        ),
        when=(
            "when you [add up|work out|state] a total",
            "if the customer asks [what an order costs|for the total] [altogether|in all]",
            "for [every|any] [sum|total] of an order",
        ),
        do=(
            "[add|include] the shipping and [take off|subtract] the discount",
            "[reckon|calculate] prices plus shipping less discount",
            "[count|take in] [everything|all parts]: items, shipping, discount",
        ),
        avoid=(
            "[leave out|forget] shipping or discount",
            "[add up|sum] [just|only] the [prices of the items|item prices]",
        ),
        avoiding=("[adding|summing] up the item prices alone",),
        why=("the total is [more] than the prices",),
        limit=("the price of a single item is told as it stands",),
        says="What did the order cost me in all?",
        right=(
            "Items $40, shipping $5, discount $3: that makes $42 in total.",
            "[adds up the prices, adds the shipping, subtracts the discount] Altogether $42.",
        ),
        wrong="$40, with neither shipping nor discount",
        moment="during",
        excess=("terse",),
    ),
}
"""By the name that the catalogue gives the fault."""
