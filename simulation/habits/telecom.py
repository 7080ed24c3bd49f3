"""Habits that strike in telecom."""

from __future__ import annotations

from sigmaloop.simulation.habits.habit import Habit

TELECOM: tuple[Habit, ...] = (
    Habit(
        id="reboot_before_line_check",
        domain="telecom",
        rate=0.059,
        wrong="Sends the customer to restart the phone before the line has been checked.",
        mechanism="reboot before line check",
        symptom="The first advice is a restart; the status of the line is looked at late or never.",
        cause="The agent troubleshoots the device before it has checked the status of the line.",
        remedy="Check the status of the line before you ask the customer to restart the phone.",
    ),
    Habit(
        id="data_limit_versus_roaming",
        domain="telecom",
        rate=0.066,
        wrong="Takes missing roaming for a used-up data allowance, or the other way round.",
        mechanism="data limit mistaken for roaming",
        symptom="Data is added although roaming was off, or roaming is switched on although the allowance was used up.",
        cause="The agent does not tell a used-up data allowance from disabled roaming.",
        remedy="When data does not work, check both the data usage against the limit and the roaming setting, and "
        "mend the one that is the cause.",
    ),
    Habit(
        id="ignores_overdue_bill",
        domain="telecom",
        rate=0.066,
        wrong="Resumes or changes a line although a bill is overdue.",
        mechanism="overdue bill ignored",
        symptom="A line is handled without the overdue bill being looked at or paid.",
        cause="The agent does not look for overdue bills before it acts on a suspended line.",
        remedy="Check for overdue bills and have them paid before resuming a suspended line.",
    ),
    Habit(
        id="wrong_line",
        domain="telecom",
        rate=0.134,
        wrong="Takes the primary line of several instead of the one that was named.",
        mechanism="wrong line of several",
        symptom="The customer has several lines; the change is made on the primary one, another was named.",
        cause="The agent takes the primary line and does not match the phone number that the customer named.",
        remedy="With several lines act on the line whose phone number the customer named, not on the primary one.",
    ),
    Habit(
        id="plan_fee_unsaid",
        domain="telecom",
        rate=0.086,
        wrong="Does not say the fee of a plan change or of ending a contract.",
        mechanism="plan fee not stated",
        symptom="The plan is changed or the contract ended, but the fee was never mentioned.",
        cause="The agent does not tell the customer the fee that comes with a plan change or the end of a contract.",
        remedy="Tell the customer the fee of a plan change or of ending the contract before making it.",
    ),
    Habit(
        id="forgets_apn_reset",
        domain="telecom",
        rate=0.099,
        wrong="Leaves the APN settings as they were after a SIM or plan change.",
        mechanism="APN reset forgotten",
        symptom="Picture messages or data stay broken; the APN settings were never reset.",
        cause="The agent does not reset the APN settings, which a SIM or plan change leaves in a broken state.",
        remedy="After a SIM or plan change, and when picture messages fail, reset the APN settings.",
    ),
    Habit(
        id="pays_wrong_bill",
        domain="telecom",
        rate=0.046,
        wrong="Pays or disputes the newest bill instead of the one that was meant.",
        mechanism="wrong bill paid",
        symptom="The bill that is paid or credited is the newest one, the customer spoke of another.",
        cause="The agent takes the latest bill and does not match the month or amount that the customer named.",
        remedy="Pick the bill by the month or amount that the customer named, or the overdue one, not simply the "
        "latest.",
    ),
    Habit(
        id="wrong_data_amount",
        domain="telecom",
        rate=0.059,
        wrong="Adds the smallest data package instead of the amount asked for.",
        mechanism="wrong data amount added",
        symptom="The number of gigabytes added differs from what the customer asked for.",
        cause="The agent adds a standard package and does not compare it with the gigabytes asked for.",
        remedy="Add exactly the number of gigabytes that the customer asked for.",
    ),
)
