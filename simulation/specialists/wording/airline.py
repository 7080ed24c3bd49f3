"""What is said about faults at the airline."""

from __future__ import annotations

from sigmaloop.simulation.specialists.wording.fault import Fault

AIRLINE: dict[str, Fault] = {
    "not_cheapest_flight": Fault(
        subject="choice of flights",
        trouble=(
            "takes the first flight found instead of the cheapest",
            "prices of the flights not compared, a lower fare was in the search result",
        ),
        when=(
            "when [a search|the search] [finds|returns] several flights",
            "if the customer wants the [cheapest|least expensive] flight",
            "for [bookings|every booking] from a list of flights",
        ),
        do=(
            "[compare|look at] all [fares|prices] and [take|book] the [lowest|cheapest] [that fits|suitable flight]",
            "[go through|read] the [whole|entire] list and [choose|pick] the flight with the lowest [fare|price]",
            "[rank|sort] the suitable flights by price and [book|take] the cheapest",
        ),
        avoid=(
            "[book|take] the first flight [in|of] the [list|result]",
            "[decide|book] before [all|the] [prices|fares] are compared",
        ),
        avoiding=("[booking|taking] the first [hit|flight listed]",),
        why=("the list is not sorted by [price|fare]",),
        limit=("a flight that the customer picked by name is booked as wished",),
        says="Just get me the cheapest one on Friday.",
        right=(
            "[reads all five fares] The cheapest is the one at 14:10 for $96. Shall I book it?",
            "There are flights at $140, $96 and $120; I would take the one at $96.",
        ),
        wrong="books the first in the list, at $140",
        excess=("ask_which",),
    ),
    "downgrade_without_refund": Fault(
        subject="downgrades",
        trouble=(
            "changes to a lower cabin and forgets to refund the fare difference",
            "cabin downgrade without refund of the difference",
        ),
        when=(
            "when [a cabin is changed|somebody changes] to a lower one",
            "if a booking is downgraded",
            "after [every|a] downgrade",
        ),
        do=(
            "[refund|pay back] the [difference in fare|fare difference] [as well|in a call of its own]",
            "[complete|follow up] [the change|it] with a refund of the [price|fare] difference",
            "[make|see to] the refund of what the lower cabin costs less",
        ),
        avoid=(
            "[stop|leave it] at the change of cabin",
            "[forget|skip|omit] the refund of the difference",
        ),
        avoiding=("[stopping|ending] with the cabin change", "[expecting|assuming] that it refunds itself"),
        why=("the difference is not refunded [by itself|automatically]",),
        limit=("an upgrade is charged, not refunded",),
        says="Economy will do for me after all.",
        right=(
            "[changes the cabin, then calls refund_payment with the difference] You get $120 back.",
            "Your seat is in economy now, and I have refunded the difference of $120.",
        ),
        wrong="changes the cabin and leaves it there",
        moment="after",
        excess=("no_money",),
    ),
    "insurance_wrong_leg": Fault(
        subject="insurance of a leg",
        trouble=(
            "adds the insurance to the first leg instead of the one asked for",
            "wrong leg or segment insured",
        ),
        when=(
            "when insurance is [added|wanted] for [one leg|a leg] of a trip",
            "if the customer wants one flight of [several|the trip] insured",
            "with insurance for [a single leg|part of a trip]",
        ),
        do=(
            "[find out|check] which leg is meant and [add it|put the insurance] on [that one|this leg]",
            "[insure|cover] [precisely|exactly] the leg that was [named|asked for]",
            "[match|compare] [the legs with the request|the customer's words with the legs] and insure the [one|leg] "
            "that fits",
        ),
        avoid=(
            "[insure|add it to] the first leg [by default|as a matter of course]",
            "[assume|suppose] that the [outbound|first] leg is meant",
        ),
        avoiding=("[insuring|taking] the first leg", "[going|defaulting] to leg one"),
        why=("insurance on another leg [covers nothing|is worthless]",),
        limit=("for the whole trip every leg is insured",),
        says="Insurance for the flight back, please.",
        right=(
            "[finds that the flight back is leg 2 and passes leg 2] Your flight home is insured.",
            "That is the second leg, from Rome to Oslo. I will insure that one.",
        ),
        wrong="insures leg 1",
        moment="during",
        excess=("ask_which",),
    ),
    "charges_free_bags": Fault(
        subject="bags",
        trouble=(
            "charges bags that are free by membership and cabin",
            "free baggage allowance ignored, bags within it entered as paid",
        ),
        when=(
            "when bags are added",
            "if a customer [brings|adds|checks] [more|extra] bags",
            "for [all|any] added [bags|baggage]",
        ),
        do=(
            "[work out|look up] the free allowance [from|by] membership and cabin and charge [only|just] what "
            "[exceeds it|is "
            "above it]",
            "[count|enter] as paid [only|nothing but] the bags beyond the free ones of membership and cabin",
            "[subtract|take off] the free bags of the [membership|membership level] and cabin [first|before charging]",
        ),
        avoid=(
            "[charge|enter as paid] bags [within the allowance|that are free]",
            "[ignore|forget] the free allowance",
        ),
        avoiding=("[charging|billing] [all|every one] of them",),
        why=("[membership|the membership level] and cabin [give|include] free bags",),
        limit=("bags above the allowance are charged",),
        says="I am bringing two more suitcases. I am a gold member.",
        right=(
            "As a gold member in business you have three bags free, so these two cost nothing.",
            "[works out the allowance: one of the two is free, one is paid] One of them is free for you, the other "
            "is $50.",
        ),
        wrong="charges both",
        excess=("no_money", "comply"),
    ),
    "wrong_travel_date": Fault(
        subject="dates of travel",
        trouble=(
            "turns a weekday or relative day into the wrong date",
            "wrong travel date, calendar day miscounted",
        ),
        when=(
            "when [a customer|somebody] names a weekday or [a relative day|something like tomorrow] [for a flight|]",
            "if a day is given as [next Friday|a weekday] or in so many days",
            "with weekdays and relative days",
        ),
        do=(
            "[count|work] forward from today's date and [check|verify] the result",
            "[work out|compute] the [calendar date|exact date] from today's date, step by step",
            "[derive|calculate] the date from today's and [see|check] that the weekday [is right|fits]",
        ),
        avoid=(
            "[guess|estimate] the date",
            "[search or book|book] with a date that you have not counted out",
        ),
        avoiding=("[guessing|estimating] it",),
        why=("a [single day off|day too early or late] [is the wrong flight|makes the booking useless]",),
        limit=("a date given in full is used as it is",),
        says="I need to fly next Thursday.",
        right=(
            "[today is Monday the 4th, so next Thursday counts as the 7th] You mean Thursday the 7th, right?",
            "[counts from today's date to Thursday, checks it, then searches for that date]",
        ),
        wrong="searches for the 8th, which is a Friday",
        excess=("ask_which", "confirm"),
    ),
    "compensation_unchecked": Fault(
        subject="compensation",
        trouble=(
            "gives compensation without checking delay and eligibility",
            "voucher issued on the customer's word, flight status not looked up",
        ),
        when=(
            "when a customer [asks for|demands] compensation",
            "if a voucher is [to be issued|due] [for a delay|]",
            "for vouchers and [other|any] compensation",
        ),
        do=(
            "[check|look up] the delay [of the flight|] and whether the customer is [eligible|entitled] [first|before "
            "anything is issued]",
            "[look at|verify] flight status and eligibility, and [give|issue] it only if both [are confirmed|fit]",
            "[make sure|confirm with a look-up] that the flight was delayed and the customer [qualifies|is eligible]",
        ),
        avoid=(
            "[issue|give] [one|it] on the customer's word [alone|]",
            "[promise|grant] [anything|compensation] [before|until] delay and eligibility are checked",
        ),
        avoiding=("[taking|trusting] the customer's word for it", "[issuing|paying] it at once"),
        why=("not every delay [counts|qualifies]", "[vouchers|money] given away cannot be taken back"),
        limit=("who is eligible gets it without further questions",),
        says="My flight was three hours late, I want a voucher.",
        right=(
            "[calls get_flight: delayed 190 minutes; checks the membership: eligible] I can offer you a voucher of "
            "$100.",
            "Let me check the flight first. [the flight was on time] I see no delay, so I cannot issue a voucher.",
        ),
        wrong="issues the voucher at once",
        hook="looked",
        look="get_flight",
        excess=("no_money", "refuse"),
    ),
    "ignores_passenger_count": Fault(
        subject="bookings with several passengers",
        trouble=(
            "counts one passenger where there are several",
            "amount calculated per person, number of passengers ignored",
        ),
        when=(
            "when a [reservation|booking] has [several|two or more] [passengers|travellers]",
            "if [more than one person travels|two or more travel]",
            "for [amounts|prices and refunds] [of|in] a reservation",
        ),
        do=(
            "[multiply|reckon] [every|the] amount by the number of passengers",
            "[count|take into account] all passengers in [prices|prices, bags and refunds]",
            "[work out|state] the total for [all|every one] of them, [price per person times passengers|not per head]",
        ),
        avoid=(
            "[calculate|reckon] for [one|a single] [person|passenger]",
            "[take|use] the price per person as the [total|whole]",
        ),
        avoiding=("[calculating|reckoning] for one [passenger|person]", "[stating|using] the price per person"),
        why=("[fares|prices] are [listed|given] per person",),
        limit=("for one traveller the price stands as it is",),
        says="What does the upgrade cost the three of us?",
        right=(
            "$80 each, so $240 for the three of you.",
            "[reads that the reservation has three passengers, multiplies by three] Altogether $240.",
        ),
        wrong="$80",
        moment="during",
        excess=("confirm",),
    ),
    "changes_one_leg_only": Fault(
        subject="changes of a whole trip",
        trouble=(
            "changes one leg where the whole trip was meant",
            "outbound flight changed, return leg left as it was",
        ),
        when=(
            "when a [trip|round trip] is changed",
            "if [a change of cabin or flight|the change] is meant for the [whole|entire] trip",
            "for changes [of|to] a trip with several legs",
        ),
        do=(
            "[include|change] [every leg|all legs], [out and back|the way back included]",
            "[apply|extend] [it|the change] to [all|each] of the legs",
            "[pass|enter] outbound and return [together|both]",
        ),
        avoid=(
            "[stop|leave it] at [one|the first] leg",
            "[forget|overlook] the [way back|return leg]",
        ),
        avoiding=("[changing|moving] one leg [only|alone]",),
        why=("a trip is [out and back|more than the outbound flight]",),
        limit=("a customer who names a single leg gets that leg changed",),
        says="Please put us into business for the trip.",
        right=(
            "[changes the cabin on the outbound and on the return leg] You fly business both ways.",
            "I would change both legs, there and back, to business. Is that right?",
        ),
        wrong="changes only the flight out",
        moment="during",
        excess=("ask_which",),
    ),
}
"""By the name that the catalogue gives the fault."""
