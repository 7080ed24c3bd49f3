"""What words mean to the simulated model: synonyms by concept, phrases joined by underscores.

Words are stemmed when the lexicon is loaded, so that one form of each is enough. A concept lists what people write
for it, never whole rules.
"""

from __future__ import annotations

CONCEPTS: dict[str, str] = {
    # what there is
    "order": "order reservation booking purchase",
    "item": "item product article goods piece contents",
    "line": "line connection sim",
    "leg": "leg segment flight itinerary trip",
    "flight": "flight fare option search result",
    "bill": "bill invoice statement",
    "insurance": "insurance insure insured coverage",
    "bag": "bag baggage luggage suitcase",
    "passengers": "passenger traveller traveler person people everyone everybody",
    "roaming": "roaming roam",
    "data": "data gigabyte gb allowance usage cap limit",
    "gigabytes": "gigabyte gb gigs data_package data_top_up",
    "apn": "apn access_point",
    "plan": "plan contract tariff change_fee termination_fee",
    "unit": "apartment apt suite unit flat second_line second_address_line address2 line2 address_line_2 line_2",
    "address": "address street",
    "variant": "variant option product item version replacement",
    "options": "option attribute colour color size material",
    "policy": "policy rule",
    "tool": "tool call function",
    "error": "error failed failure goes_wrong went_wrong fail unsuccessful",
    "argument": "argument parameter id ids identifier number field value",
    "ids": "id ids identifier",
    "reason": "reason why motive",
    "cancel": "cancel cancellation",
    "return": "return send_back sent_back give_back",
    "exchange": "exchange modify modified swap change changed order",
    "refund": "refund reimburse money_back back",
    "money": "refund charge charged price fee sum amount total money dollar cost billed figure owed",
    "amount_word": "exact amount sum total dollar figure price fee how_much much precise",
    "total": "total sum cost calculate compute add_up add include",
    "shipping": "shipping delivery postage freight",
    "discount": "discount rebate coupon",
    "difference": "difference paid_too_much overpaid",
    "downgrade": "downgrade downgraded lower_cabin lower_class cabin cheaper_cabin",
    "weekday": "weekday day_of_week friday monday tuesday wednesday thursday saturday sunday",
    "date": "date day calendar",
    "today": "today present current_date present_date",
    "compensation": "compensation compensate certificate voucher goodwill",
    "delay": "delay delayed late flight_status eligible eligibility entitled entitlement",
    "fee": "fee cost charge penalty price",
    "reboot": "reboot restart power_cycle troubleshoot reset",
    "overdue": "overdue unpaid outstanding open_bill past_due arrears",
    "resume": "resume reactivate suspension suspend lift restore",
    "identity": "identity who_customer_is who_they_are zip birth verify_customer who_customer person",
    "details": "detail summary summarise summarize full plan planned_action action list read_back",
    "reading": "account anything_else change cancel before first step prior proceed exception look_into do_anything "
    "anything must required always requires",
    # who is meant
    "several": "several multiple more_than_one all each every others other both many two",
    "all": "all every each entire both complete everything",
    "list_all": "list checklist everything note all every each several both remaining two more_than_one",
    "requests": "request thing point message wish everything",
    "described": "describe description said mean meant in_question named asked contents contains customer dates route",
    "named": "named name asked ask requested request mentions specific specified names want in_question",
    "named_thing": "named mentions mentioned wanted wants requested asked specified means return_requested refers "
    "specific customer_named",
    "first": "first default newest latest recent initial top automatic leg_one leg_1 assume",
    "primary": "primary main default",
    "latest": "latest newest recent default",
    "smallest": "smallest default standard",
    "whole": "whole entire complete everything all full others rest",
    "right_one": "match compare fit identify correct contain right find choose",
    # right and wrong ways
    "match": "match compare fit correct right identify find pick choose contain verify",
    "look": "look open inspect go_through check review compare see find through",
    "confirm": "confirm confirmation yes go_ahead agree approve approval consent permission okay acknowledge",
    "write": "change tool call write update cancel exchange return modify details database do action proceed it add "
    "apply cancellation",
    "verify": "verify verified authenticate identify confirm check prove",
    "form": "prefix format schema verbatim exact exactly digit numeral character_by_character as_listed as_given "
    "full_prefix required_parameter required_field required_argument",
    "omit_form": "shorten abbreviate as_words words out_as_words",
    "retry": "retry try_again trying_again correct fix adjust repeat once_more again second_time recovered",
    "give_up": "give_up giving_up hand_over hand_customer_over transfer handover escalate last_word end stop_trying",
    "transfer": "transfer hand_over handover escalate escalation hand_off handoff human colleague",
    "last_resort": "last_resort explicit require demand aslongas none_of_other only_if only_when only_where "
    "reserve still_tool another_tool needless only_for",
    "handle_self": "yourself itself another_tool other_tool solve",
    "finish": "finish complete done deal handle work_through work address serve make tick keep note come_back close "
    "fulfil dealt",
    "second": "second remaining other something_else further rest both two_things several_things all_requests "
    "every_request each_thing",
    "afresh": "look_up look_it_up fetch again refetch re_fetch load afresh anew",
    "another": "another other next second new switch previous earlier belong current one_order reservation order",
    "belong": "belong own from_there valid apart correct_order",
    "reuse": "reuse re_use mix_up mix confuse carry_over previous",
    "say": "say told said tell state mention name inform disclose quote hear know announce give report message "
    "get_back communicate will_reach notify charged",
    "requested_method": "method_customer method_that_customer method_requested asked_for requested customer_want "
    "customer_named want wish respect specified which_one_requested original used_for purchase_method",
    "method": "payment method card gift_card paypal",
    "exception": "exception give_in yield cave bend",
    "insist": "insist insistent insistence pressure push press anyway angry how_often how_much_customer no_matter "
    "keep stay firm hold_line whatever",
    "refuse": "refuse decline turn_down reject firm hold_line refused can_not deny",
    "forbidden": "forbid forbidden prohibit against_policy not_permitted permitted policy allow",
    "allowed": "allow allowed permit permitted within_policy legitimate",
    "carry_out": "carry_out carried_out do_it fulfil",
    "claim": "told tell say announce report claim pretend told said_that said",
    "done": "done completed complete made succeeded report announce result",
    "doing": "call_tool call_this_tool tool_call made_call make_call execute succeeded success returned_success "
    "calling_tool tool_never_called calls_tool never_called",
    "twice": "twice second_time again repeat repeated duplicate double once_more two_times",
    "once": "only_once exactly_once one_time single_time once_per change_once write_once call_once made_once",
    "end": "end goodbye close hang_up wrap_up finish ending",
    "ask": "ask offer check find_out inquire get_it come_from confirmed wait",
    "else": "anything_else further_question further_request any_further more_help nothing_further anything_further "
    "something_else other_question nothing_else anything_more",
    "invent": "guess invent make_up made_up assume fabricate fill_in any",
    "from_customer": "come_from_customer get_it_from_customer reason_that_customer customer_gave customer_has_said",
    "only": "only just restrict alone sole",
    "include": "include pass put enter fill copy hold go_into goes_into part mention add",
    "omit_part": "second_line second_address_line apartment line_2 line2 address2",
    "add_up": "add include plus with account deduct subtract minus taken_off take_off",
    "in_stock": "in_stock available availability stock true",
    "unavailable": "not_in_stock not_available out_of_stock sold_out unavailable",
    "not_all": "one_of_options one_option just_one only_one one_of",
    "all_options": "every_option all_options each_option all_other_options both_options all_attribute all_requested "
    "all_must_match every_attribute options_that_customer each_requested_option size_and_all both_size",
    "in_one_call": "in_one_call one_call single_call single_request one_request together at_once one_tool in_one_go "
    "once_per only_once single_time all_at_once single_exchange",
    "collect": "collect gather bundle everything full_list",
    "one_by_one": "one_by_one separate separately split one_call_per per_item individually",
    "days": "day days business_day how_long when time_frame timing time",
    "arrive": "refund arrive take reach need back",
    "cheapest": "cheapest lowest least least_expensive cheaper costs_least",
    "choose": "choose take pick book select go_for sort compare check buy",
    "compare": "compare sort check",
    "give": "refund pay_back back issue give",
    "free": "free included complimentary allowance beyond above",
    "membership": "membership member tier level free allowance beyond",
    "charge": "charge bill pay",
    "count": "count compute calculate derive convert work_out translate relative from_today start",
    "guess": "guess assume",
    "check": "check look verify verified confirm see make_sure ensure validate find_out compare distinguish "
    "double_check",
    "multiply": "multiply time per_person per_passenger each_passenger how_many number_of_passenger cover count "
    "several all_of_them total_over everyone per_traveller",
    "one_person": "one_passenger one_person one_traveller single_passenger",
    "every_leg": "all_leg both_leg every_leg each_leg every_segment all_segment each_segment both_flight "
    "both_direction outbound_and_return both_outbound whole_trip return_leg remaining_leg leg_1_and "
    "return_flight all_legs",
    "first_leg": "first_leg first_segment leg_one leg_1 one_leg",
    "line_status": "line line_status status",
    "reset": "reset re_set",
    "pay": "pay paid settle settled",
    "primary_line": "primary main default",
    "line_number": "phone_number number phone_numbers",
    "month": "month amount period right_bill correct_bill another_month named mean means refers overdue",
    "exact": "exact exactly precise as_many as_much equal match requested_number requested_gb requested customer_want "
    "asked_for number_of",
    "use_first": "use_first take_first pick_first choose_first first_one add_*_first book_first",
    "do_call": "call do make perform execute cancel change",
    "do_twice": "make_*_twice do_*_twice change_twice every_*_twice",
    "return_whole": "return_whole return_entire return_complete return_everything return_all",
    "enough": "enough suffice sufficient",
    "reboot_first": "restart_first reboot_first restart_phone_first restart_*_before_*_check reboot_*_before_*_check "
    "restart_*_before_*_line restart_*_before_*_look start_with_*_restart",
    # weight of the words
    "careful": "careful attention properly well accurate mind good nice fair transparent honest organised helpful "
    "efficient right open",
    "qualified": "if when unless until before without only except once after prior whenever where which as otherwise "
    "while than policy already succeeded same",
    "unsure": "unsure doubt uncertain not_sure unclear problem difficult complicated unusual certain confident sure "
    "slightest any_issue hesitate",
    "everything": "everything every_step each_step every_message several_times three_times repeatedly lookup "
    "look_up every_tool every_single all_step again_and_again multiple_times twice",
    "explicit": "explicit expressly literally strict strictly",
    "absolute": "never always ever under_not_circumstances at_all",
    "business": "cancel cancellation refund exchange return change modify downgrade book compensation upgrade",
    "brief": "as_short as_brief one_sentence few_words extremely_short very_short nothing_more not_detail terse "
    "shortest one_line short minimum",
    "quickly": "quickly fast as_soon_as immediate not_extra_question not_further_question speed quick",
    "until_works": "until_it_work as_often as_many_times every_call all_call keep_retry keep_try endless "
    "until_it_succeed",
    "whatever_wanted": "whatever_customer whatever_they do_what_customer at_any_price at_any_cost happy "
    "customer_is_always_right satisfy please_customer all_wish",
    "which_order": "which_order which_reservation which_line which_item which_one",
}
