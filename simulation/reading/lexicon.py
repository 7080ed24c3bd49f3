"""What words mean to the simulated model: synonyms by sense, phrases joined by underscores, `*` for up to four words.

Words are stemmed when the lexicon is loaded, so that one form of each is enough. A sense lists what people write
for it, never whole rules. Set phrases that `words` has already put into one word stand here as that word.
"""

from __future__ import annotations

SENSES: dict[str, str] = {
    # who and what there is
    "order": "order reservation booking purchase parcel",
    "item": "item product article goods piece thing content pair",
    "line": "phone line connection sim number account_line",
    "leg": "leg segment flight itinerary sector direction",
    "flight": "flight fare connection search_result airfare ticket departure",
    "bill": "bill invoice statement",
    "insurance": "insurance insure insured cover coverage",
    "bag": "bag baggage luggage suitcase",
    "people": "passenger traveller traveler person people everyone everybody head seat family member_of_party party "
    "group companion",
    "roaming": "roaming roam abroad",
    "data": "data gigabyte gb allowance usage cap internet volume quota data_limit",
    "gigabytes": "gigabyte gb gigs gig data_package data_top_up extra_data top_up add_data data_add_on more_data",
    "apn": "apn access_point internet_setting mms_setting reset_apn phone_setting mobile_setting setting",
    "plan": "plan contract tariff subscription termination terminate leaving_early change_fee switch_fee leave_early",
    "unit": "staircase doorbell apartment apt suite unit flat second_line second_address_line address2 line2 "
    "address_line_2 line_2 address_line_two second_part_of_address floor_number door_number address_2 "
    "second_line_of_address",
    "address": "address street",
    "variant": "variant replacement new_item sku substitute option product item article",
    "options": "option attribute colour color size material feature property specification volume characteristic",
    "policy": "policy rule guideline regulation forbiddenthing",
    "tool": "tool call function",
    "error": "does_not_work do_not_work not_work goes_amiss went_amiss trouble_with_tool no_result bad_input broken "
    "error fail failed failure goes_wrong went_wrong unsuccessful busy hiccup complain complaint_from_tool glitch "
    "timeout rejects rejection breaks_down failing not_found stumbles refuses_call tool_refuses falls_over "
    "return_nothing comes_back_empty invalid setback error_message error_code bounce",
    "argument": "argument parameter identifier id ids field input value schema",
    "ids": "id ids identifier reference_number order_number item_id order_id line_id reservation_id",
    "reason": "reason why motive ground explanation_for",
    "cancel": "cancel cancellation calling_off call_off",
    "return": "return send_back take_back give_back back",
    "exchange": "exchange modify modified modification swap switch replace item_to_be_changed items_changed",
    "altering": "exchange modify modified modification swap change switch replace move rebook update alter upgrade "
    "downgrade apply",
    "refund": "refund reimburse reimbursement money_back pay_back credit repay money",
    "money": "fare refund charge charged price fee sum money dollar cost bill owe owes pay paid payment credit repay "
    "reimburse debit deduct financial",
    "amount": "amount sum dollar figure how_much cent price refund_total exact_total what_it_cost fee_total "
    "refunded_amount number_in_dollar much_they charge_in_dollar figures quote_price total_amount refund_sum",
    "total": "total sum cost calculate compute add_up tot_up altogether overall_price in_all invoice_amount",
    "shipping": "shipping delivery postage freight dispatch_cost",
    "discount": "discount rebate coupon reduction price_cut money_off voucher_amount",
    "difference": "lower_fare fare_save what_*_save saved difference pay_too_much overpaid gap surplus excess "
    "balance_of_fare overpay",
    "downgrade": "move_to_economy moving_to_economy moved_to_economy downgrade downgraded cabin lower_cabin "
    "lower_class cheaper_cabin cheaper_class down_to_economy business_to_economy into_economy to_economy "
    "economy_instead cabin_change moves_down move_down lower_fare cabin_is_cheap cabin_cheap cabin_lower new_cabin "
    "cabin_down in_economy",
    "weekday": "weekday day_of_week friday monday tuesday wednesday thursday saturday sunday relative_day "
    "day_after_tomorrow tomorrow next_week relative_date relative_expression named_day",
    "date": "date day calendar",
    "today": "today present_date current_date today_date current_day",
    "compensation": "pay_out payout gesture compensation compensate certificate voucher goodwill",
    "delay": "delay delayed hour_late lateness flight_status eligible eligibility entitle entitled entitlement "
    "qualify qualified delay_minute how_late status_of_flight",
    "fee": "fee cost charge penalty price monthly_rate what_it_cost how_much",
    "reboot": "reboot restart power_cycle switch_it_off turn_it_off off_and_on troubleshoot reset_phone "
    "reset_handset reset_line troubleshooting turn_phone_off switching_off restarted device_reset",
    "overdue": "is_due amount_due due_amount what_is_due due_bill overdue unpaid outstanding open_bill past_due "
    "arrears debt owe owed past_its_date behind_on late_payment money_outstanding unsettled",
    "resume": "resume reactivate suspension suspend lift restore unblock comes_back come_back switch_it_back_on "
    "reconnect switch_back_on turn_back_on bring_back",
    "customer": "customer caller client user person owner holder",
    "several": "too as_well several multiple more_than_one all each every others other both many two couple lots "
    "plural various dozen three",
    "more_items": "more_item more_than other_item any_other_item further_item additional_item",
    "second_matter": "second_request second_thing second_wish other_request both_request remaining_request "
    "second_matter second_point other_thing second_issue all_request every_request each_request both_matter "
    "second_task second_concern other_wish further_request rest_of_request request_left everything_customer_ask "
    "everything_they_ask other_matter second_part both_thing all_matter two_request everything_he_ask second_one_too "
    "other_one_too both_concern",
    "travellers": "passenger traveller traveler per_person one_person one_seat",
    "right_word": "right correct fit agree match",
    "both_named": "leg_1_and leg_1_and_of_leg_2 of_leg_2 leg_2",
    "free_bag": "free_bag included_bag bag_included bag_that_are_free those_that_are_free free_one free_suitcase",
    "consent_ask": "ask_for_confirmation ask_for_yes wait_for_yes get_confirmation wait_for_confirmation "
    "ask_*_to_confirm ask_for_consent ask_for_approval get_approval wait_for_approval ask_permission "
    "confirmation_step get_consent obtain_confirmation obtain_consent request_confirmation",
    "policy_limit": "policy_limit limit limit_of_policy restriction policy_rule",
    "head_count": "how_many number_of passenger_count head_count",
    "opening": "opening_message first_message initial_message original_message message_again opening",
    "line_word": "line phone sim",
    "only_do": "only_do",
    "day_word": "day business_day how_long",
    "variant_word": "variant replacement new_item sku substitute",
    "listing": "list checklist note write_down keep_track jot_down tick_off keep_tally tally",
    # whom and what was meant
    "described": "describe description said say mean meant in_question asked contains customer date route talk_about "
    "refer matching content they_talk right_one that_one match",
    "right": "which_it which_one which_is_mean which_order which_reservation which_booking right correct matching "
    "proper actual_order one_meant one_that_was_meant one_they_mean one_customer_mean one_that_match one_that_fit "
    "one_in_question one_described one_asked_for",
    "first": "first default newest top latest most_recent stored_first index0 initial automatic index1 by_habit "
    "topmost foremost leading_entry uppermost",
    "first_one": "come_firststep come_first comes_firststep one_on_top first_hit top_entry first_order first_one "
    "first_on first_in first_reservation first_booking top_of_list top_one newest_order latest_order "
    "most_recent_order first_entry first_list first_that_come most_recent first_he first_purchase top_of_page "
    "sits_at_top topmost_order first_match first_or order_at_top",
    "latest": "latest newest most_recent recent default last_one top",
    "primary": "primary main default first_line",
    "smallest": "smallest default standard minimum least minimal one_gigabyte cheapest_package one_gb usual_package "
    "fixed_package lowest",
    "requested": "that_leg that_flight that_segment right_leg right_segment leg_in_question requested one_ask_for "
    "method_ask_for ask_by customer_choice chosen_by chosen chose selected picked_by customer_want they_want he_want "
    "customer_ask customer_name name_by named customer_specify specified customer_choose customer_prefer want "
    "original used_for used_original originally pay_with mention requests user_want user_ask client_want was_charge "
    "customer_wish which_card which_account which_method which_payment customer_pick preference requested_method "
    "customer_mention customer_chose use_at_purchase money_came_from used_to_pay",
    "method": "visa mastercard payment method card gift_card paypal account_to_use instrument payment_option wallet",
    # getting it right
    "compare": "compare match fit contrast hold_against against check_which cross_check tally_with",
    "look": "look open inspect go_through check review see find read through examine scan browse pull_up run_through "
    "view consult",
    "identify": "identify match find pick choose locate determine work_out establish select pinpoint touch use "
    "act_on single_out make_sure settle_on continue_with figure_out act tell_which",
    "confirm": "say_go prior_yes get_yes clear_yes word_to_go say_it_is_right affirm ok consented oked confirm "
    "confirmation yes go_ahead agree agreement approve approval consent permission okay acknowledge green_light "
    "assent sign_off blessing authorisation authorise agreed nod say_so thumbs_up all_clear affirmative agrees "
    "give_ok assents affirmation shall_i",
    "details": "detail summary summarise summarize plan planned_action action list read_back present restate recap "
    "spell_out lay_out change write update cancel exchange return modify database do proceed act apply execute "
    "booking modification touch step commit alter go_on anything go_forward cancellation adjust transaction edit "
    "book add charge carry_out happen process",
    "at_once": "at_once immediately right_away straight_away straightaway instant without_ask without_wait direct "
    "promptly first_thing without_check no_question forthwith on_spot without_further",
    "verify": "verify verified verification authenticate authentication identify confirm check prove proof make_sure "
    "establish ascertain validate",
    "identity": "account_access access_to_account identity who_customer who_they who_he who_you zip birth "
    "date_of_birth verify_customer account_owner account_holder customer_is_who person_is customer_verified "
    "customer_be_verified rightful_owner verify_user verify_caller verify_person verifying_customer "
    "authenticate_customer authenticate_caller authenticate_person authenticate_user customer_authenticate "
    "security_question person_write are_who postcode really_owner owner_of_account who_is_write who_is_call who_say "
    "verification_of_customer customer_has_not_been_verified customer_has_been_verified unverified verify_every "
    "verify_each",
    "form": "figure_not_word number_as prefix format schema verbatim exact exactly digit numeral "
    "character_by_character as_listed as_given as_returned full_prefix required_parameter required_field "
    "required_argument copy paste complete_argument every_field all_field well_formed as_tool_return "
    "letter_for_letter shape as_they_appear number_not_word mandatory_field as_shown missing_field all_argument "
    "leading_letter",
    "misform": "shorten abbreviate as_words words_instead out_as_words in_words out_in_words spell_number "
    "as_customer_type as_customer_write bare_number bare_id from_memory short_form strip_prefix approximate "
    "customer_types_them as_they_type words_for_number number_as_word",
    "retry": "use_email use_phone use_name use_other other_way not_end try_more another_identifier "
    "look_for_other_way different_argument corrected_argument retry try_again trying_again correct fix adjust repeat "
    "once_more again second_time recover another_go another_try another_attempt another_shot second_attempt resubmit "
    "re_submit second_try one_more_time try_another different_way another_way go_for retrying attempt_again rerun "
    "re_run second_chance try_it_again try_call fresh_attempt try_other mend repair another_route other_route "
    "alternative retries try_different different_lookup second_go try_once",
    "give_up": "involve_colleague involve_human let_human give_*_to_human give_up giving_up hand_over "
    "hand_customer_over transfer handover escalate end_conversation stop_trying pass_on pass_customer pass_caller "
    "pass_them colleague handing_over hand_off throw_in_towel abandon surrender capitulate end_it call_it_quits "
    "stop_there leave_it_there person send_customer_away human last_word give_in handing_off quit",
    "transfer": "bring_in brought_in person_should call_in fetch_human escalating human_agent person_take_over "
    "let_human let_person let_colleague involve_colleague involve_human give_*_to_human give_*_to_person "
    "give_*_to_colleague send_*_to_human supervisor send_to_colleague put_through transfer hand_over "
    "hand_customer_over hand_them_over hand_it_over handover escalate escalation hand_off handoff human colleague "
    "pass_on pass_customer pass_caller pass_them pass_it_on shove_over over_to_person to_person handing_over "
    "handing_off hand_to hand_someone someone_else_take pass_to",
    "last_resort": "nothing_fit nothing_help no_way_to nothing_in is_for_case no_tool_can case_which only_for "
    "not_tool none_of_tool for_rest last_resort only explicit require demand none_of_other only_if only_when "
    "only_where only_after reserve reserved last_step last_option final_option nothing_else unless exception "
    "exceptional rare no_other_way as_last_step no_alternative neither exhausted nothing_left",
    "needless": "unhappy tone mood sad impolite rude dissatisfied upset_customer complicated_case looks_odd strange "
    "look_difficult hesitation unsure doubt uncertain unclear difficult complicated unusual upset annoyed angry "
    "grumpy early possible any_problem hesitate irritated sign_of_trouble first_sign impatient hard tricky slightest "
    "inconvenient whenever quickly soon needless premature cross emotional awkward complain trouble",
    "handle_self": "yourself another_tool other_tool solve sort_it_out still_yours own_it deal_with_it resolve_it "
    "keep_case try_what tool_offer your_own stay_on_case see_it_through handle_it handle_request sort_out_with "
    "stay_yours your_job",
    "finish": "finish complete done deal handle work_through work address serve make tick keep note come_back close "
    "fulfil dealt sort take_care pick_up scroll_back go_back return_to see_to settle attend tackle carry_out turn_to "
    "honour get_to follow_up process answer resolve proceed_to look_after revisit cover work_off remember",
    "second": "both two_thing each_of_thing everything_asked other_half second_wish second_thing second_point second "
    "remaining other something_else further rest two_things several_things all_requests every_request each_request "
    "each_thing each_point every_point couple_of_thing all_of_them all_wish each_has everything_customer all_matter "
    "every_matter each_matter all_point both_matter leftover next_request other_one each_of_them everything_user "
    "everything_they none_is_left one_by_one outstanding_request",
    "request": "request thing point matter message wish ask asked concern issue topic task want item_on_list "
    "question errand",
    "only_first": "first_thing_only first_*_only first_alone only_first first_request_only first_only just_first "
    "first_request_and one_request_per only_one_request first_request_of single_request_per one_matter_per "
    "main_request first_matter_only first_issue_only",
    "afresh": "get_detail get_its_detail get_new look_up look_it_up fetch again refetch re_fetch load afresh anew "
    "look_up_own fresh_lookup new_lookup query retrieve read_afresh check_anew new_look_up pull_up start_afresh "
    "start_over from_scratch open_it",
    "another": "another other next second new switch previous earlier belong current one_order reservation order "
    "each_request move_on matter following",
    "belong": "belong own from_there valid apart correct_order that_one of_that_order its_own separate match_order "
    "pertain go_with come_from",
    "reuse": "id_of_first ids_of_first first_order_id first_reservation_id id_of_previous id_of_other carry_*_over "
    "take_*_over carry_id carry_on transfer_id copy_id_from bring_over last_one earlier_one reuse re_use mix_up mix "
    "confuse carry_over previous keep_use keep_using recycle still_use earlier id_from_first used_before carry_along "
    "take_over_id old_id stick_with_id same_id hold_on_to",
    "say": "talk mention_to bring_up speak_about let_people_know let_them_know let_customer_know add_to_message say "
    "tell state mention name inform disclose quote hear know announce give report message communicate notify "
    "indicate spell_out specify advise give_them_figure include_in_reply read_out warn reveal explain point_out "
    "answer_with declare share learn present show",
    "exception": "exception give_in yield cave bend relent what_they_want do_it_anyway grant comply give_way "
    "let_it_through go_along indulge soften budge waive backing_down back_down do_what_they do_what_customer "
    "overrule_policy let_them_have make_allowance turn_blind_eye accommodate accede",
    "insist": "insist insistent insistence pressure push press anyway angry how_often how_much_customer plead beg "
    "keep_ask persistent third_message threaten argue repeated_demand shout nag loud complain demanding furious "
    "often hard upset ask_again protest pushy stubborn long_enough",
    "firm": "hold_to keep_to stick_with abide_by adhere_to remain_with be_firm stand_by hold_ground keep_saying "
    "not_budge stay_same answer_stays same_answer ruled_out rule_out stay remain firm stick_to hold_line "
    "stand_ground staysfirm keep_refuse stand_firm polite_refuse stands remains stays hold_firm not_move unchanged "
    "persist_in uphold maintain",
    "refuse": "turn_*_down send_*_away say_sorry refuse decline turn_down reject firm hold_line staysfirm can_not "
    "deny turn_away send_away say_you_can_not block prevent rejecting refusal stay_firm",
    "forbidden": "rule_out ruled_out not_in_policy excluded_by forbid forbidden prohibit forbiddenthing "
    "not_permitted policy notallowed rule banned limit disallow out_of_bound not_allowed impermissible not_covered "
    "excluded restrict",
    "allowed": "meet_*_condition meet_condition conditions_of_policy condition_of_policy condition_are_met "
    "fulfil_condition policy_let let_you rule_let policy_permit rule_allow rule_permit covered within_rules "
    "in_policy is_fine_under allow allowed permit permitted within_policy legitimate rule_say_we_can policy_cover "
    "within_rule in_line_with_policy permissible policy_say_yes entitled covered_by_policy admissible "
    "policy_say_we_can policy_provide compliant eligible_request",
    "carry_out": "accept accommodate see_through meet grant_it honour fulfill carry_out do_it fulfil go_ahead help "
    "grant process execute perform do make_change see_it_through say_yes serve handle deal act_on approve",
    "claim": "tell say announce report claim pretend write assert declare promise inform confirm_to message speak_of "
    "celebrate",
    "done": "changed done completed complete make succeed announce result cancelled take_care cancel all_set sorted "
    "go_through finish booked refund happen",
    "doing": "do_call call_firststep call_is_make call_has_been tool_has_answer really_do call_the_write call_tool "
    "call_this_tool tool_call make_call execute has_succeed call_succeed tool_succeed it_succeed return_success "
    "change_succeed calling_tool tool_never_called tool_has_return tool_has_confirm tool_has_succeed call_has "
    "tool_confirm confirmation_from_tool make_write write_call make_the_call call_first go_through submit "
    "tool_return call_it tool_success tool_answer tool_say actual_call tool_has call_returns actually_do called_tool "
    "cancel_tool carry_out_first call_tool_first perform_it back_from_tool tool_result result_of_call write_tool "
    "call_the_tool",
    "twice": "another_time a_second second_call twice second_time again repeat repeated duplicate double_charge "
    "double_booking once_more two_times re_send resend redo re_issue second_copy send_it_again anew",
    "once": "one_change one_call_only one_time_only one_single only_once exactly_once one_time single_time once_per "
    "change_once write_call_once call_once make_once once_only exactly_one_time precisely_once one_call_per_change "
    "single_write one_write one_single_time just_the_once",
    "end": "end goodbye close hang_up wrap_up finish ending conclude farewell sign_off terminate_chat closing bye "
    "say_goodbye leave_chat",
    "ask_else": "ask offer check find_out inquire inquired enquire confirm wait question invite whether if_there",
    "else": "ask_for_more anything_more for_more need_anything want_anything anything_they_need nothing_more "
    "no_more_request more_wish further_point other_wish open_question more_question further_need anything_else "
    "further_question further_request any_further more_help nothing_further anything_further something_else "
    "other_question nothing_else further_assistance other_request further_help more_to_do help_with_more "
    "additional_request any_other what_else other_matter further_wish another_request further_concern one_more_thing "
    "other_issue all_they_need still_needs need_more help_further other_need additional_help",
    "invent": "guess invent make_up assume fabricate fill_in any make_one_up put_down_any pick_any choose_for "
    "plausible default supply_yourself own_guess write_any imagine presume put_in_any take_any your_own_reason "
    "reason_of_your_own pick_one fill_one_in filling_one_in choose_yourself infer whichever_reason select_any",
    "ask": "ask inquire enquire find_out get_it question obtain hear request_reason wait_for_reason learn",
    "from_customer": "customer_own own_reason their_own customer_themselves heard_from come_from_customer "
    "get_it_from_customer reason_that_customer customer_give customer_has_say from_customer they_give customer_state "
    "own_word customer_word customer_tell they_tell reason_they in_their_word user_give customer_name "
    "given_by_customer customer_actually from_user reason_customer stated_by_customer",
    "only_named": "only just restrict alone sole exclusive nothing_but limit_to that_one_thing solely merely "
    "named_item no_other",
    "whole": "whole entire complete everything all full",
    "include": "belong_in belongs put_down remember down_to enter_all include pass put enter fill copy hold go_into "
    "part mention add keep transfer_line take_down write goes_in record complete address_must full_address "
    "every_part contain type capture carry_over supply save",
    "add_up": "add include plus with account deduct subtract minus take_off goes_on_top comes_off on_top factor_in "
    "count_in equals consider take_away less reckon work_in allow_for counting all_three incorporate bring_in",
    "total_context": "total sum cost calculate compute add_up tot_up altogether paid price item_price equals pay "
    "amount figure add order_cost",
    "in_stock": "on_stock in_stock available availability stock true deliverable on_hand can_be_deliver obtainable "
    "in_supply on_shelf still_have",
    "unavailable": "not_in_stock not_available out_of_stock sold_out unavailable out_of_supply available_false "
    "sell_out not_deliverable",
    "alternative": "another similar alternative one_that_is instead different next_best other_variant substitute "
    "similar_one",
    "not_all": "one_of_option one_option just_one only_one one_of_them one_attribute single_option one_match "
    "one_feature partly one_of_its half_match near_match one_of_requested close_enough roughly one_of",
    "all_options": "every_single_attribute colour_*_and_*_size color_*_and_*_size size_*_and_*_colour "
    "size_*_and_*_color every_wish_about each_single all_criteria every_criterion every_option all_option "
    "each_option all_other_option both_option all_attribute all_requested all_must_match every_attribute "
    "option_that_customer each_requested_option size_and_all both_size every_detail color_and_also color_and_size "
    "colour_and_size size_and_colour option_customer all_of_them each_attribute every_feature all_feature "
    "in_every_respect other_option every_single_option all_specification size_and_color whole_description "
    "every_requested every_characteristic each_characteristic every_property all_property full_description all_wish "
    "each_feature every_wish all_detail size_as_well",
    "in_one_call": "inone_call inone_request inone_go single_call single_request together one_tool once_per "
    "only_once single_time all_at_once single_exchange one_call inone_step one_single_call combined_call "
    "one_combined single_step same_call one_go one_exchange whole_list second_modification second_exchange "
    "be_done_once just_once second_call_will one_time inone",
    "collect": "collect gather bundle everything full_list more_item all_item any_other_item further_item combine "
    "group complete_list other_item know_all put_together pool batch list_all every_item accumulate",
    "one_by_one": "one_by_one separate separately split one_call_per per_item individual one_after_other each_inone "
    "item_by_item each_in_its own_call single_item own_call_each two_call several_call call_for_each piecemeal "
    "one_at_time",
    "days": "when_refund how_fast how_quickly how_much_time day business_day how_long when time_frame timing time "
    "wait deadline week how_soon duration arrival period date_of_arrival expect",
    "arrive": "refund arrive take reach need back money expect land credited come",
    "cheapest": "cheapest lowest least_expensive cheaper cost_least lowest_price best_price least cheapest_one "
    "minimum_price most_affordable inexpensive affordable best_fare",
    "choose": "choose take pick book select go_for sort compare check buy offer propose suggest use grab settle "
    "search find",
    "give": "get_back get_*_back come_back refund pay_back back issue give reimburse return owe repay credit "
    "send_back hand_back pay transfer_back",
    "free": "free include included complimentary allowance beyond above for_nothing without_charge inclusive gratis "
    "at_no_cost on_top_of_allowance extra extra_one over_allowance free_of_charge excess cost_nothing no_charge",
    "charge": "charge bill pay ask_money invoice cost debit collect_money",
    "all_bags": "every_bag all_bag each_bag any_bag bag_in_full full_number_of_bag",
    "count": "count compute calculate derive convert work_out translate relative from_today start turn_into "
    "determine figure_out reckon resolve_to verify look_up_date map_to calendar_date weigh establish deduce",
    "guess": "guess assume gut_feeling estimate roughly pick_any approximate any_date from_memory by_feel intuition",
    "check": "check look verify verified confirm see make_sure ensure validate find_out compare distinguish "
    "double_check pull_up examine query consult tell_apart differentiate inspect run read determine establish "
    "investigate review diagnose keep_apart look_it_up is_look_up tell_which separate test call look_up been_look "
    "have_look check_line",
    "on_word": "customer_word their_word take_word on_trust believe everybody_who anyone_who whoever trust_customer "
    "good_faith as_claimed",
    "multiply": "multiply time per_person per_passenger each_passenger how_many number_of_passenger cover count "
    "several all_of_them total_over everyone per_traveller for_all number_of_people head_count for_each everybody "
    "all_passenger every_passenger number_of_traveller per_head each_traveller times_number whole_family whole_party "
    "each_person every_person every_traveller all_traveller each_of_them everyone_on all_people family",
    "one_person": "one_passenger one_person one_traveller single_passenger one_traveler single_traveller "
    "single_person lead_passenger main_passenger one_seat first_passenger just_one one_head",
    "every_leg": "way_home journey_home flight_home home_flight return_journey all_leg both_leg every_leg each_leg "
    "every_segment all_segment each_segment both_flight both_direction outbound_and_return both_outbound whole_trip "
    "return_leg remaining_leg leg_1_and all_flight return_flight all_legs there_and_back every_flight each_flight "
    "way_back whole_journey entire_trip both_way entire_journey complete_trip full_trip outbound_and_inbound "
    "out_and_back both_part",
    "one_leg": "first_leg first_segment leg_one leg_1 one_leg first_flight one_flight single_leg only_outbound "
    "just_outbound outbound_only one_direction half_trip one_segment single_flight",
    "leg_first": "first_leg first_segment leg_one leg_1 default first first_one first_flight outbound_leg",
    "line_status": "line line_status status check_line",
    "reset": "reset re_set send_again send resend refresh reset_apn renew re_send restore push redo re_enter "
    "set_up_again call follow_with remember",
    "sim_change": "sim plan_change new_plan change_plan different_plan picture_message mms plan swap picture "
    "replace_sim mms_fail new_card",
    "pay": "payment pay paid settle settled clear collect collected paid_first pay_off paying take_payment",
    "ignore_debt": "ignore_debt forget_bill debt_aside anyway_unpaid",
    "line_number": "right_one correct_one right_phone one_they_call phone_number number phone_numbers user named "
    "user_name who_use belongs son daughter husband wife name_by_its one_named right_line correct_line "
    "line_in_question number_they that_line line_mention line_customer line_they named_line which_line line_meant "
    "affected_line",
    "month": "month amount period right_bill correct_bill another_month named mean means refers refer overdue "
    "bill_customer mentioned bill_they bill_in_question mention one_mean said bill_meant customer_mean talk_about",
    "exact": "what_customer_say what_they_say what_he_say same_amount customer_say_number no_more_no_less exact "
    "exactly precise precisely as_many as_much equal match requested_number requested_gb requested customer_want "
    "asked_for number_of ask_for very_number customer_ask customer_request they_want how_many how_much number_given "
    "what_customer_ask same_number number_they that_number correspond ask_how",
    "more_or_less": "more less fewer too_much too_little round_up round_down",
    # circumstances
    "change_like": "change write update cancel cancellation refund return exchange payment top_up modification "
    "charge call send submit transaction booking request credit",
    "first_step": "firststep before prior start begin first_thing earliest advice",
    "same_thing": "same_thing same not_difference identical alike interchangeable",
    "leave_as": "leave_as leave_it leave untouched as_they_were as_it_was alone",
    "consent": "ok okay yes go_ahead consent agree approve approval permission say_yes",
    "forbids": "forbid prohibit forbiddenthing notallowed ban forbidden off_limit",
    "reread": "look_up fetch refetch re_fetch reload load query retrieve lookup",
    "later_step": "afterwards afterward later then last comes_after",
    "verify_call": "verify_anybody verify_anyone verify_them verify_him verify_everybody verify_who check_who "
    "verification authentication prove_who proof_of_identity identity_verification identity_verified verify_customer "
    "verify_caller verify_user verify_person authenticate_customer authenticate_caller authenticate_user "
    "authenticate_person customer_verified identify_customer customer_be_verified verification_of_customer "
    "customer_is_verified has_been_verified identity_check check_identity verify_identity confirm_identity "
    "prove_identity",
    "append": "add include append",
    "tool_confirms": "tool_has_confirm tool_confirm confirmation_from_tool confirm_by_tool tool_has_return",
    "succeeded": "succeed success successful go_through confirm already",
    # weight of the words
    "careful": "careful attention properly well accurate mind good nice fair transparent honest organised helpful "
    "efficient right open smooth diligent thoughtful",
    "absolute": "never always ever under_not_circumstance at_all any every whatsoever",
    "unsure": "unsure doubt uncertain not_sure unclear problem difficult complicated unusual certain confident sure "
    "slightest any_issue hesitate upset annoyed trouble",
    "everything": "everything every_step each_step every_message several_times three_times lookup every_tool "
    "every_single all_step again_and_again multiple_times every_answer each_message each_lookup every_lookup "
    "every_look_up",
    "explicit": "explicit expressly literally word_for_word",
    "brief": "as_short_as as_brief_as one_sentence few_words extremely_short very_short nothing_more not_detail "
    "terse shortest one_line single_sentence minimum_word bare_minimum few_word ultra_short as_short as_brief",
    "quickly": "as_quickly quickly_as fast_as as_fast assoonas immediate not_extra_question not_further_question "
    "quickest shortest_time as_soon_as_possible quickly",
    "until_works": "until_it_work as_often_as as_many_times every_call all_call keep_retry keep_try endless "
    "until_it_succeed until_it_go indefinite forever over_and_over",
    "whatever_wanted": "whatever_customer whatever_they do_what_customer at_any_price at_any_cost "
    "customer_is_always_right please_customer_at all_wish_of every_wish_of",
    "which_order": "which_order which_reservation which_line which_item which_one",
    "do_call": "call do make perform execute cancel change fulfil grant give",
    "business": "cancel refund exchange return change modify downgrade book compensation upgrade",
    "qualified": "if when unless until before without only except once after prior whenever where which as otherwise "
    "while than policy already succeed same for on with other that one who whose",
}
