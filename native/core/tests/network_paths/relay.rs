//! Local ports: one that forwards and counts connections, one with a fixed answer, and one that never answers.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::Company;

pub(crate) struct Relay {
    pub(crate) port: u16,
    connections: Arc<AtomicUsize>,
    open: Arc<Mutex<Vec<Open>>>,
}

/// One connection that goes through, or did.
struct Open {
    frozen: Arc<Mutex<bool>>,
    near: TcpStream,
}

impl Relay {
    /// Leads to a port of this machine until the process ends.
    pub(crate) fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let relay = Self { port: listener.local_addr().unwrap().port(), connections: Arc::default(), open: Arc::default() };
        let (connections, open) = (Arc::clone(&relay.connections), Arc::clone(&relay.open));
        thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                connections.fetch_add(1, Ordering::Relaxed);
                let Ok(far) = TcpStream::connect(("127.0.0.1", port)) else { continue };
                let frozen = Arc::default();
                // Before a byte goes through, so that no connection in use is missed.
                open.lock().unwrap().push(Open { frozen: Arc::clone(&frozen), near: near.try_clone().unwrap() });
                pump(&near, &far, &frozen);
                pump(&far, &near, &frozen);
            }
        });
        relay
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// Stops all current connections without closing them, as a laptop finds them after sleep.
    pub(crate) fn freeze(&self) {
        for open in self.open.lock().unwrap().iter() {
            *open.frozen.lock().unwrap() = true;
        }
    }

    /// Closes the connections of now, as a service or a firewall does with those that are idle.
    pub(crate) fn cut(&self) {
        for open in self.open.lock().unwrap().drain(..) {
            let _ = open.near.shutdown(Shutdown::Both);
        }
    }
}

fn pump(from: &TcpStream, to: &TcpStream, frozen: &Arc<Mutex<bool>>) {
    let (mut from, mut to, frozen) = (from.try_clone().unwrap(), to.try_clone().unwrap(), Arc::clone(frozen));
    thread::spawn(move || {
        let mut bytes = [0; 16 * 1024];
        while let Ok(count) = from.read(&mut bytes) {
            let frozen = *frozen.lock().unwrap();
            if count > 0 && frozen {
                continue;
            }
            if count == 0 || to.write_all(&bytes[..count]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Write);
    });
}

/// A port that gives every request this answer.
pub(crate) fn answering(answer: String) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let answer = answer.clone();
            thread::spawn(move || {
                // The requests of these tests come in one piece.
                let _ = stream.read(&mut [0; 8192]);
                let _ = stream.write_all(answer.as_bytes());
                let _ = stream.shutdown(Shutdown::Write);
                let _ = io::copy(&mut stream, &mut io::sink());
            });
        }
    });
    port
}

/// A port that takes connections and says nothing for 15 seconds, less than an attempt may take. After that it refuses every request, so that whoever
/// waits longer than it should gets another error.
pub(crate) fn silent() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let end = Instant::now() + Duration::from_secs(15);
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || {
                thread::sleep(end.saturating_duration_since(Instant::now()));
                let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            });
        }
    });
    port
}

/// Both services are reached through a relay from now on.
pub(crate) fn relayed(company: &mut Company) -> Relay {
    let (scheme, port) = company.service.url().rsplit_once(':').map(|(address, port)| (address.to_owned(), port.parse().unwrap())).unwrap();
    let relay = Relay::to(port);
    company.turn_to(&format!("{scheme}:{}", relay.port));
    relay
}
