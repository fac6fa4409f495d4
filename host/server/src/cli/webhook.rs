//! `bursar webhook`: its arguments, and sending webhooks as a shop would.
//!
//! Owns turning arguments into an order. How a platform writes and signs it is [`crate::webhook`]'s.

use std::{
    fmt::Write as _,
    io::Read as _,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::{Path, PathBuf},
};

use bursar_domain::{Email, ShopName, Timestamp, statement::ProductId};
use clap::{Args, Subcommand};
use reqwest::Url;
use rust_decimal::Decimal;
use secrecy::SecretString;
use serde::Serialize;

use super::{CliError, Context};
use crate::{
    config::{Config, ShopConfig},
    output::human,
    webhook::{self, Event, ImitationError, Line, Order, PLATFORMS, Platform, Sender},
};

/// Orders made up here were placed as many seconds after midnight as their number: two webhooks about one order must agree,
/// and a shop that was connected today (`sold_before`) must not take them for older ones.
fn first_order_at(now: Timestamp) -> Timestamp {
    Timestamp::from_millis(now.as_millis() - now.as_millis().rem_euclid(DAY_MILLIS))
}

const DAY_MILLIS: i64 = 24 * 3_600 * 1_000;

/// The price of everything, in cents.
const PRICE_CENTS: i64 = 49_00;
/// What can be done with webhooks.
#[derive(Debug, Subcommand)]
pub enum WebhookCommand {
    /// Send a webhook, signed with the shop's configured secret, and print the answer.
    Send(SendArgs),
}

/// How the help goes on.
const HELP: &str = "\
It plays the shop's part. If the shop is live, what it sends has effect. Sending the same order again with \
another event is how an order goes on.

Examples:
  bursar webhook send campus --order 7 --product sku:CS1 --email a@example.org
  bursar webhook send campus --order 7 --product sku:CS1 --email a@example.org \\
    --event refunded
  bursar webhook send campus --order 8 --product product:15,variation:17 \\
    --email b@example.org --learner c@example.org
  bursar webhook send campus --order 7 --event deleted
  bursar webhook send campus --body order.json
  bursar webhook send campus --body order.json --forge    must be refused

Platforms that can be imitated, what their webhooks can tell of an order (the first if nothing is said), and the \
kinds of ids of what is sold:
";

/// The end of the help, with the table of platforms.
fn help() -> String {
    let width = PLATFORMS.iter().map(|platform| platform.name().len()).max().unwrap_or_default();
    let mut text = HELP.to_owned();
    for platform in PLATFORMS {
        let events = platform.events().iter().map(|(event, _)| event.as_str()).collect::<Vec<_>>().join(" ");
        let kinds = match platform.products() {
            [] => "none: the shop is asked for the rest".to_owned(),
            kinds => kinds.join(" "),
        };
        // Writing into a text cannot fail.
        let _ = write!(text, "\n  {:width$}  {events}\n  {:width$}  {kinds}", platform.name(), "");
    }
    text
}

/// Arguments of `bursar webhook send`.
#[derive(Debug, Args)]
#[command(after_help = help())]
pub struct SendArgs {
    /// The shop.
    #[arg(value_name = "SHOP")]
    pub shop: ShopName,
    /// Where to send it; otherwise the configured listener.
    #[arg(long)]
    pub url: Option<Url>,
    /// The topic in the platform's words; otherwise the one of the event.
    #[arg(long)]
    pub topic: Option<String>,
    /// Send this file; `-` for standard input. It is sent as it is, unless the proof stands in it.
    #[arg(long, value_name = "FILE", required_unless_present = "order", conflicts_with = "order")]
    pub body: Option<PathBuf>,
    /// Make up an order of this number.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    pub order: Option<u64>,
    /// A line of it: ids of one product, `KIND:ID`, separated by commas. May be repeated.
    #[arg(long = "product", value_name = "KIND:ID", requires = "order", value_parser = product)]
    pub products: Vec<LineProduct>,
    /// How many of each.
    #[arg(long, value_name = "N", default_value_t = 1, requires = "order", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub quantity: u32,
    /// The buyer's e-mail address; none if it is left out.
    #[arg(long, requires = "order", value_parser = email)]
    pub email: Option<Email>,
    /// The learner's e-mail address on every line, where it is not the buyer's.
    #[arg(long, requires = "order", value_name = "EMAIL", value_parser = email)]
    pub learner: Option<Email>,
    /// What happened to the order.
    #[arg(long, value_enum, requires = "order")]
    pub event: Option<Event>,
    /// The order's status in WooCommerce's words, if it is not to follow from the event.
    #[arg(long, requires = "order")]
    pub status: Option<String>,
    /// Sign it with a wrong key. It is a failure if the listener takes it.
    #[arg(long)]
    pub forge: bool,
}

/// Ids of one product, as written on the command line.
#[derive(Debug, Clone)]
pub struct LineProduct(Vec<ProductId>);

fn product(text: &str) -> Result<LineProduct, String> {
    let ids = text.split(',').map(|id| match id.split_once(':') {
        Some((kind, id)) if !kind.is_empty() && !id.is_empty() => {
            Ok(ProductId { kind: kind.to_owned(), id: id.to_owned() })
        }
        _ => Err(format!("\"{id}\" is not of the form KIND:ID, like sku:CS101-V")),
    });
    ids.collect::<Result<_, _>>().map(LineProduct)
}

fn email(text: &str) -> Result<Email, bursar_domain::names::Malformed> {
    Email::parse(text)
}

/// What is printed of the answer.
#[derive(Debug, Serialize)]
struct Sent<'a> {
    url: &'a str,
    status: u16,
    milliseconds: u128,
    answer: &'a str,
}

/// Sends a webhook.
///
/// # Errors
/// When it cannot be made or sent, or the answer is not what it should be.
pub async fn run(context: &Context, args: &SendArgs) -> Result<(), CliError> {
    let config = context.load_config()?;
    let shop = config.shop(args.shop.as_str()).ok_or_else(|| unknown_shop(&config, &args.shop))?;
    let platform = platform(shop)?;
    let now = context.clock.now();
    let impossible = |error: ImitationError| CliError::usage(error.to_string());
    let event = event(args, platform).map_err(impossible)?;
    let topic = match &args.topic {
        Some(topic) => topic,
        None => webhook::topic(platform, event).map_err(impossible)?,
    };
    let body = match (&args.body, args.order) {
        (Some(file), _) => read_body(file)?,
        (None, Some(id)) => webhook::body(platform, &order(args, id, event, now), topic).map_err(impossible)?,
        (None, None) => return Err(CliError::usage("there is nothing to send").hint("give --order or --body")),
    };
    let secret = secret(shop, platform, args.forge)?;
    let sender = Sender { secret: &secret, settings: &shop.settings, at: now };
    let message = platform.sign(body, topic, &sender).map_err(|error| CliError::failed(error.to_string()))?;
    let url = match &args.url {
        Some(url) => url.clone(),
        None => listener(config.server.listen, &shop.name)?,
    };
    let answer = webhook::post(&url, &message).await.map_err(|error| no_answer(&url, &error))?;
    let sent =
        Sent { url: url.as_str(), status: answer.status, milliseconds: answer.took.as_millis(), answer: &answer.body };
    context.output.item(&sent, |_| {
        let line = format!("{} in {}", answer.status, human::duration(answer.took));
        if answer.body.is_empty() { line } else { format!("{line}\n{}", answer.body) }
    })?;
    let taken = (200..300).contains(&answer.status);
    match (taken, args.forge) {
        (true, true) => {
            Err(CliError::failed("a forged webhook was taken")
                .hint("look at `unsigned` of this shop, and at its adapter"))
        }
        (false, false) => Err(CliError::failed(format!("the webhook was answered {}", answer.status))),
        _ => Ok(()),
    }
}

fn unknown_shop(config: &Config, name: &ShopName) -> CliError {
    let names: Vec<_> = config.shops.iter().map(|shop| shop.name.as_str()).collect();
    let error = CliError::usage(format!("there is no shop \"{name}\" in {}", config.file.display()));
    if names.is_empty() {
        error.hint("add [[shops]] to it")
    } else {
        error.hint(format!("there are: {}", names.join(", ")))
    }
}

fn platform(shop: &ShopConfig) -> Result<&'static dyn Platform, CliError> {
    webhook::platform(shop.adapter.as_str()).ok_or_else(|| {
        let known: Vec<_> = PLATFORMS.iter().map(|platform| platform.name()).collect();
        CliError::failed(format!("webhooks of \"{}\" cannot be imitated", shop.adapter))
            .hint(format!("those of {} can", known.join(", ")))
    })
}

/// The shop's first secret; one that nobody has, to forge with: it can be read as text, as base64 and as an address.
fn secret(shop: &ShopConfig, platform: &dyn Platform, forge: bool) -> Result<SecretString, CliError> {
    if forge {
        return Ok(hex::encode(rand::random::<[u8; 32]>()).into());
    }
    let name = platform.secret();
    let secret = shop.secrets.get(name).and_then(|secrets| secrets.first()).ok_or_else(|| {
        let hint = if shop.key_sets.is_empty() {
            format!("add `secrets.{name} = {{ file = \"…\" }}` to it")
        } else {
            format!(
                "it signs with a private key that only the shop has; with a `secrets.{name}` beside it, it can be tried"
            )
        };
        CliError::failed(format!("shop \"{}\" has no secret \"{name}\" to sign with", shop.name)).hint(hint)
    })?;
    Ok(secret.get()?.clone())
}

/// What happened: as it was said, or as the status has it, or what is usual on the platform.
fn event(args: &SendArgs, platform: &dyn Platform) -> Result<Event, ImitationError> {
    let told = match &args.status {
        None => None,
        Some(status) => {
            let told = platform.event_of(status);
            Some(told.ok_or(ImitationError::NoStatus { platform: platform.name() })?)
        }
    };
    let usual = platform.events().first().map(|(event, _)| *event);
    Ok(args.event.or(told).or(usual).unwrap_or(Event::Changed))
}

fn order(args: &SendArgs, id: u64, event: Event, now: Timestamp) -> Order {
    let lines = args.products.iter().map(|LineProduct(products)| Line {
        products: products.clone(),
        title: products.iter().map(|product| product.id.as_str()).collect::<Vec<_>>().join(" "),
        quantity: args.quantity,
        price: Decimal::new(PRICE_CENTS, 2),
        learner: args.learner.clone(),
    });
    Order {
        id,
        event,
        status: args.status.clone(),
        placed_at: first_order_at(now).plus(std::time::Duration::from_secs(id)),
        modified_at: now,
        email: args.email.clone(),
        lines: lines.collect(),
    }
}

fn read_body(file: &Path) -> Result<Vec<u8>, CliError> {
    let mut body = Vec::new();
    let read = if file == Path::new("-") {
        std::io::stdin().lock().read_to_end(&mut body)
    } else {
        std::fs::File::open(file).and_then(|mut file| file.read_to_end(&mut body))
    };
    read.map_err(|error| CliError::failed(format!("cannot read {}: {error}", file.display())))?;
    Ok(body)
}

/// The shop's address on the configured listener. One that listens on every interface is reached on the loopback one.
fn listener(listen: SocketAddr, shop: &ShopName) -> Result<Url, CliError> {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    let address = SocketAddr::new(ip, listen.port());
    Url::parse(&format!("http://{address}/webhooks/{shop}"))
        .map_err(|error| CliError::failed(format!("{address} is no address to send to: {error}")))
}

fn no_answer(url: &Url, error: &reqwest::Error) -> CliError {
    let host = url.host_str().unwrap_or_default();
    if error.is_connect() {
        CliError::failed(format!("nothing listens at {host}:{}", url.port_or_known_default().unwrap_or_default()))
            .hint("start `bursar serve`, or name another address with --url")
    } else if error.is_timeout() {
        CliError::failed(format!("{host} did not answer in time"))
    } else {
        CliError::failed(format!("{host} did not answer: {error}"))
    }
}
