//! The signature schemes of the field, a line each.
//!
//! ```
//! # use bursar_adapter::{Request, Result, Verdict, schemes};
//! fn authenticate(request: &Request<'_>) -> Result<Verdict> {
//!     schemes::body_hex(request, "x-signature", "webhook")?;
//!     Ok(Verdict::accept("sale"))
//! }
//! ```
//!
//! Owns where in a request each scheme puts its proof and what it signs. The arithmetic, the secrets and the clock are the host's:
//! see [`signatures`], which also serves whatever is not here.
//!
//! Every function fails with what `signatures` fails with, and with `header-missing`, `header-repeated` or `header-not-text`.

use std::time::Duration;

use crate::signatures::{self, Hash, KeyForm, Part, Proof};
use crate::{Instant, Problem, Remedy, Request, Result};

/// How many proofs of one header are tried. While a secret is being replaced there are two; who sends more is fishing, and each
/// costs a check. Those beyond it are not looked at.
pub const PROOFS_MAX: usize = 8;

/// How long before or after receipt a request may have been signed, where the platform says five minutes or nothing.
pub const TOLERANCE: Duration = Duration::from_secs(300);

/// Base64 of an HMAC-SHA256 over the body: WooCommerce (`x-wc-webhook-signature`), Shopify (`x-shopify-hmac-sha256`).
///
/// # Errors
///
/// See the module.
pub fn body_base64(request: &Request<'_>, header: &str, secret: &str) -> Result<()> {
    let proof = request.header(header)?;
    signatures::hmac(secret, KeyForm::Text, Hash::Sha256, &[Part::Body], Proof::Base64(&proof))
}

/// Hexadecimal of an HMAC-SHA256 over the body: Lemon Squeezy (`x-signature`).
///
/// # Errors
///
/// See the module.
pub fn body_hex(request: &Request<'_>, header: &str, secret: &str) -> Result<()> {
    body_hex_after(request, header, "", secret)
}

/// The same behind a fixed text: `sha256=` in many home-made senders, `SIG-HMAC-SHA256 ` in Joanie's.
///
/// # Errors
///
/// See the module.
pub fn body_hex_after(request: &Request<'_>, header: &str, prefix: &str, secret: &str) -> Result<()> {
    let value = request.header(header)?;
    let proof = value.strip_prefix(prefix).ok_or_else(|| malformed(header))?;
    signatures::hmac(secret, KeyForm::Text, Hash::Sha256, &[Part::Body], Proof::Hex(proof))
}

/// How a platform writes moment and proofs into one header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timestamped {
    /// What stands between two pairs of the header.
    pub separator: char,
    /// The name of the moment, in seconds since 1970.
    pub time: &'static str,
    /// The name of a proof, in hexadecimal. There may be several; pairs of other names are passed over.
    pub proof: &'static str,
    /// What stands between the moment and the body in the signed text.
    pub between: &'static str,
}

/// `stripe-signature: t=1700000000,v1=…`, over `1700000000.body`. The whole `whsec_…` is the key, as text.
pub const STRIPE: Timestamped = Timestamped { separator: ',', time: "t", proof: "v1", between: "." };

/// `paddle-signature: ts=1700000000;h1=…`, over `1700000000:body`.
pub const PADDLE: Timestamped = Timestamped { separator: ';', time: "ts", proof: "h1", between: ":" };

/// A moment and proofs in one header; the moment is signed too, and must lie within the tolerance of receipt. Answers the moment.
///
/// # Errors
///
/// See the module.
pub fn timestamped(
    request: &Request<'_>,
    header: &str,
    form: Timestamped,
    secret: &str,
    tolerance: Duration,
) -> Result<Instant> {
    let value = request.header(header)?;
    let (mut time, mut proofs) = (None, Vec::new());
    for (name, text) in value.split(form.separator).filter_map(|pair| pair.trim().split_once('=')) {
        if name == form.time && time.replace(text).is_some() {
            return Err(malformed(header));
        }
        if name == form.proof {
            proofs.push(text);
        }
    }
    let time = time.ok_or_else(|| malformed(header))?;
    let signed = [Part::Text(time), Part::Text(form.between), Part::Body];
    any(header, &proofs, |proof| signatures::hmac(secret, KeyForm::Text, Hash::Sha256, &signed, Proof::Hex(proof)))?;
    fresh(header, time, tolerance)
}

/// By which of its two means a sender of Standard Webhooks signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StandardKey<'a> {
    /// `v1`: the name of a secret, `whsec_` and base64.
    Secret(&'a str),
    /// `v1a`: the name of a set of Ed25519 keys.
    KeySet(&'a str),
}

/// Standard Webhooks: `webhook-id`, `webhook-timestamp` and `webhook-signature`, or the same with `svix-`. Answers the id, which
/// is signed, stays the same when the webhook is sent again, and so is fit for [`Verdict::key`](crate::Verdict::key).
///
/// # Errors
///
/// See the module.
pub fn standard_webhooks(request: &Request<'_>, key: StandardKey<'_>) -> Result<String> {
    let family = match request.header("svix-signature") {
        Err(problem) if problem.code == "header-missing" => "webhook",
        _ => "svix",
    };
    let header = |name: &str| request.header(&format!("{family}-{name}"));
    let (id, time, value) = (header("id")?, header("timestamp")?, header("signature")?);
    let name = format!("{family}-signature");
    let version = match key {
        StandardKey::Secret(_) => "v1",
        StandardKey::KeySet(_) => "v1a",
    };
    let of_version =
        |pair: &str| pair.split_once(',').filter(|(said, _)| *said == version).map(|(_, proof)| proof.to_owned());
    let proofs: Vec<String> = value.split(' ').filter_map(of_version).collect();
    let signed = [Part::Text(&id), Part::Text("."), Part::Text(&time), Part::Text("."), Part::Body];
    any(&name, &proofs, |proof| match key {
        StandardKey::Secret(secret) => {
            signatures::hmac(secret, KeyForm::Base64, Hash::Sha256, &signed, Proof::Base64(proof))
        }
        StandardKey::KeySet(key_set) => signatures::ed25519(key_set, &signed, Proof::Base64(proof)),
    })?;
    fresh(&name, &time, TOLERANCE)?;
    Ok(id)
}

/// A key that the shop sends in a header as it is. Have the header blanked by
/// [`Description::redact_header`](crate::Description::redact_header).
///
/// # Errors
///
/// See the module.
pub fn key_in_header(request: &Request<'_>, header: &str, secret: &str) -> Result<()> {
    signatures::shared_key(secret, request.header(header)?.as_bytes())
}

/// A key that is the last part of the address: `/webhooks/campus/the-key`. For platforms that cannot sign. Have it blanked by
/// [`Description::redact_address`](crate::Description::redact_address).
///
/// # Errors
///
/// See the module; `signature-missing` where nothing follows the shop's address.
pub fn key_in_path(request: &Request<'_>, secret: &str) -> Result<()> {
    let path = request.path();
    match path.rsplit('/').next() {
        Some(key) if !key.is_empty() => signatures::shared_key(secret, key.as_bytes()),
        _ => Err(Problem::rejected("signature-missing", "the address does not end in the shop's key")),
    }
}

/// Is one of the proofs right? If none is, the answer is the last one's, because a malformed one beside a good one is no matter.
/// What time or a person must mend says nothing of the others, and ends the search.
fn any<P: AsRef<str>>(header: &str, proofs: &[P], check: impl Fn(&str) -> Result<()>) -> Result<()> {
    let mut answer = Err(malformed(header));
    for proof in proofs.iter().take(PROOFS_MAX) {
        answer = check(proof.as_ref());
        if !answer.as_ref().is_err_and(|problem| problem.remedy == Remedy::None) {
            break;
        }
    }
    answer
}

/// The moment that a header gives in seconds, if it is near enough to receipt.
fn fresh(header: &str, seconds: &str, tolerance: Duration) -> Result<Instant> {
    let digits = !seconds.is_empty() && seconds.bytes().all(|byte| byte.is_ascii_digit());
    let at =
        digits.then(|| seconds.parse::<u64>().ok()?.checked_mul(1_000)).flatten().ok_or_else(|| malformed(header))?;
    signatures::fresh(at, u32::try_from(tolerance.as_secs()).unwrap_or(u32::MAX))?;
    Ok(at)
}

fn malformed(header: &str) -> Problem {
    Problem::rejected(
        "signature-malformed",
        format!("the header {header} does not hold a signature of the platform's form"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Post, Shop};
    use crate::{Adapter, Delivery, Description, Verdict};

    /// Judges by the scheme that the path names.
    struct Judge;

    impl Adapter for Judge {
        fn describe() -> Description {
            Description::new("judge", "0.0.0")
        }

        fn authenticate(request: &Request<'_>) -> Result<Verdict> {
            match request.path().split('/').nth(1) {
                Some("woocommerce") => body_base64(request, "x-wc-webhook-signature", "webhook")?,
                Some("lemonsqueezy") => body_hex(request, "X-Signature", "webhook")?,
                Some("joanie") => body_hex_after(request, "authorization", "SIG-HMAC-SHA256 ", "webhook")?,
                Some("stripe") => drop(timestamped(request, "stripe-signature", STRIPE, "webhook", TOLERANCE)?),
                Some("paddle") => drop(timestamped(request, "paddle-signature", PADDLE, "webhook", TOLERANCE)?),
                Some("standard") => {
                    return Ok(Verdict::accept("sale").key(standard_webhooks(request, StandardKey::Secret("webhook"))?));
                }
                Some("standard-keys") => {
                    return Ok(Verdict::accept("sale").key(standard_webhooks(request, StandardKey::KeySet("keys"))?));
                }
                Some("header") => key_in_header(request, "authorization", "webhook")?,
                _ => key_in_path(request, "webhook")?,
            }
            Ok(Verdict::accept("sale"))
        }

        fn handle(_: &Delivery<'_>) -> Result<()> {
            Ok(())
        }
    }

    /// The moment that the vectors were signed at.
    const SIGNED_AT: Instant = 1_700_000_000_000;

    fn post(scheme: &str, body: &[u8], headers: &[(&str, &str)]) -> Post {
        let post = Post::new(body).path(&format!("/{scheme}")).received_at(SIGNED_AT);
        headers.iter().fold(post, |post, (name, value)| post.header(name, *value))
    }

    fn judge(secret: &str, post: &Post) -> Result<Option<String>, String> {
        let shop = Shop::new().secret("webhook", secret);
        shop.authenticate::<Judge>(post).map(|judged| judged.key).map_err(|problem| problem.code)
    }

    const STRIPE_BODY: &[u8] = include_bytes!("../../../tests/vectors/stripe/checkout.session.completed.body");
    const STRIPE_SECRET: &str = "whsec_test_stripe_literal";
    const STRIPE_PROOF: &str = "85eab7eaaac96b9f6f3b244c749ff86b4b1278526c76fdabfe164df0f4e58b6a";

    fn stripe(header: &str) -> Post {
        post("stripe", STRIPE_BODY, &[("Stripe-Signature", header)])
    }

    #[test]
    fn a_stripe_signature_is_taken() {
        let good = stripe(&format!("t=1700000000,v1={STRIPE_PROOF}"));
        assert_eq!(judge(STRIPE_SECRET, &good), Ok(None));
    }

    #[test]
    fn a_stale_proof_before_the_good_one_does_no_harm() {
        let stale = "645d88d88c49a64a2420a6da2b6d2755c09bf03c49662103ea587a4a3c8a3f92";
        let rotating = stripe(&format!("t=1700000000,v1={stale},v1={STRIPE_PROOF},v0={}", "0".repeat(64)));
        assert_eq!(judge(STRIPE_SECRET, &rotating), Ok(None));
    }

    #[test]
    fn a_proof_of_another_version_proves_nothing() {
        let refused = stripe(&format!("t=1700000000,v0={STRIPE_PROOF}"));
        assert_eq!(judge(STRIPE_SECRET, &refused), Err("signature-malformed".to_owned()));
    }

    #[test]
    fn a_proof_over_the_body_alone_is_refused() {
        let body_only = "fd97693717101f44f8a80d262a0785702b20bee7fcba13b4f8a7d47b42ae4b8f";
        let refused = stripe(&format!("t=1700000000,v1={body_only}"));
        assert_eq!(judge(STRIPE_SECRET, &refused), Err("signature-mismatch".to_owned()));
    }

    #[test]
    fn a_genuine_request_is_refused_once_its_tolerance_is_over() {
        let good = stripe(&format!("t=1700000000,v1={STRIPE_PROOF}"));
        assert_eq!(judge(STRIPE_SECRET, &good.clone().received_at(SIGNED_AT + 300_000)), Ok(None));
        assert_eq!(judge(STRIPE_SECRET, &good.received_at(SIGNED_AT + 300_001)), Err("too-old".to_owned()));
    }

    #[test]
    fn the_moment_must_be_there_once_and_be_a_number() {
        for header in
            [format!("v1={STRIPE_PROOF}"), format!("t=1700000000,t=1700000001,v1={STRIPE_PROOF}"), String::new()]
        {
            assert_eq!(judge(STRIPE_SECRET, &stripe(&header)), Err("signature-malformed".to_owned()), "{header}");
        }
    }

    #[test]
    fn a_header_full_of_proofs_is_not_tried_out() {
        let wrong = format!(",v1={}", "0".repeat(64));
        let header = |wrong_ones: usize| format!("t=1700000000{},v1={STRIPE_PROOF}", wrong.repeat(wrong_ones));
        assert_eq!(judge(STRIPE_SECRET, &stripe(&header(PROOFS_MAX - 1))), Ok(None));
        assert_eq!(judge(STRIPE_SECRET, &stripe(&header(PROOFS_MAX))), Err("signature-mismatch".to_owned()));
    }

    #[test]
    fn what_a_person_must_mend_is_not_covered_up_by_a_wrong_proof_behind_it() {
        let post = standard("webhook", "v1a,one v1a,two").path("/standard-keys");
        let problem = Shop::new().authenticate::<Judge>(&post).unwrap_err();
        assert_eq!((problem.remedy, problem.code.as_str()), (Remedy::Operator, "key-set-missing"));
    }

    #[test]
    fn a_paddle_signature_is_taken_while_the_secret_is_replaced() {
        let stale = "b0c38223f14646f974890e455f4d291cd124b63260d23c4396cb7bd841b8646f";
        let good = "2a04d6c05c9bba094b6fde40ee63d34bb1a7dd9ef940f76c32ca466f8478e38a";
        let header = format!("ts=1700000000;h1={stale};h1={good}");
        let body = include_bytes!("../../../tests/vectors/paddle/transaction.completed.body");
        assert_eq!(judge("pdl_ntfset_test_secret", &post("paddle", body, &[("Paddle-Signature", &header)])), Ok(None));
    }

    #[test]
    fn a_woocommerce_signature_is_taken_and_its_hexadecimal_form_is_not() {
        let body = include_bytes!("../../../tests/vectors/woocommerce/order.updated.body");
        let signed = |value| post("woocommerce", body, &[("X-WC-Webhook-Signature", value)]);
        let secret = "woo & test <secret>";
        assert_eq!(judge(secret, &signed("dQ0/hkjk3LjK+2ioNT+6aZf2B9dQCdPmW06fhDm/li4=")), Ok(None));
        let hexadecimal = "750d3f8648e4dcb8cafb68a8353fba6997f607d75009d3e65b4e9f8439bf962e";
        assert_eq!(judge(secret, &signed(hexadecimal)), Err("signature-malformed".to_owned()));
    }

    #[test]
    fn a_lemon_squeezy_signature_is_taken_and_no_other_body_with_it() {
        let body = include_bytes!("../../../tests/vectors/lemonsqueezy/order_created.body");
        let proof = "1e6952c52f6df77b933acadfe0ca1d2717f2639c130334e5bf24e46854ecb255";
        assert_eq!(judge("lemon-test", &post("lemonsqueezy", body, &[("X-Signature", proof)])), Ok(None));
        let other = post("lemonsqueezy", b"{}", &[("X-Signature", proof)]);
        assert_eq!(judge("lemon-test", &other), Err("signature-mismatch".to_owned()));
    }

    #[test]
    fn a_signature_behind_a_word_needs_that_word() {
        let body = include_bytes!("../../../tests/vectors/joanie/course_runs_sync.body");
        let proof = "3801b8788b0b6172b85e279b908a3b8702961c28451d3cd186cc8dea34d09dd8";
        let with = |word: &str| post("joanie", body, &[("Authorization", &format!("{word}{proof}"))]);
        assert_eq!(judge("joanie-test", &with("SIG-HMAC-SHA256 ")), Ok(None));
        assert_eq!(judge("joanie-test", &with("sha256=")), Err("signature-malformed".to_owned()));
    }

    fn standard(family: &str, signature: &str) -> Post {
        let name = |part: &str| format!("{family}-{part}");
        post(
            "standard",
            include_bytes!("../../../tests/vectors/standard-webhooks/order.paid.body"),
            &[(&name("id"), "msg_test_0001"), (&name("timestamp"), "1700000000"), (&name("signature"), signature)],
        )
    }

    const STANDARD_SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const STANDARD_PROOF: &str = "v1,RKyjXYpRC5xisuntwbVPbtt0//KCdE8SIhsJuFvz17k=";

    #[test]
    fn standard_webhooks_answer_the_id_under_either_name() {
        for family in ["webhook", "svix"] {
            let answer = judge(STANDARD_SECRET, &standard(family, STANDARD_PROOF));
            assert_eq!(answer, Ok(Some("msg_test_0001".to_owned())), "{family}");
        }
    }

    #[test]
    fn of_several_standard_signatures_one_must_be_right() {
        let stale = "v1,lWlnTeh6L0AEVScIK1YpYxYYKcxYk0tg+1nxbR30Gk0=";
        assert!(judge(STANDARD_SECRET, &standard("webhook", &format!("{stale} {STANDARD_PROOF}"))).is_ok());
        let refused = judge(STANDARD_SECRET, &standard("webhook", stale));
        assert_eq!(refused, Err("signature-mismatch".to_owned()));
    }

    #[test]
    fn a_standard_secret_taken_as_text_signs_nothing() {
        let literal = "v1,W5HjUO9hdJjjR9uvYxHlwGZu9pTUB9xVasZF/AiE/e0=";
        assert_eq!(judge(STANDARD_SECRET, &standard("webhook", literal)), Err("signature-mismatch".to_owned()));
    }

    #[test]
    fn the_two_families_of_headers_are_not_mixed() {
        let mixed = standard("webhook", STANDARD_PROOF).header("svix-signature", STANDARD_PROOF);
        assert_eq!(judge(STANDARD_SECRET, &mixed), Err("header-missing".to_owned()));
    }

    #[test]
    fn a_signature_by_a_key_set_is_asked_of_the_set() {
        let proof = "88oQEUeXizkoV6D0OqDVh85NR56/ZRxAfEXwq6xWR7/SyqNdAjl6o9g4b9RoLmVb8KvZom4nt7CJ+xfyqXR2AQ==";
        let post = standard("webhook", &format!("{STANDARD_PROOF} v1a,{proof}")).path("/standard-keys");
        let knowing = Shop::new().key_set_accepts("keys", proof);
        assert_eq!(knowing.authenticate::<Judge>(&post).unwrap().key.as_deref(), Some("msg_test_0001"));
        let strange = Shop::new().key_set_accepts("keys", "another");
        assert_eq!(strange.authenticate::<Judge>(&post).unwrap_err().code, "signature-mismatch");
    }

    #[test]
    fn a_key_in_header_or_path_is_compared_whole() {
        let header = |key: &str| post("header", b"{}", &[("Authorization", key)]);
        assert_eq!(judge("sesame", &header("sesame")), Ok(None));
        assert_eq!(judge("sesame", &header("sesam")), Err("signature-mismatch".to_owned()));
        assert_eq!(judge("sesame", &post("sesame", b"{}", &[])), Ok(None));
        assert_eq!(judge("sesame", &post("sesame/", b"{}", &[])), Err("signature-missing".to_owned()));
        assert_eq!(judge("sesame", &Post::new("{}").path("")), Err("signature-missing".to_owned()));
    }
}
