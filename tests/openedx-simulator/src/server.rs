//! Owns the socket: turning bytes into requests and answers into bytes, or into silence; must never decide an answer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Request as HttpRequest, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use futures_util::{StreamExt as _, stream};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::control;
use crate::fault::FaultKind;
use crate::http::answer::{Answer, Body as AnswerBody};
use crate::http::request::Request;
use crate::lms::Lms;

/// Largest body that is read. The LMS takes somewhat less.
const MAX_BODY: usize = 10 * 1024 * 1024;
/// For how long a connection is held when a fault does not say.
const HOLD: Duration = Duration::from_secs(3600);
/// How long the first half of an answer has to reach the caller before the connection is cut.
const FIRST_HALF: Duration = Duration::from_millis(50);

/// The application that answers on a socket.
pub(crate) fn router(lms: Arc<Lms>) -> Router {
    Router::new().fallback(handle).with_state(lms)
}

/// How an answer leaves, if it does.
enum Departure {
    Whole(Answer),
    /// Only the first half of it.
    Cut(Answer),
    /// Not at all.
    Silence,
}

async fn handle(
    State(lms): State<Arc<Lms>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: HttpRequest,
) -> Response {
    let Some(request) = read(request, peer).await else { return response(&Answer::page(400, "Bad Request")) };
    if let Some(answer) = control::answer(&lms, &request) {
        return response(&answer);
    }
    // The work goes on when the caller gives up, as it does in the LMS.
    let work = tokio::spawn(async move { serve(&lms, &request).await });
    match work.await {
        Ok(Departure::Whole(answer)) => response(&answer),
        Ok(Departure::Cut(answer)) => cut(&answer),
        Ok(Departure::Silence) | Err(_) => silence(),
    }
}

async fn read(request: HttpRequest, peer: SocketAddr) -> Option<Request> {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, MAX_BODY).await.ok()?;
    let raw_path = parts.uri.path().to_owned();
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    Some(Request {
        method: parts.method.as_str().to_uppercase(),
        path: percent_decode_str(&raw_path).decode_utf8_lossy().into_owned(),
        raw_path,
        raw_query: parts.uri.query().map(str::to_owned),
        headers: parts.headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect(),
        body: body.to_vec(),
        peer: peer.ip(),
    })
}

async fn serve(lms: &Lms, request: &Request) -> Departure {
    let (line, plan) = lms.receive(request);
    if !plan.delay.is_zero() {
        tokio::time::sleep(plan.delay).await;
    }
    let departure = match plan.fault {
        Some(fault) => strike(lms, request, fault).await,
        None => Departure::Whole(lms.answer(request)),
    };
    if let Departure::Whole(answer) = &departure {
        lms.answered(line, answer.status);
    }
    departure
}

async fn strike(lms: &Lms, request: &Request, fault: FaultKind) -> Departure {
    let hold = |hold_ms: Option<u64>| tokio::time::sleep(hold_ms.map_or(HOLD, Duration::from_millis));
    Departure::Whole(match fault {
        FaultKind::ServerErrorBefore => Answer::crash(),
        FaultKind::ServerErrorAfter => {
            lms.answer(request);
            Answer::crash()
        }
        FaultKind::TimeoutBefore { hold_ms } => {
            hold(hold_ms).await;
            return Departure::Silence;
        }
        FaultKind::TimeoutAfter { hold_ms } => {
            lms.answer(request);
            hold(hold_ms).await;
            return Departure::Silence;
        }
        FaultKind::CutBefore => return Departure::Silence,
        FaultKind::CutAfter => return Departure::Cut(lms.answer(request)),
        FaultKind::TooManyRequests { retry_after } => {
            let text = format!("Request was throttled. Expected available in {} seconds.", retry_after.unwrap_or(60));
            let answer = Answer::json(429, json!({"detail": text}));
            match retry_after {
                Some(seconds) => answer.with("retry-after", seconds.to_string()),
                None => answer,
            }
        }
        FaultKind::Unauthorized => {
            Answer::json(401, json!({"detail": "Invalid token."})).with("www-authenticate", "JWT realm=\"api\"")
        }
        FaultKind::Forbidden => {
            Answer::json(403, json!({"detail": "You do not have permission to perform this action."}))
        }
        FaultKind::NotFoundEmpty => Answer::empty(404),
        FaultKind::NotAcceptable => {
            Answer::json(406, json!({"detail": "Could not satisfy the request Accept header."}))
        }
        FaultKind::NoSuchUser => Answer::message(406, "The user nobody does not exist."),
        FaultKind::Conflict => Answer::message(409, "The request conflicts with the present state."),
        FaultKind::BadGateway => Answer::page(502, "502 Bad Gateway"),
        FaultKind::Maintenance => Answer::page(200, "This site is under maintenance"),
        FaultKind::Redirect { location: Some(location) } => Answer::missing_slash(request).with("location", location),
        FaultKind::Redirect { location: None } => Answer::missing_slash(request),
        FaultKind::WrongEcho { mode, is_active } => echo(lms.answer(request), mode, is_active),
        FaultKind::Slow { .. } => lms.answer(request),
    })
}

fn echo(mut answer: Answer, mode: Option<String>, is_active: Option<bool>) -> Answer {
    if let AnswerBody::Json(Value::Object(members)) = &mut answer.body {
        for (key, value) in [("mode", mode.map(Value::String)), ("is_active", is_active.map(Value::Bool))] {
            if let (Some(said), Some(value)) = (members.get_mut(key), value) {
                *said = value;
            }
        }
    }
    answer
}

fn response(answer: &Answer) -> Response {
    with_headers(answer, Response::new(Body::from(answer.bytes())))
}

fn with_headers(answer: &Answer, mut response: Response) -> Response {
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    if let Some(content_type) = answer.content_type() {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    for (name, value) in &answer.headers {
        if let Ok(value) = HeaderValue::from_str(value) {
            // The last of several values counts.
            headers.insert(*name, value);
        }
    }
    response
}

/// An answer that promises more than arrives.
fn cut(answer: &Answer) -> Response {
    let bytes = answer.bytes();
    let half = Bytes::copy_from_slice(bytes.get(..bytes.len() / 2).unwrap_or_default());
    let promised = bytes.len().max(1);
    let body = stream::once(async move { Ok::<_, std::io::Error>(half) }).chain(stream::once(async {
        tokio::time::sleep(FIRST_HALF).await;
        Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset))
    }));
    let mut response = with_headers(answer, Response::new(Body::from_stream(body)));
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(promised));
    response
}

/// A body that fails before the first byte: the connection closes with nothing sent.
fn silence() -> Response {
    let body = stream::once(async { Err::<Bytes, _>(std::io::Error::from(std::io::ErrorKind::ConnectionReset)) });
    let mut response = Response::new(Body::from_stream(body));
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(1_u64));
    response
}
