//! What guests find around them: a shop that answers, one that never does, and a private page that nobody may see.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// All of them. They end with the process.
#[derive(Debug)]
pub struct Neighbours {
    /// A shop that answers. Its page `/redirect` sends on to the private page.
    pub shop: Neighbour,
    /// Whoever asks it waits for ever.
    pub silent: Neighbour,
    /// A page at a private address.
    pub private: Neighbour,
}

/// One of them.
#[derive(Debug)]
pub struct Neighbour {
    pub address: SocketAddr,
    asked: Arc<AtomicUsize>,
}

impl Neighbour {
    /// How many connections it was asked for.
    #[must_use]
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    fn open(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let (counted, serve) = (Arc::clone(&asked), Arc::new(serve));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                counted.fetch_add(1, Ordering::Relaxed);
                let serve = Arc::clone(&serve);
                thread::spawn(move || serve(stream));
            }
        });
        Self { address, asked }
    }
}

impl Neighbours {
    /// The name of the LMS that is silent.
    pub const SILENT_LMS: &'static str = "silent";

    /// Opens them.
    #[must_use]
    pub fn open() -> Self {
        let private = Neighbour::open(|stream| answer(stream, |_| page("200 OK", "", "private page")));
        let elsewhere = format!("Location: http://{}/\r\n", private.address);
        let shop = Neighbour::open(move |stream| {
            answer(stream, |path| match path {
                "/redirect" => page("302 Found", &elsewhere, ""),
                _ => page("200 OK", "", "{}"),
            });
        });
        let silent = Neighbour::open(|mut stream| {
            let mut heard = [0; 4096];
            while stream.read(&mut heard).is_ok_and(|count| count > 0) {}
        });
        Self { shop, silent, private }
    }

    /// The lines of the configuration that name the silent LMS, to follow those of another.
    #[must_use]
    pub fn silent_lms(&self) -> String {
        format!(
            "\n[[lms]]\nname = \"{}\"\nurl = \"http://{}\"\nclient_id = \"worker-key\"\n\
             client_secret = {{ env = \"TEST_LMS_SECRET\" }}\n",
            Self::SILENT_LMS,
            self.silent.address
        )
    }
}

fn page(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}")
}

fn answer(mut stream: TcpStream, page_of: impl Fn(&str) -> String) {
    let mut heard = Vec::new();
    let mut part = [0; 4096];
    while !heard.windows(4).any(|window| window == b"\r\n\r\n") {
        match stream.read(&mut part) {
            Ok(count) if count > 0 => heard.extend_from_slice(&part[..count]),
            _ => return,
        }
    }
    let head = String::from_utf8_lossy(&heard).into_owned();
    let path = head.split(' ').nth(1).unwrap_or_default();
    // Whoever asked may be gone.
    let _ = stream.write_all(page_of(path).as_bytes());
}
