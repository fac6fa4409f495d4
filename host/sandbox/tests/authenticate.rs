//! How `authenticate` decides, and what it may not do.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests fail by panicking"
)]
#![allow(dead_code, unreachable_pub, reason = "each test crate uses a part of the support")]

mod support;

use std::time::Duration;

use bursar_domain::Timestamp;
use bursar_sandbox::{Answer, Authenticated, Decision, Problem, Remedy, ShopContext};
use bytes::Bytes;
use secrecy::SecretString;
use support::{adapter, request, request_with, shop, shop_with, sign};

async fn decide(path: &str) -> Authenticated {
    adapter().await.authenticate(&shop(), request(path)).await.unwrap()
}

async fn problem_of(path: &str) -> Problem {
    let Decision::Problem(problem) = decide(path).await.decision else { panic!("{path} was no problem") };
    problem
}

fn code(authenticated: &Authenticated) -> (&str, Remedy) {
    match &authenticated.decision {
        Decision::Problem(problem) => (&problem.code, problem.remedy),
        other => panic!("no problem but {other:?}"),
    }
}

#[tokio::test]
async fn a_signed_request_is_accepted_with_all_that_the_verdict_says() {
    let authenticated = decide("/hmac").await;
    assert_eq!(
        authenticated.decision,
        Decision::Accept {
            topic: "order.updated".to_owned(),
            subject: Some("order-7".to_owned()),
            key: Some("event-1".to_owned()),
            occurred_at: Some(Timestamp::from_millis(1_700_000_000_000)),
            answer: None,
        }
    );
    assert!(authenticated.failed_check.is_none());
    assert!(authenticated.usage.memory_peak > 0 && authenticated.usage.host_calls > 4);
}

#[tokio::test]
async fn an_accept_without_a_check_is_refused_as_unverified() {
    for path in ["/accept", "/fail-then-accept"] {
        let request = request_with(path, b"{}", |request| request.headers[1].1 = sign("guessed", b"{}").into());
        let authenticated = adapter().await.authenticate(&shop(), request).await.unwrap();
        assert_eq!(code(&authenticated), ("unverified", Remedy::None), "{path}");
    }
}

#[tokio::test]
async fn an_unsigned_shop_accepts_without_a_check() {
    let unsigned = shop_with(|shop| shop.unsigned = true);
    let authenticated = adapter().await.authenticate(&unsigned, request("/accept")).await.unwrap();
    assert!(matches!(authenticated.decision, Decision::Accept { .. }));
}

#[tokio::test]
async fn ignoring_and_responding_need_no_check() {
    assert_eq!(decide("/ignore").await.decision, Decision::Ignore { reason: "of no interest".to_owned() });
    let answer = Answer { status: 200, content_type: "text/plain".to_owned(), body: b"pong".to_vec() };
    assert_eq!(decide("/respond/200").await.decision, Decision::Respond(answer));
}

#[tokio::test]
async fn an_answer_out_of_bounds_is_refused_and_nothing_is_lost() {
    for path in ["/respond/500", "/respond/199", "/respond-html", "/respond-long"] {
        let problem = problem_of(path).await;
        assert_eq!((problem.code.as_str(), problem.remedy), ("answer-refused", Remedy::Operator), "{path}");
    }
}

#[tokio::test]
async fn an_accepted_request_may_have_an_answer() {
    let Decision::Accept { answer: Some(answer), .. } = decide("/answer").await.decision else { panic!() };
    assert_eq!(
        (answer.status, answer.content_type.as_str(), answer.body.as_slice()),
        (202, "application/json", &b"{}"[..])
    );
}

#[tokio::test]
async fn a_wrong_signature_is_a_mismatch_and_leaves_a_trace_for_the_operator() {
    let body = br#"{"id":7}"#;
    let request = request_with("/hmac", body, |request| {
        request.headers[1].1 = sign("the secret of the form ", body).into();
    });
    let authenticated = adapter().await.authenticate(&shop(), request).await.unwrap();
    assert_eq!(code(&authenticated), ("signature-mismatch", Remedy::None));
    let check = authenticated.failed_check.unwrap();
    assert_eq!(check.secret(), "webhook");
    assert_eq!(check.diagnose(&shop()), None);
    let with_blank = shop_with(|shop| set_secret(shop, " the secret of the form "));
    assert_eq!(check.diagnose(&with_blank), None);
}

fn set_secret(shop: &mut ShopContext, secret: &str) {
    shop.secrets.insert("webhook".to_owned(), vec![SecretString::from(secret)]);
}

#[tokio::test]
async fn a_malformed_signature_is_told_from_a_wrong_one() {
    let request = request_with("/hmac", b"{}", |request| request.headers[1].1 = Bytes::from_static(b"not base64"));
    let authenticated = adapter().await.authenticate(&shop(), request).await.unwrap();
    assert_eq!(code(&authenticated), ("signature-malformed", Remedy::None));
}

#[tokio::test]
async fn a_missing_secret_is_the_operators_business() {
    for change in [|shop: &mut ShopContext| shop.secrets.clear(), |shop: &mut ShopContext| set_secret(shop, "")] {
        let authenticated = adapter().await.authenticate(&shop_with(change), request("/hmac")).await.unwrap();
        assert_eq!(code(&authenticated), ("secret-missing", Remedy::Operator));
    }
}

#[tokio::test]
async fn the_recorded_request_of_woocommerce_verifies_and_its_html_trap_is_diagnosed() {
    let body = include_bytes!("data/woocommerce.order.updated.json");
    let signed = |signature: &'static str| {
        request_with("/hmac", body, |request| request.headers[1].1 = Bytes::from_static(signature.as_bytes()))
    };
    let typed = shop_with(|shop| set_secret(shop, "woo & test <secret>"));
    let right = signed("dQ0/hkjk3LjK+2ioNT+6aZf2B9dQCdPmW06fhDm/li4=");
    let authenticated = adapter().await.authenticate(&typed, right).await.unwrap();
    assert!(matches!(authenticated.decision, Decision::Accept { .. }), "{:?}", authenticated.decision);

    let escaped = signed("DjeC+/XpuZY2RxmAr5zFBFIsz2mNvgqiRPL0amyYHXM=");
    let authenticated = adapter().await.authenticate(&typed, escaped).await.unwrap();
    assert_eq!(code(&authenticated), ("signature-mismatch", Remedy::None));
    let words = authenticated.failed_check.unwrap().diagnose(&typed).unwrap();
    assert!(words.contains("HTML-escaped") && !words.contains("woo &"), "{words}");

    let hex = signed("750d3f8648e4dcb8cafb68a8353fba6997f607d75009d3e65b4e9f8439bf962e");
    let authenticated = adapter().await.authenticate(&typed, hex).await.unwrap();
    assert_eq!(code(&authenticated), ("signature-malformed", Remedy::None));
    let words = authenticated.failed_check.unwrap().diagnose(&typed).unwrap();
    assert!(words.contains("hexadecimal"), "{words}");
}

#[tokio::test]
async fn the_published_vector_of_standard_webhooks_verifies() {
    let request = request_with("/standard", include_bytes!("data/standard.known.json"), |request| {
        for (name, value) in [
            ("webhook-id", "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk"),
            ("webhook-timestamp", "1649367553"),
            ("webhook-signature", "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw="),
        ] {
            request.headers.push((name.to_owned(), Bytes::from_static(value.as_bytes())));
        }
    });
    let shop = shop_with(|shop| set_secret(shop, "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"));
    let authenticated = adapter().await.authenticate(&shop, request).await.unwrap();
    assert!(matches!(authenticated.decision, Decision::Accept { .. }), "{:?}", authenticated.decision);
}

#[tokio::test]
async fn a_shared_key_proves_a_request_as_well() {
    for (key, accepted) in [("sesame", true), ("sesam", false), ("", false)] {
        let request = request_with("/shared", b"{}", |request| {
            request.headers.push(("x-key".to_owned(), Bytes::from_static(key.as_bytes())));
        });
        let authenticated = adapter().await.authenticate(&shop(), request).await.unwrap();
        assert_eq!(matches!(authenticated.decision, Decision::Accept { .. }), accepted, "{key:?}");
    }
}

#[tokio::test]
async fn freshness_counts_from_the_moment_of_arrival_and_proves_nothing() {
    let unsigned = shop_with(|shop| shop.unsigned = true);
    let adapter = adapter().await;
    for (at, expected) in [
        (support::RECEIVED - 300_000, None),
        (support::RECEIVED + 300_000, None),
        (support::RECEIVED - 300_001, Some("too-old")),
        (support::RECEIVED + 300_001, Some("too-new")),
        (0, Some("too-old")),
        (i64::MAX, Some("too-new")),
    ] {
        let authenticated = adapter.authenticate(&unsigned, request(&format!("/fresh/{at}"))).await.unwrap();
        let code = match &authenticated.decision {
            Decision::Problem(problem) => Some(problem.code.as_str()),
            _ => None,
        };
        assert_eq!(code, expected, "{at}");
    }
    let signed = adapter.authenticate(&shop(), request(&format!("/fresh/{}", support::RECEIVED))).await.unwrap();
    assert_eq!(code(&signed), ("unverified", Remedy::None));
}

#[tokio::test]
async fn a_key_set_that_nobody_configured_is_the_operators_business() {
    let request = request_with("/jws/RS256", b"", |request| {
        request.headers =
            vec![("saleor-signature".to_owned(), Bytes::from_static(b"eyJhbGciOiJSUzI1NiIsImI2NCI6ZmFsc2V9..AA"))];
    });
    let authenticated = adapter().await.authenticate(&shop(), request).await.unwrap();
    assert_eq!(code(&authenticated), ("key-set-missing", Remedy::Operator));
}

#[tokio::test]
async fn the_adapters_own_problem_comes_through() {
    for (path, remedy) in
        [("/problem/none", Remedy::None), ("/problem/later", Remedy::Later), ("/problem/operator", Remedy::Operator)]
    {
        let problem = problem_of(path).await;
        assert_eq!((problem.code.as_str(), problem.remedy), ("told-so", remedy));
        assert_eq!(problem.retry_after, Some(Duration::from_secs(60)));
    }
}

#[tokio::test]
async fn a_problem_is_cut_and_cleaned() {
    let problem = problem_of("/long-problem").await;
    assert_eq!(problem.code, "unnamed");
    assert_eq!(problem.message.len(), bursar_sandbox::limits::MESSAGE);
    assert!(!problem.message.contains('\n'));
}

#[tokio::test]
async fn headers_are_read_one_by_one_and_never_guessed() {
    for (headers, expected) in [
        (vec![("x-a", &b"1"[..])], None),
        (vec![], Some("header-missing")),
        (vec![("x-a", b"1"), ("x-a", b"2")], Some("header-repeated")),
        (vec![("x-a", b"\xff")], Some("header-not-text")),
    ] {
        let request = request_with("/header/X-A", b"", |request| {
            request.headers =
                headers.iter().map(|(name, value)| ((*name).to_owned(), Bytes::copy_from_slice(value))).collect();
        });
        let authenticated = adapter().await.authenticate(&shop(), request).await.unwrap();
        match expected {
            None => assert!(matches!(authenticated.decision, Decision::Ignore { .. })),
            Some(expected) => assert_eq!(code(&authenticated), (expected, Remedy::None)),
        }
    }
}

#[tokio::test]
async fn an_adapter_sees_the_request_and_its_shops_settings() {
    let logs = decide("/echo").await.logs;
    let lines: Vec<_> = logs.lines.iter().map(|line| line.message.as_str()).collect();
    assert_eq!(lines, ["POST a=b 1700000000000", "2 headers, 8 bytes", r#"campus {"greeting":"hello"}"#]);
}

#[tokio::test]
async fn nothing_is_remembered_from_one_run_to_the_next() {
    let adapter = adapter().await;
    for _ in 0..3 {
        let authenticated = adapter.authenticate(&shop(), request("/remember")).await.unwrap();
        assert_eq!(authenticated.decision, Decision::Ignore { reason: "seen 1".to_owned() });
    }
}

#[tokio::test]
async fn the_ledger_is_out_of_reach_while_the_shop_waits() {
    let logs = decide("/wrong-phase").await.logs;
    assert!(logs.lines[0].message.contains("wrong-phase"), "{logs:?}");
    assert_eq!(logs.lines[1].message, "0 known");
}
