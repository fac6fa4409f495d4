//! The scripted server, and a client of it.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use bursar_domain::{Clock, CourseRun, Email, Mode, Timestamp, Username};
use bursar_lms::{EnrollmentChange, Fault, Lms, LmsConfig, LmsError, UserProblem};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// What the server does when its turn comes.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// These bytes, then the end of the connection.
    Bytes(String),
    /// Nothing, ever.
    Silence,
    /// The end of the connection at once.
    HangUp,
}

pub(crate) fn reply(status: u16, headers: &str, body: &str) -> Reply {
    Reply::Bytes(format!(
        "HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n{headers}\r\n{body}",
        body.len()
    ))
}

pub(crate) fn json(status: u16, body: &str) -> Reply {
    reply(status, "Content-Type: application/json\r\n", body)
}

pub(crate) fn html(status: u16) -> Reply {
    reply(status, "Content-Type: text/html; charset=utf-8\r\n", "<html><body>Sorry</body></html>")
}

pub(crate) fn empty(status: u16) -> Reply {
    reply(status, "", "")
}

/// An enrollment in [`run`] as the LMS writes it.
pub(crate) fn enrollment(user: &str, mode: &str, is_active: bool) -> Reply {
    json(
        200,
        &format!(
            r#"{{"created":"2026-11-23T08:14:27.613385Z","mode":"{mode}","is_active":{is_active},"user":"{user}",
                "course_details":{{"course_id":"{}","course_name":"Computing 101"}}}}"#,
            run()
        ),
    )
}

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(candidate, _)| candidate == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

#[derive(Debug, Default)]
struct Script {
    token_replies: VecDeque<Reply>,
    replies: VecDeque<Reply>,
    otherwise: Option<Reply>,
    token_requests: Vec<Request>,
    requests: Vec<Request>,
}

/// A server on this machine. Token requests have replies of their own: `token-1`, `token-2`, … by themselves.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) url: String,
    script: Arc<Mutex<Script>>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let script = Arc::new(Mutex::new(Script::default()));
        let shared = Arc::clone(&script);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&shared)));
            }
        });
        Self { url, script }
    }

    pub(crate) fn answers(&self, replies: impl IntoIterator<Item = Reply>) {
        self.script.lock().unwrap().replies.extend(replies);
    }

    /// What is answered when there is no other answer.
    pub(crate) fn answers_otherwise(&self, reply: Reply) {
        self.script.lock().unwrap().otherwise = Some(reply);
    }

    pub(crate) fn answers_tokens(&self, replies: impl IntoIterator<Item = Reply>) {
        self.script.lock().unwrap().token_replies.extend(replies);
    }

    /// What arrived, token requests left out.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.script.lock().unwrap().requests.clone()
    }

    pub(crate) fn token_requests(&self) -> Vec<Request> {
        self.script.lock().unwrap().token_requests.clone()
    }

    pub(crate) fn config(&self) -> LmsConfig {
        let mut config = LmsConfig::new(&self.url, "commerce-key", "commerce-secret".into());
        config.calls_per_minute = None;
        config.call_timeout = Duration::from_secs(10);
        config
    }

    /// A client that does not wait long for [`Reply::Silence`].
    pub(crate) fn impatient_client(&self) -> Lms {
        let mut config = self.config();
        config.call_timeout = Duration::from_millis(500);
        Lms::new(config, Arc::new(TestClock::default())).unwrap()
    }

    pub(crate) fn client(&self) -> Lms {
        Lms::new(self.config(), Arc::new(TestClock::default())).unwrap()
    }
}

/// A server that gives these answers, and its client.
pub(crate) async fn lms(replies: impl IntoIterator<Item = Reply>) -> (Server, Lms) {
    let server = Server::start().await;
    server.answers(replies);
    let client = server.client();
    (server, client)
}

async fn serve(mut stream: TcpStream, script: Arc<Mutex<Script>>) {
    let Some(request) = read(&mut stream).await else { return };
    let reply = {
        let mut script = script.lock().unwrap();
        if request.target == "/oauth2/access_token" {
            script.token_requests.push(request);
            let token = token(&format!("token-{}", script.token_requests.len()), 3600);
            script.token_replies.pop_front().unwrap_or(token)
        } else {
            script.requests.push(request);
            script.replies.pop_front().or(script.otherwise.clone()).unwrap_or_else(|| html(599))
        }
    };
    match reply {
        Reply::Bytes(bytes) => stream.write_all(bytes.as_bytes()).await.unwrap(),
        Reply::Silence => tokio::time::sleep(Duration::from_secs(3600)).await,
        Reply::HangUp => {}
    }
}

/// A token answer.
pub(crate) fn token(jwt: &str, expires_in: i64) -> Reply {
    json(200, &format!(r#"{{"access_token":"{jwt}","expires_in":{expires_in},"token_type":"JWT","scope":"read"}}"#))
}

async fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let mut lines = head.lines();
            let mut first = lines.next()?.split(' ');
            let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
            let headers: Vec<(String, String)> = lines
                .filter_map(|line| line.split_once(": "))
                .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
                .collect();
            let request = Request { method, target, headers, body: body.to_owned() };
            let expected = request.header("content-length").map_or(0, |length| length.parse().unwrap());
            if body.len() >= expected {
                return Some(request);
            }
        }
        match stream.read(&mut chunk).await {
            Ok(0) | Err(_) => return None,
            Ok(count) => bytes.extend_from_slice(&chunk[..count]),
        }
    }
}

/// A clock that only tests move.
#[derive(Debug, Default)]
pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    pub(crate) fn advance(&self, duration: Duration) {
        self.0.fetch_add(i64::try_from(duration.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

pub(crate) fn run() -> CourseRun {
    CourseRun::parse("course-v1:DemoX+CS101+2026").unwrap()
}

pub(crate) fn bob() -> Username {
    Username::parse("bob").unwrap()
}

pub(crate) fn user(name: &str) -> Username {
    Username::parse(name).unwrap()
}

pub(crate) fn email(address: &str) -> Email {
    Email::parse(address).unwrap()
}

pub(crate) fn mode(slug: &str) -> Mode {
    Mode::parse(slug).unwrap()
}

/// What is said of the one service user of these tests.
pub(crate) fn user_refused(problem: UserProblem) -> LmsError {
    user_refused_of("commerce-key", problem)
}

pub(crate) fn user_refused_of(client_id: &str, problem: UserProblem) -> LmsError {
    Fault::ServiceUser { client_id: client_id.to_owned(), problem }.into()
}

/// Bob is to be active in verified mode.
pub(crate) fn purchase() -> EnrollmentChange {
    let mut change = EnrollmentChange::new(bob(), run());
    change.mode = Some(mode("verified"));
    change.is_active = Some(true);
    change
}
