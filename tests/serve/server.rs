//! A server of a lake of its own, on ports that the system chooses.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};

use crate::program::{Place, sample};

pub(crate) const LAKE: &str = "lake";

pub(crate) struct Server {
    pub(crate) place: Place,
    pub(crate) pg_port: u16,
    pub(crate) http_port: u16,
    child: Mutex<Child>,
    said: Arc<Mutex<Vec<String>>>,
}

impl Drop for Server {
    fn drop(&mut self) {
        let child = self.child.get_mut().expect("not poisoned");
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// A place with a lake of the sample logs.
pub(crate) fn lake() -> Place {
    let place = Place::new();
    place.ingest(LAKE, &[&sample("logs")]);
    place
}

impl Server {
    /// Over the sample logs, with these flags.
    pub(crate) fn start(flags: &[&str]) -> Self {
        Self::over(lake(), flags, &[])
    }

    /// Over a lake that is there, with variables of the environment.
    pub(crate) fn over(place: Place, flags: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lightsout"));
        command.args(["serve", "--lake"]).arg(place.path(LAKE)).args(flags);
        for flag in ["--pg", "--http"] {
            if !flags.contains(&flag) {
                command.args([flag, "127.0.0.1:0"]);
            }
        }
        command.env_remove("LIGHTSOUT_PASSWORD").envs(variables.iter().copied());
        let mut child = command.stderr(Stdio::piped()).spawn().expect("the server starts");
        let mut lines = BufReader::new(child.stderr.take().expect("its stderr")).lines();
        let (mut pg_port, mut http_port) = (0, 0);
        let mut told = String::new();
        while pg_port == 0 || http_port == 0 {
            let line =
                lines.next().unwrap_or_else(|| panic!("it says where it listens: {told}")).expect("text");
            if let Some(rest) = line.split_once(" -p ") {
                pg_port = rest.1.split(' ').next().and_then(|port| port.parse().ok()).expect("a port");
            } else if line.starts_with("web pages: ") {
                let port = line.trim_end_matches('/').rsplit(':').next();
                http_port = port.and_then(|port| port.parse().ok()).expect("a port");
            }
            told.push_str(&line);
        }
        // Whatever it says later is not held up.
        let said = Arc::new(Mutex::new(Vec::new()));
        let hears = Arc::clone(&said);
        std::thread::spawn(move || {
            lines.map_while(Result::ok).for_each(|line| hears.lock().expect("not poisoned").push(line));
        });
        Self { place, pg_port, http_port, child: Mutex::new(child), said }
    }

    /// The lines on stderr since it listens.
    pub(crate) fn said(&self) -> Vec<String> {
        self.said.lock().expect("not poisoned").clone()
    }

    /// psql with these arguments; `None` where there is no psql.
    pub(crate) fn psql(&self, arguments: &[&str]) -> Option<Output> {
        self.psql_with(arguments, &[])
    }

    pub(crate) fn psql_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Option<Output> {
        let output = psql(self.pg_port)?.args(arguments).envs(variables.iter().copied()).output();
        Some(output.expect("psql runs"))
    }

    /// What psql prints of a query, without header and frame.
    pub(crate) fn rows(&self, sql: &str) -> Option<String> {
        let output = self.psql(&["-A", "-t", "-c", sql])?;
        assert!(output.status.success(), "{sql}: {}", text(&output.stderr));
        Some(text(&output.stdout).trim_end().to_owned())
    }

    /// What psql says where a query fails, with its code.
    pub(crate) fn error(&self, sql: &str) -> Option<String> {
        let output = self.psql(&["-v", "VERBOSITY=verbose", "-c", sql])?;
        assert!(!output.status.success(), "{sql} is taken: {}", text(&output.stdout));
        Some(text(&output.stderr))
    }

    /// What it has computed so far, by Linux' account in hundredths of a second.
    pub(crate) fn processor_seconds(&self) -> f64 {
        let pid = self.child.lock().expect("not poisoned").id();
        let account = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("Linux");
        let after_name = account.rsplit_once(") ").expect("a name").1;
        let fields: Vec<&str> = after_name.split(' ').collect();
        let ticks = |at: usize| fields[at].parse::<f64>().expect("a number");
        (ticks(11) + ticks(12)) / 100.0
    }

    /// The most memory that it has had, by Linux' account.
    pub(crate) fn memory_peak_bytes(&self) -> u64 {
        let pid = self.child.lock().expect("not poisoned").id();
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("Linux");
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
        let kilobytes: u64 = peak.trim().trim_end_matches(" kB").parse().expect("a number");
        kilobytes * 1024
    }

    pub(crate) fn is_running(&self) -> bool {
        self.child.lock().expect("not poisoned").try_wait().expect("a child").is_none()
    }

    /// Asks politely for its end, and waits for it.
    pub(crate) fn terminated(&self) -> Option<i32> {
        let mut child = self.child.lock().expect("not poisoned");
        let pid = child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().expect("kill").success());
        child.wait().expect("it ends").code()
    }

    /// The answer to a request without a body, whole.
    pub(crate) fn get(&self, path: &str, headers: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.http_port)).expect("a connection");
        let request = format!("GET {path} HTTP/1.1\r\nConnection: close\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    }

    /// Of the health page, one number.
    pub(crate) fn health(&self, pointer: &str) -> u64 {
        let answer = self.get("/healthz", "Host: localhost\r\n");
        let body = answer.split_once("\r\n\r\n").expect("a body").1;
        let health: serde_json::Value = serde_json::from_str(body).expect(body);
        health
            .pointer(pointer)
            .and_then(serde_json::Value::as_u64)
            .unwrap_or_else(|| panic!("{pointer}: {body}"))
    }
}

/// psql of that port, `None` where there is none.
pub(crate) fn psql(port: u16) -> Option<Command> {
    if Command::new("psql").arg("--version").output().is_err() {
        eprintln!("skipped: there is no psql on this machine");
        return None;
    }
    let mut command = Command::new("psql");
    command.args(["-X", "-h", "127.0.0.1", "-p", &port.to_string(), "-U", "anybody", "-d", "lightsout"]);
    command.env("PGCONNECT_TIMEOUT", "20").env_remove("PGPASSWORD").env_remove("PGOPTIONS");
    Some(command)
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
