//! A running gateway or simulator.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use crate::folder::Folder;
use crate::http::{self, Answer};

/// Longer than anything takes on a machine that is busy with other tests.
pub const PATIENCE: Duration = Duration::from_secs(60);

static NEXT: AtomicU64 = AtomicU64::new(1);

/// A process that listens; killed when the test ends.
pub struct Gateway {
    child: Child,
    /// Its log, shown when the test fails.
    log: PathBuf,
    lines: Receiver<String>,
    /// Host and port.
    pub address: String,
    /// Lines before and with the one that names the address.
    pub greeting: Vec<String>,
}

impl Gateway {
    /// `tollgate serve` on a free port.
    pub fn serve(folder: &Folder, args: &[&str]) -> Self {
        let mut all = vec!["serve", "--listen", "127.0.0.1:0"];
        all.extend(args);
        Self::start(folder.command(&all), "Listening on http://")
    }

    /// Starts a command and waits for the line that names its address.
    pub fn start(mut command: Command, announcement: &str) -> Self {
        let log =
            command.get_current_dir().unwrap().join(format!("log-{}", NEXT.fetch_add(1, Ordering::Relaxed)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(File::create(&log).unwrap());
        let mut child = command.spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let mut started = Self { child, log, lines, address: String::new(), greeting: Vec::new() };
        while started.address.is_empty() {
            let line = started.line();
            if let Some(address) = line.strip_prefix(announcement) {
                started.address = address.to_owned();
            }
            started.greeting.push(line);
        }
        started
    }

    /// The next line of standard output.
    pub fn line(&self) -> String {
        self.lines.recv_timeout(PATIENCE).expect("a line of standard output")
    }

    /// Lines up to the one that begins so, which is returned.
    pub fn line_with(&self, beginning: &str) -> String {
        loop {
            let line = self.line();
            if line.starts_with(beginning) {
                return line;
            }
        }
    }

    /// The key that the first start shows.
    pub fn key(&self) -> String {
        let line = self.line_with("Key ");
        let key = line.split_whitespace().nth(1).unwrap_or_default();
        assert!(key.starts_with("tgk_") && key.len() == 44, "{line}");
        key.to_owned()
    }

    /// A chat completion with a key.
    pub fn chat(&self, key: &str, body: &str) -> Answer {
        let authorization = format!("Bearer {key}");
        http::post(&self.address, "/v1/chat/completions", &[("authorization", &authorization)], body)
    }

    /// Asks with a key until the status is as wanted; how long that took.
    #[track_caller]
    pub fn until_status(&self, key: &str, model: &str, wanted: u16) -> (Duration, Answer) {
        let body = format!(r#"{{"model":"{model}","messages":[{{"role":"user","content":"Hello"}}]}}"#);
        let begun = Instant::now();
        loop {
            let answer = self.chat(key, &body);
            if answer.status == wanted {
                return (begun.elapsed(), answer);
            }
            assert!(begun.elapsed() < PATIENCE, "status stays {}: {}", answer.status, answer.body);
            std::thread::yield_now();
        }
    }

    /// Sends SIGTERM.
    pub fn terminate(&self) {
        let kill = format!("kill -TERM {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// Its exit code, when it has ended.
    pub fn ended(&mut self) -> i32 {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code().unwrap_or(-1);
            }
            assert!(begun.elapsed() < PATIENCE, "the process does not end");
            std::thread::yield_now();
        }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            println!("log of the process:\n{}", std::fs::read_to_string(&self.log).unwrap_or_default());
        }
    }
}
