//! What holds when everything happens at once.

use std::future::Future;
use std::sync::Arc;

use doorbell_domain::code::{CodePolicy, Purpose};
use doorbell_domain::registration::Refusal;
use doorbell_domain::session::EndReason;
use doorbell_domain::store::{RegisterError, Store};
use doorbell_domain::{Clock, Platform, Session, User, UserId};
use tokio::task::JoinSet;

use crate::Scene;
use crate::build::{alert, code_policy, fingerprint, otp_session, phone};

/// Runs them all at once; what they gave, in no order.
async fn together<T: Send + 'static>(
    work: impl IntoIterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    let mut set = JoinSet::new();
    for one in work {
        set.spawn(one);
    }
    set.join_all().await
}

async fn issue(scene: &Scene) {
    let code = otp_session(scene.id(), phone(1), scene.clock.now());
    scene
        .write(move |unit| {
            unit.lock_phone(&phone(1))?;
            unit.issue_code(&code)
        })
        .await;
}

/// 64 people who read the same message sign in once.
pub async fn of_parallel_right_guesses_one_uses_the_code(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    issue(&scene).await;
    let now = scene.tick();
    let policy = CodePolicy {
        attempts: 1_000,
        ..code_policy()
    };
    let guesses = (0..64).map(|_| {
        let scene = scene.clone();
        async move {
            scene
                .write(move |unit| {
                    let counted = unit.count_guess(&phone(1), Purpose::SignIn, now, &policy)?;
                    if let Some(code) = &counted {
                        unit.use_code(code, now)?;
                    }
                    Ok(counted.is_some())
                })
                .await
        }
    });
    let used = together(guesses).await.into_iter().filter(|used| *used).count();
    assert_eq!(used, 1);
    let code = scene.current_code(phone(1)).await.expect("a current code");
    assert_eq!((code.used_at, code.attempts), (Some(now), 1));
}

/// 200 wrong ones at once are no better than one after the other.
pub async fn of_parallel_guesses_only_so_many_are_counted(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    issue(&scene).await;
    let now = scene.tick();
    let guesses = (0..200).map(|_| {
        let scene = scene.clone();
        async move {
            scene
                .write(move |unit| unit.count_guess(&phone(1), Purpose::SignIn, now, &code_policy()))
                .await
        }
    });
    let counted = together(guesses).await.into_iter().flatten();
    let mut attempts: Vec<u32> = counted.map(|code| code.attempts).collect();
    attempts.sort_unstable();
    assert_eq!(attempts, [1, 2, 3, 4, 5]);
    let code = scene.current_code(phone(1)).await.expect("a current code");
    assert_eq!(code.attempts, 5);
}

/// Whoever comes second finds the first one's account.
pub async fn parallel_first_sign_ins_of_a_phone_make_one_account(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let sign_ups = (0..32).map(|_| {
        let scene = scene.clone();
        let user = User::sign_up(
            UserId::from_uuid(scene.id()),
            phone(1),
            None,
            None,
            scene.clock.now(),
        );
        async move { scene.write(move |unit| unit.find_or_insert_user(&user)).await }
    });
    let mut found = together(sign_ups).await;
    assert_eq!(found.len(), 32);
    found.dedup();
    assert_eq!(found.len(), 1);
}

/// A refresh token is worth one successor.
pub async fn of_parallel_rotations_one_moves_the_counter(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    let before = scene.session(caller).await;
    let rotations = (0..32).map(|_| {
        let scene = scene.clone();
        let next = Session {
            counter: 1,
            rotated_at: scene.tick(),
            ..before.clone()
        };
        async move { scene.write(move |unit| unit.rotate_session(&next)).await }
    });
    let moved = together(rotations)
        .await
        .into_iter()
        .filter(|moved| *moved)
        .count();
    assert_eq!(moved, 1);
    assert_eq!(scene.session(caller).await.counter, 1);
}

/// And the session knows which.
pub async fn of_parallel_fingerprints_one_is_pinned(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    let pins = (0..32).map(|n| {
        let scene = scene.clone();
        async move {
            let print = fingerprint(&format!("print-{n}"));
            let shown = print.clone();
            let pinned = scene
                .write(move |unit| unit.pin_fingerprint(caller.session, &shown))
                .await;
            pinned.then_some(print)
        }
    });
    let pinned: Vec<_> = together(pins).await.into_iter().flatten().collect();
    assert_eq!(pinned.len(), 1);
    assert_eq!(scene.session(caller).await.fingerprint, pinned.first().cloned());
}

/// 50 of the same (user, deviceId), as impatient clients send them.
pub async fn parallel_registrations_of_a_device_make_one_device_with_one_token(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    let values = ["v0", "v1", "v2"];
    let registrations = (0..50).zip(values.iter().cycle()).map(|(_, value)| {
        let scene = scene.clone();
        let draft = scene.draft(caller).with(alert(value));
        async move { scene.register(draft).await }
    });
    let registered = together(registrations).await;
    let mut devices: Vec<_> = registered.iter().map(|r| r.view.device.id).collect();
    let mut tokens: Vec<_> = registered
        .iter()
        .filter_map(|r| Some(r.token.as_ref()?.id))
        .collect();
    devices.sort_unstable();
    devices.dedup();
    tokens.sort_unstable();
    tokens.dedup();
    assert_eq!((devices.len(), tokens.len()), (1, 1));
    assert_eq!(scene.page(caller, 0, 100).await.total, 1);
    let mut rows = 0;
    for value in values {
        rows += scene.remove_tokens(caller.user, value).await.len();
    }
    assert_eq!(rows, 1);
    assert_eq!(scene.history(caller.user).await, ["device_added"]);
}

/// 50 users, one phone.
pub async fn a_token_that_many_register_at_once_has_one_owner(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let mut people = Vec::new();
    for n in 0..50 {
        people.push(scene.person(n).await);
    }
    let registrations = people.iter().map(|caller| {
        let scene = scene.clone();
        let draft = scene.draft(*caller).with(alert("token"));
        async move { scene.register(draft).await }
    });
    assert_eq!(together(registrations).await.len(), 50);
    let (mut shown, mut removed, mut lost, mut gained) = (0, 0, 0, 0);
    for caller in people {
        shown += scene.shown(caller).await.into_iter().flatten().count();
        let history = scene.history(caller.user).await;
        lost += history.iter().filter(|action| *action == "address_lost").count();
        gained += history
            .iter()
            .filter(|action| *action == "address_gained")
            .count();
        removed += scene.remove_tokens(caller.user, "token").await.len();
    }
    assert_eq!((shown, removed), (1, 1));
    assert_eq!((lost, gained), (49, 49), "every move is on both trails");
}

/// Two people who keep swapping two phones.
pub async fn tokens_that_cross_over_never_block_each_other(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let (one, other) = (scene.person(1).await, scene.person(2).await);
    for round in 0..30 {
        let (left, right) = if round % 2 == 0 {
            ("left", "right")
        } else {
            ("right", "left")
        };
        let drafts = [
            scene.draft(one).with(alert(left)).on("phone", Platform::Ios),
            scene.draft(other).with(alert(right)).on("phone", Platform::Ios),
            scene.draft(one).with(alert(right)).on("tablet", Platform::Ios),
            scene.draft(other).with(alert(left)).on("tablet", Platform::Ios),
        ];
        let crossing = drafts.map(|draft| {
            let scene = scene.clone();
            async move { scene.try_register(draft).await }
        });
        for answer in together(crossing).await {
            assert!(answer.is_ok(), "round {round}: {answer:?}");
        }
        for value in ["left", "right"] {
            let mut owners = 0;
            for caller in [one, other] {
                let shown = scene.shown(caller).await;
                owners += shown.iter().flatten().filter(|token| *token == value).count();
            }
            assert_eq!(owners, 1, "round {round}: {value}");
        }
    }
}

/// Whether a registration comes just before the logout or just after it.
pub async fn a_logout_amid_registrations_leaves_nothing_shown(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let first = scene.person(1).await;
    for round in 0..10 {
        let caller = scene.sign_in(first.user).await;
        let registrations: Vec<_> = (0..6)
            .map(|n| {
                scene
                    .draft(caller)
                    .on(&format!("device-{n}"), Platform::Ios)
                    .with(alert(&format!("token-{n}")))
            })
            .collect();
        let at = scene.tick();
        let mut all = JoinSet::new();
        for (n, draft) in registrations.into_iter().enumerate() {
            let writer = scene.clone();
            all.spawn(async move {
                match writer.try_register(draft).await {
                    Ok(_) | Err(RegisterError::Refused(Refusal::SessionOver)) => {}
                    Err(error) => panic!("{error:?}"),
                }
            });
            if n == 2 {
                let scene = scene.clone();
                all.spawn(async move {
                    let end = move |unit: &mut dyn doorbell_domain::store::Unit| {
                        unit.end_session(caller.session, at, EndReason::Logout)
                    };
                    assert!(scene.write(end).await);
                });
            }
        }
        all.join_all().await;
        let shown = scene.shown(first).await;
        assert!(shown.iter().all(Option::is_none), "round {round}: {shown:?}");
    }
}

/// Neither an error nor a second owner nor a leftover.
pub async fn removals_amid_registrations_leave_one_owner_or_none(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let mut people = Vec::new();
    for n in 0..4 {
        people.push(scene.person(n).await);
    }
    let mut all = JoinSet::new();
    for _ in 0..10 {
        for caller in people.clone() {
            let draft = scene.draft(caller).with(alert("token"));
            let (writer, remover) = (scene.clone(), scene.clone());
            all.spawn(async move { drop(writer.register(draft).await) });
            all.spawn(async move { drop(remover.remove_tokens(caller.user, "token").await) });
        }
    }
    all.join_all().await;
    let mut owners = 0;
    for caller in &people {
        owners += scene.shown(*caller).await.into_iter().flatten().count();
    }
    assert!(owners <= 1, "{owners}");
    let last = scene.person(9).await;
    scene.register(scene.draft(last).with(alert("token"))).await;
    for caller in people {
        assert_eq!(scene.remove_tokens(caller.user, "token").await, []);
    }
    assert_eq!(scene.shown(last).await, [Some("token".to_owned())]);
}

/// A limit that only holds one at a time is none.
pub async fn parallel_new_devices_never_pass_the_limit(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    let registrations = (0..20).map(|n| {
        let scene = scene.clone();
        let draft = scene
            .draft(caller)
            .on(&format!("device-{n}"), Platform::Ios)
            .max_devices(5);
        async move { scene.try_register(draft).await }
    });
    let answers = together(registrations).await;
    let made = answers.iter().filter(|answer| answer.is_ok()).count();
    assert_eq!(made, 5);
    let full = Err(RegisterError::Refused(Refusal::TooManyDevices));
    assert_eq!(answers.iter().filter(|answer| **answer == full).count(), 15);
    assert_eq!(scene.page(caller, 0, 100).await.total, 5);
}
