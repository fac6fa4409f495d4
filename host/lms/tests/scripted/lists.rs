//! Many enrollments at once.

use bursar_lms::{Doubt, EnrollmentFilter, Refusal};

use crate::server::{Reply, bob, json, lms, run, user};

fn page(next: Option<&str>, rows: &[(&str, &str)]) -> Reply {
    let rows: Vec<String> = rows
        .iter()
        .map(|(user, run)| {
            format!(r#"{{"created":"2026-11-23T08:14:27Z","mode":"audit","is_active":true,"user":"{user}","course_id":"{run}"}}"#)
        })
        .collect();
    let next = next.map_or("null".to_owned(), |cursor| {
        format!(r#""http://lms.example/api/enrollment/v1/enrollments?cursor={cursor}&page_size=100""#)
    });
    json(200, &format!(r#"{{"next":{next},"previous":null,"results":[{}]}}"#, rows.join(",")))
}

const CS101: &str = "course-v1:DemoX+CS101+2026";

#[tokio::test]
async fn pages_are_followed_at_the_host_we_know() {
    let (server, client) = lms([page(Some("cD0yMDI2%2BMD"), &[("bob", CS101)]), page(None, &[("bob", "A/B/C")])]).await;
    let filter = EnrollmentFilter::users([bob(), user("alice")]).unwrap();
    let listed = client.enrollments(&filter).await.unwrap();
    assert_eq!(listed.iter().map(|row| row.run.as_str()).collect::<Vec<_>>(), [CS101, "A/B/C"]);
    let targets: Vec<_> = server.requests().iter().map(|request| request.target.clone()).collect();
    let first = "/api/enrollment/v1/enrollments?page_size=100&username=alice%2Cbob";
    assert_eq!(targets, [first.to_owned(), format!("{first}&cursor=cD0yMDI2%2BMD")]);
}

#[tokio::test]
async fn rows_that_an_old_lms_lists_in_spite_of_the_filter_are_left_out() {
    let rows =
        [("carol", CS101), ("BOB", CS101), ("bob", "course-v1:DemoX+ART1+2026"), ("b b", CS101), ("bob", "nonsense")];
    let (server, client) = lms([page(None, &rows)]).await;
    let listed = client.enrollments(&EnrollmentFilter::user(bob()).within(run())).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].username.as_str(), "BOB");
    assert!(server.requests()[0].target.contains("course_id=course-v1%3ADemoX%2BCS101%2B2026"));
}

#[tokio::test]
async fn a_run_is_listed_whole() {
    let (_server, client) = lms([page(None, &[("carol", CS101), ("bob", CS101)])]).await;
    assert_eq!(client.enrollments(&EnrollmentFilter::run(run())).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_list_that_goes_in_circles_or_never_ends_is_given_up() {
    let (_server, client) = lms([page(Some("a"), &[]), page(Some("a"), &[])]).await;
    let error = client.enrollments(&EnrollmentFilter::run(run())).await.unwrap_err();
    assert_eq!(error, Doubt::Unreadable { what: "a list of pages" }.into());
    let (server, client) = lms((0..200).map(|n| page(Some(&n.to_string()), &[]))).await;
    let error = client.enrollments(&EnrollmentFilter::run(run())).await.unwrap_err();
    assert_eq!(error, Doubt::TooManyPages { pages: 100 }.into());
    assert_eq!(server.requests().len(), 100);
}

#[tokio::test]
async fn what_the_lms_will_not_list_is_told_apart() {
    let field = |name: &str| json(400, &format!(r#"{{"field_errors":{{"{name}":{{"developer_message":"no"}}}}}}"#));
    let (_server, client) = lms([field("course_id"), field("username")]).await;
    let filter = EnrollmentFilter::run(run());
    assert_eq!(client.enrollments(&filter).await.unwrap_err(), Refusal::UnknownCourse.into());
    assert_eq!(client.enrollments(&filter).await.unwrap_err(), Refusal::UnusableUsername.into());
    let (_server, client) =
        lms([json(403, r#"{"developer_message":"You do not have permission to perform this action."}"#)]).await;
    assert_eq!(client.enrollments(&filter).await.unwrap_err().code(), "not-staff");
    let (_server, client) = lms([
        json(429, r#"{"developer_message":"Request was throttled. Expected available in 50 seconds."}"#),
        json(404, r#"{"developer_message":"Invalid cursor"}"#),
    ])
    .await;
    assert_eq!(client.enrollments(&filter).await.unwrap_err().code(), "throttled");
}
