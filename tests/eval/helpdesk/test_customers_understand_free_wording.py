"""Over a hundred hand-written utterances, worded as very different agents would, and what customers answer."""

import pytest
from helpdesk_customers import CASES, IDENTITY, REFUSED, RETURN, TRIP, customer
from hypothesis import given, settings
from hypothesis import strategies as st

from sigmaloop.eval.benchmarks.helpdesk.customer.customer import MAX_TURNS, STAY, THANKS, WAIT, YES

FACTS = [
    # who
    ("return", "Could you give me the email address on your account?", {"email"}),
    ("return", "To get started I'd need your e-mail, please.", {"email"}),
    ("return", "Sure thing! What's your email?", {"email"}),
    (
        "return",
        "Happy to help with that return. May I have your email address, or alternatively your full name and ZIP?",
        {"email"},
    ),
    ("return", "Please provide your full name and zip code so that I can look you up.", {"name", "zip"}),
    ("return", "Thanks. And your postal code?", {"zip"}),
    ("return", "For security, tell me the zip on file please.", {"zip"}),
    ("return", "I just have to make sure it's you. What is your postcode?", {"zip"}),
    ("trip", "Before we go on: when were you born?", {"birth_date"}),
    ("trip", "Could you please confirm your date of birth (YYYY-MM-DD)?", {"birth_date"}),
    ("trip", "Your DOB, please.", {"birth_date"}),
    ("trip", "In order to proceed I will need to verify your identity by checking your birth date.", {"birth_date"}),
    ("return", "I'll need to verify your identity first.", {"email", "zip"}),
    ("trip", "Let me pull up your profile. Could you share the account details?", {"email", "birth_date"}),
    ("return", "Who am I speaking with?", {"name"}),
    ("return", "Can I get your name and the email you signed up with?", {"name", "email"}),
    (
        "return",
        "I couldn't find any account under that email. Could you tell me your name and zip instead?",
        {"name", "zip"},
    ),
    (
        "return",
        "Hmm, there's no customer with this address in our system. Is there another email, or your name plus zip code?",
        {"name", "zip"},
    ),
    ("return", "Is there a phone number I can look you up with? A contact number would do.", {"phone"}),
    (
        "return",
        "I'd be glad to help! To proceed, please send me:\n- your email\n- your zip code\n- the order number",
        {"email", "zip", "which"},
    ),
    ("return", "**Email** and **ZIP code**, please!", {"email", "zip"}),
    # which
    ("return", "Which order is this about?", {"which"}),
    ("return", "Do you happen to have the order number?", {"which"}),
    ("return", "I see three orders in your account and am not sure which one you mean.", {"which"}),
    ("return", "Would you mind telling me the order ID?", {"which"}),
    ("return", "What's the order # and the reason for the return?", {"which", "reason"}),
    ("trip", "What is your confirmation code?", {"which"}),
    ("trip", "You have several bookings with us. Which reservation would you like me to look at?", {"which"}),
    ("trip", "Got your reservation number handy?", {"which"}),
    ("line", "Which of your lines is affected?", {"which"}),
    ("line", "What is the phone number of the line that isn't working?", {"which"}),
    ("line", "Whose phone is it that has the trouble?", {"which"}),
    # retail
    ("return", "Which item would you like to send back?", {"item"}),
    ("return", "Do you want to return everything or just some of the items?", {"item"}),
    ("return", "Which products, and what made you decide to return them?", {"item", "reason"}),
    ("return", "May I ask why you want to return it?", {"reason"}),
    ("return", "For our records, what's the reason?", {"reason"}),
    ("return", "I am sorry to hear that! What was wrong with it, if I may ask?", {"reason"}),
    ("return", "What color and size would you like instead?", {"variant"}),
    ("return", "We have several versions. Tell me which option you'd prefer.", {"variant"}),
    ("return", "What should I exchange it for?", {"variant"}),
    ("return", "How would you like to be refunded?", {"payment"}),
    ("return", "Should the money go back to your card, or do you prefer a gift card?", {"payment"}),
    ("return", "Where should we send the refund?", {"payment"}),
    ("return", "I need to know which payment method to use for the price difference.", {"payment"}),
    ("return", "Let me know the new address, including any apartment number.", {"address"}),
    ("return", "Where should it be delivered to?", {"address"}),
    ("return", "What's the full street, city, state and zip of the place you moved to?", {"address"}),
    # airline
    ("trip", "On what date would you like to fly?", {"date"}),
    ("trip", "Which day suits you best?", {"date"}),
    ("trip", "When do you want to travel, and in which cabin?", {"date", "cabin"}),
    ("trip", "There are three flights that day. Which flight do you prefer?", {"flight"}),
    ("trip", "Any preference regarding the departure time?", {"flight"}),
    ("trip", "Economy or business?", {"cabin"}),
    ("trip", "Is that for the outbound or the return?", {"leg"}),
    ("trip", "For which leg should I add the insurance?", {"leg"}),
    ("trip", "Who will be travelling? I need the passengers' full names.", {"passenger"}),
    ("trip", "How many bags would you like to add?", {"bags"}),
    ("trip", "And how many extra suitcases, and what card shall we put the fee on?", {"bags", "payment"}),
    # telecom
    ("line", "Are you outside the country right now?", {"abroad"}),
    ("line", "Where are you at the moment, abroad or at home?", {"abroad"}),
    ("line", "Did you already try restarting the device?", {"tried"}),
    ("line", "Could you please turn the phone off and on again?", {"tried"}),
    ("line", "What exactly happens when you open a page?", {"symptom"}),
    ("line", "Can you describe the problem in a bit more detail?", {"symptom"}),
    ("line", "How much data shall I add?", {"amount"}),
    ("line", "How many gigabytes do you need?", {"amount"}),
    ("line", "Which plan did you have in mind?", {"plan"}),
    ("line", "Which month's bill are you referring to?", {"bill"}),
    # long-winded, indirect, several at once
    (
        "return",
        "Thanks for reaching out! To assist you with the return, could you please provide the following:\n"
        "1. Your email address (or your full name and zip code)\n2. The order number\n3. The reason for the return",
        {"email", "which", "reason"},
    ),
    (
        "return",
        "I can see that order or_48213 holds a mug, a lamp and a clock. Which of them would you like to return, and "
        "should the refund go to the original payment method or to a gift card?",
        {"item", "payment"},
    ),
    ("return", "To exchange the mug I need to know the color and the size that you would like.", {"variant"}),
    ("return", "Could I trouble you for your e-mail?", {"email"}),
    ("return", "Before I can do anything I have to know who you are.", {"email", "zip"}),
    ("return", "I found two orders, one with a mug and one with a lamp. Is it the first one?", {"which"}),
    ("return", "The email doesn't seem to be registered. What other details can you give me?", {"name", "zip"}),
    ("return", "If you give me the order number, I can check that right away.", {"which"}),
    ("return", "Your name and order number, please.", {"name", "which"}),
    ("return", "Could you please repeat your zip code? It doesn't match our records.", {"zip"}),
    (
        "trip",
        "Could you tell me your date of birth and the reservation number so I can look into it?",
        {"birth_date", "which"},
    ),
    ("trip", "Do you want insurance for both legs or only for the return?", {"leg"}),
    ("trip", "How many passengers are there, and what are their names?", {"passenger"}),
    ("trip", "Would you like to book it, and which payment method would you like to use?", {"payment"}),
    (
        "line",
        "I ran a check: the data is used up. I can add data at $3.00 per GB. How many GB would you like?",
        {"amount"},
    ),
    ("line", "Are you currently travelling?", {"abroad"}),
    ("line", "Please restart your phone and tell me if it works now.", {"tried"}),
    ("line", "Is it your own phone or a family member's?", {"which"}),
]


@pytest.mark.parametrize(("case", "said", "wanted"), FACTS, ids=[said[:50] for _, said, _ in FACTS])
def test_a_customer_gives_the_facts_that_it_is_asked_for(case: str, said: str, wanted: set[str]) -> None:
    verification = "zip" if case == "return" else "birth_date"
    answer = customer(case, verification=verification).answer(said) or ""
    known = {**IDENTITY, **CASES[case].facts}
    assert {slot for slot, sentence in known.items() if sentence in answer} == wanted, answer


CONFIRMED = [
    "I would refund $12.50 to your gift card for the mug. Shall I go ahead?",
    "Just to be sure: return of the mug from order 48213, refund $12.50. Is that correct?",
    "Do you confirm (yes/no)?",
    "Would you like me to start the return now?",
    "Please confirm that I should proceed with the return.",
    "If you agree, I'll submit the return. Just say yes.",
    "I can do that for you. May I process it?",
    "So, to sum up what we have discussed so far: the mug goes back, you'll be refunded $12.50 within a week, and the "
    "label comes by email tomorrow. Before I make any change in the system I need your explicit confirmation.",
    "Are you okay with that?",
    "Does that work for you?",
    "The refund will be $12.50 - sounds good?",
    "Let me know if you'd like me to proceed.",
    "Ready to send it off. Can I go ahead and do it?",
    "I'm about to return the mug; okay?",
    "Do you want to continue with this?",
    "Thank you, Ada! I've verified your identity.\n\nHere is what I will do:\n1. Return the mug\n2. Refund $12.50 to "
    "your Visa ending in 4412 within 5 to 7 business days\n\nWould you like me to proceed? (yes/no)",
    "Shall I refund this to your original payment method?",
    "How does that sound?",
    "I need your permission to go on.",
    "Roughly: mug back, $12.50 to you. Let me know your thoughts.",
    "Would that be acceptable to you?",
    "Ending it now would cost $120.00. Do you still want to return it?",
    "Just to confirm, you want to return the mug for $12.50, paid to your card — right?",
]


@pytest.mark.parametrize("said", CONFIRMED, ids=[said[:50] for said in CONFIRMED])
def test_a_customer_says_yes_when_asked_to_confirm(said: str) -> None:
    assert customer().answer(said) in YES


@pytest.mark.parametrize("said", CONFIRMED, ids=[said[:50] for said in CONFIRMED])
def test_a_customer_corrects_a_detail_once_when_asked_to_confirm(said: str) -> None:
    speaker = customer(correction="Yes, but please refund it to my gift card.")
    assert speaker.answer(said) == "Yes, but please refund it to my gift card."
    assert speaker.answer(said) in YES


ENDS = [
    "All done, your $12.50 is on its way. Is there anything else I can do for you?",
    "The return is booked. Anything else?",
    "Your refund has been issued. Have a great day!",
    "That's all set. Do you have any other questions today?",
    "I've processed it. Can I help you with something else?",
    "Thank you for shopping with us, goodbye!",
    "The mug is returned and you get $12.50 back. Was that everything?",
    "Done! Please let me know if there's anything else you need.",
    "Great news: I've processed your return! You get $12.50 back. Is there anything else I can assist you with today?",
    "I have refunded $12.50. Have I answered all your questions?",
]


@pytest.mark.parametrize("said", ENDS, ids=[said[:50] for said in ENDS])
def test_a_customer_without_further_wishes_hangs_up_when_all_is_done(said: str) -> None:
    speaker = customer()
    assert speaker.answer(said) is None
    assert speaker.over


ASKS_ELSE = [said for said in ENDS if "day!" not in said and "goodbye" not in said]


@pytest.mark.parametrize("said", ASKS_ELSE, ids=[said[:50] for said in ASKS_ELSE])
def test_a_second_wish_comes_when_asked_whether_there_is_anything_else(said: str) -> None:
    speaker = customer(second="close")
    assert TRIP.later in (speaker.answer(said) or "")
    assert "Friday of next week" in (speaker.answer("Sure. For which day?") or "")
    assert speaker.answer("Your flight is changed. Anything else?") is None


def test_a_second_wish_is_lost_when_the_agent_just_says_goodbye() -> None:
    assert customer(second="close").answer("Your return is done. Have a nice evening!") is None


REFUSALS = [
    "Unfortunately a shipped order can't be cancelled.",
    "I'm sorry, but I am not able to cancel this order because it has already shipped.",
    "That isn't possible any more; our policy does not allow it.",
    "I understand your frustration, however cancelling is only possible while the order is pending, sorry. You may "
    "return it within 30 days after delivery.",
    "Regrettably I have to decline this request. Once it arrives, a return is free.",
    "As the order is in transit, cancellation is off the table. You may send it back within 30 days.",
    "Our policy states that only pending orders can be cancelled. Yours has shipped. Is there anything else?",
    "I'd love to help, but shipped orders cannot be cancelled. Do you understand?",
    "I'm afraid this order is not eligible for cancellation. Is there anything else I can help you with?",
]


@pytest.mark.parametrize("said", REFUSALS, ids=[said[:50] for said in REFUSALS])
def test_a_customer_insists_as_often_as_it_is_stubborn_and_then_accepts(said: str) -> None:
    speaker = customer("refused")
    assert [speaker.answer(said) for _ in range(2)] == list(REFUSED.insists)
    third = speaker.answer(said)
    assert third is None or "all right" in third.lower() or "understand" in third.lower()


NO_REFUSALS = [
    ("I can't continue without your zip code, sorry.", "43004"),
    ("Unfortunately I can not find the order yet. Could you tell me the order number?", "48213"),
    ("I'm unable to verify you with that. What is your zip?", "43004"),
]


@pytest.mark.parametrize(("said", "told"), NO_REFUSALS)
def test_what_an_agent_cannot_do_without_a_fact_is_no_refusal(said: str, told: str) -> None:
    assert told in (customer().answer(said) or "")


HOLDS = [
    "One moment, please.",
    "Let me check that for you.",
    "Thanks, I'll look into it.",
    "Please bear with me while I pull that up.",
]


@pytest.mark.parametrize("said", HOLDS)
def test_a_customer_waits_when_asked_to(said: str) -> None:
    assert customer().answer(said) in WAIT


def test_a_customer_does_not_leave_when_asked_whether_this_very_request_is_complete() -> None:
    speaker = customer()
    said = (
        speaker.answer("Anything else you'd like to add to this exchange before I submit it? It works only once.") or ""
    )
    assert said.startswith("No, that's all")
    assert not speaker.over


def test_small_talk_ends_nothing_and_gives_nothing_away() -> None:
    for said in ("Understood.", "Ok, thanks for letting me know.", "I am sorry to hear that!"):
        assert customer().answer(said) == "Okay."


def test_a_customer_thanks_for_what_is_done_and_then_hangs_up() -> None:
    speaker = customer(second="close")
    assert speaker.answer("I have returned the mug and refunded $12.50.") in THANKS
    assert speaker.answer("You are welcome.") is None


def test_a_customer_repeats_its_wish_to_an_agent_that_has_not_understood() -> None:
    assert RETURN.later in (customer().answer("Hello! How can I help you today?") or "")
    assert RETURN.later in (customer().answer("What would you like me to do?") or "")
    assert RETURN.later in (customer().answer("Banana?") or "")


def test_a_customer_would_rather_not_be_handed_over() -> None:
    assert customer().answer("Would you like me to transfer you to a colleague?") == STAY


def test_a_customer_does_not_know_what_no_fact_stands_for() -> None:
    answer = customer().answer("What is the name of your first pet's favourite toy brand?") or ""
    assert "48213" not in answer
    assert "gift card" not in answer


def test_a_customer_talks_about_the_wish_that_the_agent_talks_about() -> None:
    speaker = customer(second="opening")
    assert "48213" in (speaker.answer("Let's begin with the return. Which order is it?") or "")
    assert "4821KX" in (speaker.answer("And now the flight: which reservation is it?") or "")


def test_a_statement_that_mentions_a_fact_is_not_a_question_for_it() -> None:
    answer = customer().answer("I have found your account with the email and the order, all looks fine.") or ""
    assert "ada@example.com" not in answer


def test_a_customer_gives_up_on_an_agent_that_leads_nowhere() -> None:
    speaker = customer()
    answers = [speaker.answer("Lovely weather.") for _ in range(6)]
    assert answers[-1] is None
    assert speaker.over


def test_every_conversation_is_bounded() -> None:
    speaker = customer()
    answers = [speaker.answer("What is your email?") for _ in range(40)]
    assert answers[0] == IDENTITY["email"]
    assert answers[-1] is None


@given(texts=st.lists(st.text(max_size=300), max_size=40))
@settings(max_examples=60, deadline=None)
def test_any_texts_are_answered_and_every_conversation_ends(texts: list[str]) -> None:
    speaker = customer(second="close", correction="Yes, but on my gift card.")
    answers = [speaker.answer(text) for text in texts]
    assert all(answer is None or answer for answer in answers)
    assert [speaker.answer("Hm.") for _ in range(MAX_TURNS)][-1] is None


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "piece", ["your ", "email or ", "a@", "which which ", "please ", "?", "\n- ", "**", "can i not "]
)
def test_a_megabyte_of_anything_is_listened_to_without_going_over_it_again_and_again(piece: str) -> None:
    """Milliseconds; a pattern that backtracks would take hours."""
    customer().answer(piece * (1_000_000 // len(piece)))
