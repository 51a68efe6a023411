//! What every store must do, told as stories. An adapter stamps them all with
//! [`store_contract!`](crate::store_contract), each on an empty store of its own.

pub mod admission;
pub mod api_keys;
pub mod atomicity;
pub mod audit;
pub mod code_outbox;
pub mod codes;
pub mod concurrency;
pub mod credentials;
pub mod deletions;
pub mod delivery_sweeps;
pub mod events;
pub mod jobs;
pub mod keys;
pub mod limits;
pub mod messages;
pub mod moves;
pub mod personal_data;
pub mod reads;
pub mod registration;
pub mod removal;
pub mod replacement;
pub mod reports;
pub mod sealed;
pub mod sessions;
pub mod suspects;
pub mod sweeps;
pub mod unreached;
pub mod users;

/// Stamps one test for every story of the contract.
///
/// `$fresh` is an `async fn() -> Fresh` that makes an empty store. The calling crate needs `tokio` with its
/// macros and multi-threaded runtime.
#[macro_export]
macro_rules! store_contract {
    ($fresh:ident) => {
        $crate::store_contract! { @topics $fresh;
            atomicity {
                what_a_transaction_wrote_is_there_after_its_ok
                a_store_error_rolls_everything_back
                a_refusal_that_is_a_value_is_remembered
                a_panic_is_a_failure_and_the_store_goes_on
                a_transaction_reads_its_own_writes
                a_reading_transaction_sees_what_was_committed
                the_store_is_ready
            }
            codes {
                a_new_phone_was_never_sent_anything
                a_code_is_kept_whole
                issuing_notes_the_send_and_supersedes_the_code_before
                a_guess_counts_exactly_when_the_rules_admit_it
                an_unknown_phone_has_no_code_to_guess
                a_used_code_stays_used
                phones_do_not_touch_each_other
            }
            code_outbox {
                a_queued_code_is_kept_whole
                a_newer_code_takes_the_place_of_the_one_before
                of_parallel_claims_each_code_is_in_one
                a_claim_takes_what_is_due_first_and_no_more_than_it_may
                a_lease_that_ran_out_is_claimed_again_under_a_higher_fence
                a_postponed_code_is_due_at_its_time
                a_code_is_claimed_exactly_when_the_rules_admit_it
                an_expired_code_is_dropped
                a_code_that_was_not_committed_is_not_sent
            }
            limits {
                a_counter_counts_exactly_when_it_has_room
                a_lowered_limit_holds_at_once
                each_key_has_its_own_counter
                what_gives_up_has_counted_nothing
                of_parallel_requests_the_limit_is_accepted
                a_phones_failures_outlive_its_codes
                a_phones_sends_are_remembered
            }
            users {
                the_first_account_of_a_phone_stays
                every_field_of_an_account_is_kept
                an_account_can_lose_everything_again
                a_user_name_is_unique_without_regard_to_case
                a_user_name_that_was_given_up_can_be_taken
                a_phone_that_was_given_up_can_sign_up_again
                unknown_accounts_are_none
            }
            sessions {
                every_field_of_a_session_is_kept
                the_counter_moves_only_from_its_predecessor
                the_first_fingerprint_wins
                a_session_ends_once
                ending_all_sessions_spares_the_exception_and_everybody_else
                a_locked_session_is_read_whole
            }
            registration {
                every_field_of_a_device_is_kept
                a_device_registered_again_keeps_its_identity_and_what_was_not_sent
                a_device_can_be_named_by_its_id
                a_revoked_device_hides_its_token_and_shows_it_when_revived
                an_unknown_device_is_refused
                a_session_that_is_over_registers_nothing
                a_foreign_fingerprint_is_refused_and_remembered
                a_registration_leaves_its_mark_on_the_session
                the_users_zone_follows_the_device
                a_user_has_at_most_so_many_devices
                a_batch_is_answered_in_its_order
                a_batch_sees_its_own_earlier_members
                an_empty_batch_has_no_answers
                registering_the_same_again_changes_nothing_but_times
            }
            credentials {
                every_kind_of_token_is_kept_whole
                a_new_value_replaces_the_old_one_in_its_row
                a_replaced_value_belongs_to_nobody
                a_subscription_is_kept_whole
                a_subscription_registered_again_keeps_its_row_and_device
                a_holder_is_found_again_by_its_token
                a_value_on_the_users_other_device_is_gathered
                a_live_activity_moves_with_its_user
                tokens_revive_under_a_new_session
                the_shown_token_is_the_default_apps_or_else_the_newest
            }
            moves {
                a_token_moves_to_the_next_user_with_all_its_apps
                crossing_registrations_may_be_batched_in_any_way
                a_subscription_moves_with_its_device
                a_token_on_a_subscriptions_device_leaves_with_it
                a_moved_token_can_move_back
                a_batch_can_pass_one_token_around
                a_value_at_another_provider_is_another_address
            }
            removal {
                tokens_leave_by_value_whatever_their_app_and_kind
                suspended_tokens_leave_too
                another_users_token_stays
                a_removed_value_can_be_registered_again
                a_live_activitys_token_leaves_alone
                a_subscription_leaves_with_its_device
                unknown_credentials_are_none
            }
            reads {
                an_unknown_session_or_a_foreign_user_reads_nothing
                an_ended_session_is_read_and_left_to_be_judged
                devices_come_newest_first_with_ties_by_id
                a_page_past_the_end_still_tells_the_total
                a_user_without_devices_has_an_empty_page
                a_device_is_found_by_id_and_by_name_and_only_by_its_user
                suspended_tokens_are_not_shown
                suspended_subscriptions_are_not_listed
                sessions_come_newest_first_without_the_dead
            }
            keys {
                the_first_key_stays
                keys_of_one_use_come_newest_first
                servers_that_start_at_once_agree_on_one_key
                a_key_is_kept_with_its_times
                who_changes_keys_is_waited_for
            }
            sealed {
                sealed_values_come_in_pages_in_order
                a_sealed_value_is_replaced_only_where_it_is_what_was_read
                a_credential_that_was_sealed_again_reads_as_before
            }
            audit {
                the_trail_is_newest_first_and_whole
                a_trail_is_its_users_alone
                nothing_to_record_is_nothing
            }
            personal_data {
                a_trail_is_paged_newest_first_without_gap_or_repeat
                an_export_holds_everything_of_its_user_alone
                an_export_is_cut_at_its_most
                an_unknown_session_or_a_foreign_user_exports_nothing
            }
            sweeps {
                codes_go_from_their_edge_on
                phones_go_from_their_edge_on
                a_phone_that_was_guessed_at_goes_from_its_later_edge_on
                lines_of_the_trail_go_from_their_edge_on
                unseen_tokens_go_and_with_the_last_one_their_address
                a_token_that_was_registered_again_stays
                an_ended_session_takes_along_what_it_suspended
                a_revived_credential_outlives_its_first_session
                a_browsers_device_stays_while_anything_lies_on_it
                an_expired_session_stays_while_anything_rings_under_it
                an_ended_session_does_not_go_by_its_expiry
                a_sweep_does_at_most_its_limit_oldest_first
                a_session_with_much_under_it_goes_piece_by_piece
                sweeps_at_once_share_what_is_to_be_done
            }
            deletions {
                a_deletion_is_due_from_its_instant_on
                an_erased_account_leaves_its_trail_and_an_empty_row
                an_erased_accounts_codes_are_sent_no_more
                a_cancel_and_a_finalisation_that_meet_leave_one_of_them
                of_parallel_finalisations_one_does_it
            }
            messages {
                an_accepted_message_is_kept_whole
                a_message_that_was_not_committed_is_not_sent
                a_message_for_nobody_is_accepted
                an_idempotency_key_is_one_requests_of_one_api_key
                of_parallel_requests_with_one_key_one_becomes_a_message
                what_can_be_rung_is_found_once_whoever_names_it
                what_may_not_be_rung_is_not_found
                a_thousand_may_be_named_at_once
                taking_a_message_back_ends_what_nobody_has_claimed
                a_message_that_is_taken_back_whole_is_over
                three_hundred_jobs_pass_in_batches
                a_message_waits_for_the_time_that_it_is_to_be_sent_at
            }
            replacement {
                a_later_message_takes_the_place_of_one_with_its_collapse_key
                a_later_message_that_rang_nobody_takes_no_place
            }
            jobs {
                a_claim_takes_what_is_due_first_and_no_more_than_it_may
                of_parallel_claims_each_job_is_in_one
                a_lease_that_ran_out_is_claimed_again_under_a_higher_fence
                a_postponed_job_is_due_at_its_time_and_says_why
                a_claim_that_was_given_back_counts_for_nothing
                every_end_is_kept_with_its_reason
                a_batch_ends_what_it_may_and_passes_over_the_rest
                a_job_whose_time_is_over_is_claimed_all_the_same
                a_job_that_was_set_aside_can_be_put_back
                only_what_was_set_aside_and_has_time_left_is_put_back
                busy_and_resting_lanes_are_passed_over_while_others_flow
            }
            admission {
                a_logout_between_acceptance_and_claim_is_seen
                the_expiry_of_a_session_is_no_end
                a_revoked_device_is_seen
                what_moved_to_somebody_else_is_seen
                what_was_removed_is_seen
                a_credential_that_was_registered_again_is_rung_as_it_is_now
                a_message_that_cannot_be_read_holds_nobody_up
                a_credential_that_cannot_be_read_holds_nobody_up
                a_browser_is_rung_by_its_own_row
            }
            suspects {
                a_suspect_is_silent_until_it_may_be_probed
                a_suspect_stays_one_since_the_first_proof
                registering_ends_a_suspicion
                what_was_registered_or_rung_since_it_was_claimed_is_no_suspect
                suspects_are_told_by_their_rows
                ringing_is_noted_and_ends_a_suspicion
                the_dead_are_removed_only_where_all_is_as_it_was
                a_device_on_which_anything_else_lies_outlives_its_dead
                holding_for_dead_stops_once_and_resumes_once
            }
            reports {
                a_report_counts_a_messages_jobs_by_their_states
                a_reports_jobs_come_in_pages_without_gap_or_repeat
                an_unknown_message_has_no_report
                a_trail_tells_of_a_user_and_their_jobs_newest_first
            }
            unreached {
                a_message_that_finds_nothing_to_ring_is_on_its_users_trail
                what_is_noted_of_the_unreached_goes_from_its_edge_on
                an_erased_account_leaves_no_message_that_did_not_reach_it
            }
            api_keys {
                an_api_key_is_found_by_its_hash_until_it_is_revoked
                the_name_of_a_revoked_key_can_be_used_again
                of_parallel_keys_of_one_name_one_is_written
            }
            delivery_sweeps {
                finished_jobs_go_from_their_edge_on
                messages_go_from_their_edge_on_once_their_jobs_have_gone
                idempotency_keys_go_from_their_edge_on
                rests_of_lanes_go_from_their_edge_on
                suspects_go_from_their_edge_on_with_what_hangs_on_them
                sweeps_of_delivery_do_at_most_their_limit_oldest_first
                an_erased_account_takes_its_jobs_along
            }
            events {
                a_line_of_the_trail_is_an_event_with_its_id
                a_line_that_is_written_again_is_one_event
                a_token_that_moves_is_an_event
                a_device_that_is_revoked_is_an_event
                what_was_not_committed_is_no_event
                a_message_is_an_event_once_its_last_job_is_over
                a_message_that_is_taken_back_whole_is_an_event
                of_parallel_claims_each_event_is_in_one
                a_claim_takes_what_is_due_first_and_no_more_than_it_may
                a_lease_that_ran_out_is_claimed_again_under_a_higher_fence
                a_postponed_event_is_due_at_its_time
                an_erased_account_takes_its_events_along
                events_that_nobody_claims_go_from_their_edge_on
            }
            concurrency {
                of_parallel_right_guesses_one_uses_the_code
                of_parallel_guesses_only_so_many_are_counted
                parallel_first_sign_ins_of_a_phone_make_one_account
                of_parallel_rotations_one_moves_the_counter
                of_parallel_fingerprints_one_is_pinned
                parallel_registrations_of_a_device_make_one_device_with_one_token
                a_token_that_many_register_at_once_has_one_owner
                tokens_that_cross_over_never_block_each_other
                a_logout_amid_registrations_leaves_nothing_shown
                removals_amid_registrations_leave_one_owner_or_none
                parallel_new_devices_never_pass_the_limit
            }
        }
    };
    (@topics $fresh:ident; $($topic:ident { $($case:ident)* })*) => {$(
        mod $topic {$(
            #[::tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $case() {
                let fresh = super::$fresh().await;
                $crate::contract::$topic::$case(::std::sync::Arc::clone(&fresh.store)).await;
            }
        )*}
    )*};
}

#[cfg(test)]
mod tests {
    /// A story that the macro forgets would never be told.
    #[test]
    fn every_story_is_stamped() {
        let stamped = include_str!("contract.rs");
        let topics = [
            ("admission", include_str!("contract/admission.rs")),
            ("api_keys", include_str!("contract/api_keys.rs")),
            ("atomicity", include_str!("contract/atomicity.rs")),
            ("audit", include_str!("contract/audit.rs")),
            ("code_outbox", include_str!("contract/code_outbox.rs")),
            ("codes", include_str!("contract/codes.rs")),
            ("concurrency", include_str!("contract/concurrency.rs")),
            ("credentials", include_str!("contract/credentials.rs")),
            ("deletions", include_str!("contract/deletions.rs")),
            ("delivery_sweeps", include_str!("contract/delivery_sweeps.rs")),
            ("events", include_str!("contract/events.rs")),
            ("jobs", include_str!("contract/jobs.rs")),
            ("keys", include_str!("contract/keys.rs")),
            ("limits", include_str!("contract/limits.rs")),
            ("messages", include_str!("contract/messages.rs")),
            ("moves", include_str!("contract/moves.rs")),
            ("personal_data", include_str!("contract/personal_data.rs")),
            ("reads", include_str!("contract/reads.rs")),
            ("registration", include_str!("contract/registration.rs")),
            ("removal", include_str!("contract/removal.rs")),
            ("reports", include_str!("contract/reports.rs")),
            ("sealed", include_str!("contract/sealed.rs")),
            ("sessions", include_str!("contract/sessions.rs")),
            ("suspects", include_str!("contract/suspects.rs")),
            ("sweeps", include_str!("contract/sweeps.rs")),
            ("users", include_str!("contract/users.rs")),
        ];
        for (topic, source) in topics {
            let stories: Vec<_> = source
                .lines()
                .filter_map(|line| line.strip_prefix("pub async fn ")?.split('(').next())
                .collect();
            assert!(!stories.is_empty(), "{topic}");
            for story in stories {
                let line = format!("                {story}");
                assert!(
                    stamped.lines().any(|l| l == line),
                    "{topic}::{story} is never run"
                );
            }
        }
    }
}
