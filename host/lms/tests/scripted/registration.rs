//! Registering a learner.

use bursar_lms::{Class, Doubt, LmsError, Refusal, Registered, Registration};

use crate::server::{Reply, email, html, json, lms, reply, user};

fn registration() -> Registration {
    Registration {
        email: email("new.person+1@example.com"),
        username: user("newone"),
        name: "Ada & Co. Lovelace".to_owned(),
        password: "Spike-pass-1".into(),
        extra: vec![("country".to_owned(), "PT".to_owned())],
    }
}

async fn refused(answer: Reply) -> LmsError {
    let (_server, client) = lms([answer]).await;
    client.register(&registration()).await.unwrap_err()
}

#[tokio::test]
async fn a_learner_is_registered_with_a_form_and_without_a_token() {
    let body = r#"{"authenticated_user":{"username":"newone","full_name":"A","user_id":309},"success":true}"#;
    let (server, client) = lms([json(200, body)]).await;
    let registered = client.register(&registration()).await.unwrap();
    assert_eq!(registered, Registered { username: user("newone"), id: Some(309) });
    let request = &server.requests()[0];
    assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", "/api/user/v1/account/registration/"));
    assert_eq!(request.header("authorization"), None);
    assert_eq!(
        request.body,
        "email=new.person%2B1%40example.com&username=newone&name=Ada%20%26%20Co.%20Lovelace&password=Spike-pass-1\
         &terms_of_service=true&honor_code=true&country=PT"
    );
}

#[tokio::test]
async fn a_registration_shows_nothing_of_the_learner() {
    let shown = format!("{:?}", registration());
    assert_eq!(shown, "Registration { .. }");
}

#[tokio::test]
async fn a_taken_name_or_address_is_told_apart() {
    let body = r#"{"username":[{"user_message":"taken"}],"username_suggestions":["newone_2","new one"],"error_code":"duplicate-username"}"#;
    let suggestions = vec![user("newone_2")];
    assert_eq!(
        refused(json(409, body)).await,
        Refusal::AccountExists { email: false, username: true, suggestions }.into()
    );
    let body = r#"{"email":[{"user_message":"This email is already associated with an existing account"}]}"#;
    assert_eq!(
        refused(json(409, body)).await,
        Refusal::AccountExists { email: true, username: false, suggestions: vec![] }.into()
    );
}

#[tokio::test]
async fn fields_that_the_lms_does_not_take_are_named_and_their_values_are_not() {
    let body = r#"{"password":[{"user_message":"too short: a"}],"country":[{"user_message":"x"}],"error_code":"validation-error"}"#;
    let error = refused(json(400, body)).await;
    let fields = vec!["country".to_owned(), "password".to_owned()];
    assert_eq!(error, Refusal::RegistrationInvalid { error_code: "validation-error".to_owned(), fields }.into());
    assert_eq!(
        error.to_string(),
        "the LMS does not take the registration (validation-error); hint: look at country, password"
    );
}

#[tokio::test]
async fn too_many_registrations_are_tried_again_later_and_closed_ones_are_not() {
    let error = refused(json(403, r#"{"error_code":"forbidden-request"}"#)).await;
    assert_eq!((error.code(), error.may_have_had_effect()), ("registration-limit", false));
    assert!(matches!(error.class(), Class::TryAgain { after: Some(_) }));
    let closed = reply(403, "Content-Type: text/plain\r\n", "Account creation not allowed.");
    assert_eq!(refused(closed).await, Refusal::RegistrationClosed.into());
}

#[tokio::test]
async fn a_registration_that_breaks_half_way_is_unclear() {
    assert_eq!(refused(html(500)).await, Doubt::ServerError { status: 500 }.into());
    assert_eq!(refused(json(200, r#"{"success":false}"#)).await.code(), "unreadable");
    let other = r#"{"authenticated_user":{"username":"somebody","user_id":3},"success":true}"#;
    assert_eq!(refused(json(200, other)).await, Doubt::WrongEcho { what: "user" }.into());
}
