"""What is said about faults at the telephone company."""

from __future__ import annotations

from sigmaloop.simulation.specialists.wording.fault import Fault

TELECOM: dict[str, Fault] = {
    "reboot_before_line_check": Fault(
        subject="line trouble",
        trouble=(
            "sends the customer to restart the phone before the line has been checked",
            "reboot or restart advised too early, status of the line not looked at",
        ),
        when=(
            "when a customer [reports|has] [no service|trouble with the phone]",
            "if the phone [does not work|has no signal]",
            "with [complaints about|problems of] [service|a line]",
        ),
        do=(
            "[check|look at] the line with check_line [first|before any restart], and [suggest|advise] a restart "
            "only [then|"
            "afterwards]",
            "[begin|start] with the status of the line and [leave|keep] the restart for later",
            "[find out|establish] the state of the line [before|ahead of] asking for a restart",
        ),
        avoid=(
            "[ask|tell] the customer to [restart|reboot] [the phone|] [before|until] the line [is|has been] checked",
            "[begin|start] with a [restart|reboot]",
        ),
        avoiding=("[sending|asking] the customer to restart [the phone|]", "[starting|beginning] with a restart"),
        why=("a restart [does not help|is useless] [if|when] the line is [suspended|the trouble]",),
        limit=("once the line is found active a restart is in order",),
        says="I have had no signal since this morning.",
        right=(
            "[calls check_line: the line is active] Your line is fine, so please restart the phone once.",
            "Let me look at your line first. [calls check_line] It is suspended, that explains it.",
        ),
        wrong="Please switch the phone off and on again.",
        hook="looked",
        look="check_line",
        excess=("transfer", "retry"),
    ),
    "data_limit_versus_roaming": Fault(
        subject="trouble with mobile data",
        trouble=(
            "takes missing roaming for a used-up data allowance, or the other way round",
            "roaming and data limit confused, wrong cause of the data problem",
        ),
        when=(
            "when mobile data [does not work|fails|is gone]",
            "if a customer [has no|complains about] data",
            "for [problems|trouble] with data[, at home or abroad|]",
        ),
        do=(
            "[check|look at] [both|both things:] the data left and the roaming setting, and [mend|change] "
            "[only|just] the "
            "[one at fault|cause]",
            "find out [whether it is the allowance or roaming|which it is, used-up data or roaming switched "
            "off] before you [act|change anything]",
            "[read|look up] remaining data and roaming [first|before you decide]",
        ),
        avoid=(
            "[add data|switch roaming on] [on a guess|before both were checked]",
            "[decide on|assume] roaming or used-up data [unseen|without a look at both]",
        ),
        avoiding=("[guessing|assuming] the cause", "[trying|doing] one of them on a guess"),
        why=("[both|roaming and used-up data] look the same to the customer",),
        limit=("nothing needs mending that is in order",),
        says="I am in Spain and my internet does not work.",
        right=(
            "[reads the line: 4 GB left, roaming off] Roaming is switched off, I will turn it on.",
            "[sees that roaming is on and no data are left] Your data are used up; shall I add some?",
        ),
        wrong="adds data although plenty is left",
        hook="looked",
        look="get_line",
        excess=("ask_which", "comply"),
    ),
    "ignores_overdue_bill": Fault(
        subject="lines with unpaid bills",
        trouble=(
            "resumes or changes a line although a bill is overdue",
            "overdue or unpaid bill overlooked when the suspended line is resumed",
        ),
        when=(
            "when a [suspended|blocked] line is to be resumed",
            "if a line is to be resumed or changed",
            "for [resuming|changes to] a line",
        ),
        do=(
            "[check|look] for overdue bills [first|beforehand] and have them paid before [you go on|anything else]",
            "[see|make sure] that no bill is [overdue|unpaid]; [otherwise|if one is,] payment comes first",
            "[settle|get the customer to pay] [what is overdue|any overdue bill] [first|before the line is touched]",
        ),
        avoid=(
            "[resume|change] [it|the line] while a bill is [overdue|unpaid]",
            "[ignore|overlook] [overdue|unpaid] bills",
        ),
        avoiding=("[resuming|changing] it straight away", "[passing over|ignoring] the unpaid bill"),
        why=("the policy [allows|permits] it only with all bills paid",),
        limit=("a bill that is not yet due does not matter",),
        says="Please switch my line on again.",
        right=(
            "[finds a bill overdue since March] There is an unpaid bill of $35. Shall we pay it first?",
            "Before I resume the line the bill of $35 has to be paid. Which payment method shall I use?",
        ),
        wrong="resumes the line with the bill unpaid",
        hook="looked",
        look="get_bill",
        excess=("refuse", "no_money"),
    ),
    "wrong_line": Fault(
        subject="customers with several lines",
        trouble=(
            "takes the primary line of several instead of the one that was named",
            "works on the wrong line, phone number not matched",
        ),
        when=(
            "when [an account|a customer] has [several|two or more] lines",
            "if a [phone number|certain line] is [named|mentioned]",
            "with [several|two or more] lines on the account",
        ),
        do=(
            "[find|look for] the [line|one] with the number that was named and [work on|use] [that one|it]",
            "[compare|match] the [phone number|number] with [each|every] line [before you act|first]",
            "[act on|change] [exactly|only] the line that the customer [named|spoke of]",
        ),
        avoid=(
            "[take|use|work on] the [primary|first|main] line [by default|]",
            "[assume|suppose] that the [primary|main] line is meant",
        ),
        avoiding=("[taking|using] the [primary|main] one", "[defaulting|going] to the first line"),
        why=("the [line meant|one in trouble] is often [another|not the primary one]",),
        limit=("a single line needs no matching",),
        says="It's about my daughter's number, the one ending in 88.",
        right=(
            "[reads all lines, takes the one ending in 88] I have the line ending in 88 in front of me.",
            "You mean the third line, ending in 88. I will add the data there.",
        ),
        wrong="adds the data to the main line",
        excess=("ask_which",),
    ),
    "plan_fee_unsaid": Fault(
        subject="fees of plans and contracts",
        trouble=(
            "does not say the fee of a plan change or of ending a contract",
            "cost of the plan change or contract end unsaid",
        ),
        when=(
            "when [a plan is changed|a customer changes the plan] or a contract [is ended|ends]",
            "if [a new plan or the end of a contract|a plan change or an early end of the contract] costs something",
            "for plan changes and ended contracts",
        ),
        do=(
            "[name|state|mention] the fee [beforehand|before you make the change]",
            "[tell the customer|say] what [it will cost|the fee is], in dollars",
            "[let the customer know|make clear] [the fee|how high the fee is] [and wait for a yes|first]",
        ),
        avoid=(
            "[keep quiet about|leave out|pass over] the fee",
            "[change|end] [anything|it] without [naming|mentioning] the fee",
        ),
        avoiding=("[keeping|staying] silent about the cost",),
        why=("nobody likes [a surprise on the bill|hidden costs]", "the fee may change the customer's mind"),
        limit=("where there is no fee, say that it is free",),
        says="I would like to end my contract.",
        right=(
            "You can. Ending it now costs a fee of $60. Do you want that?",
            "The change to the larger plan has a fee of $10. Shall I make it?",
        ),
        wrong="ends the contract and says that it is done",
        excess=("no_money", "confirm"),
    ),
    "forgets_apn_reset": Fault(
        subject="settings after a SIM or plan change",
        trouble=(
            "leaves the APN settings as they were after a SIM or plan change",
            "APN not reset, settings not sent to the phone",
        ),
        when=(
            "when a SIM [is|was] replaced or a plan [is|was] changed",
            "if [the SIM or the plan|SIM or plan] has [changed|been changed]",
            "after [every|a] change of SIM or plan",
        ),
        do=(
            "[reset|renew] the APN settings [as well|too]",
            "[call|run] reset_apn [afterwards|as the next step]",
            "[follow|complete] it with a reset of the APN",
        ),
        avoid=(
            "[leave|keep] the [old APN settings|APN settings as they are]",
            "[forget|skip|omit] the reset of the APN",
        ),
        avoiding=("[stopping|ending] with the [change|SIM]", "[leaving|keeping] the old APN"),
        why=("with the old [APN|settings] [mobile data fail|the phone does not get online]",),
        limit=("without such a change the settings stay",),
        says="The new SIM is in the phone, thank you.",
        right=(
            "[calls reset_apn] I have reset the APN settings for the new SIM as well.",
            "Good. As the last step I reset the APN. [calls reset_apn]",
        ),
        wrong="Then you are all set.",
        moment="after",
        excess=("retry", "confirm"),
    ),
    "pays_wrong_bill": Fault(
        subject="choice of bills",
        trouble=(
            "pays or disputes the newest bill instead of the one that was meant",
            "wrong bill taken, month or amount not matched",
        ),
        when=(
            "when [a customer|somebody] wants to pay or dispute a bill",
            "if the account [holds|shows] [several|two or more] bills",
            "with [several|two or more] bills",
        ),
        do=(
            "[find|pick|look for] the bill [of the month|with the month or amount] that was [mentioned|named]",
            "[compare|match] month and amount [of each bill|] with [the customer's words|what was said], and "
            "[take|use] the "
            "one that [fits|agrees]",
            "[pay or dispute|handle] [exactly|only] the bill that the customer [means|described]",
        ),
        avoid=(
            "[take|pick] the [newest|latest|most recent] [bill|one] [by default|]",
            "[suppose|assume] that the [latest|newest] bill is meant",
        ),
        avoiding=("[taking|paying] the newest [one|bill]",),
        why=("the bill in question is often an older one",),
        limit=("where there is one bill only, that is it",),
        says="The bill of March is too high, I dispute it.",
        right=(
            "[goes through the bills, takes the one of March] I have the March bill of $61 here.",
            "You mean the March bill, not the one of May. I will open the dispute for March.",
        ),
        wrong="disputes the bill of May, the newest",
        moment="during",
        excess=("ask_which", "no_money"),
    ),
    "wrong_data_amount": Fault(
        subject="data packages",
        trouble=(
            "adds the smallest data package instead of the amount asked for",
            "wrong number of gigabytes booked",
        ),
        when=(
            "when [data are|a data package is] [added|booked]",
            "if a customer [asks for|orders] [more|a certain amount of] data",
            "for data packages",
        ),
        do=(
            "[add|book] [exactly|precisely] the [amount|number of gigabytes] that was [asked for|requested]",
            "[take|use] the number of gigabytes that the customer [named|wants]",
            "[pass|enter] the gigabytes as [requested|named by the customer]",
        ),
        avoid=(
            "[add|book] the smallest [package|amount] [by default|]",
            "[book|add] another amount than the customer [named|wanted]",
        ),
        avoiding=("[booking|adding] the smallest package", "[choosing|taking] an amount of your own"),
        why=("too little data [runs|run] out again", "the customer has named a number"),
        limit=("where no amount was named, ask for it",),
        says="Please add five gigabytes.",
        right=(
            "[calls add_data with 5 gigabytes] Five gigabytes are added.",
            "5 GB, as you asked: that costs $10. Shall I add them?",
        ),
        wrong="adds 1 GB",
        moment="during",
        excess=("ask_which",),
    ),
}
"""By the name that the catalogue gives the fault."""
