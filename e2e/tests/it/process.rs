//! A program that runs: what it writes, the signals it gets, how it ends.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use rustix::process::{Pid, Signal, kill_process};
use smart_testing::eventually;

/// A running program. It is killed when it is dropped, so that no test leaves one behind.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    stdout: Written,
    stderr: Written,
}

/// How a program ended, and all that it wrote.
#[derive(Debug)]
pub(crate) struct Ended {
    /// `None` when a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Process {
    pub(crate) fn spawn(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            stdout: Written::read(child.stdout.take().unwrap()),
            stderr: Written::read(child.stderr.take().unwrap()),
            child,
        }
    }

    /// What it wrote to stdout so far.
    pub(crate) fn stdout(&self) -> String {
        self.stdout.text()
    }

    /// What it wrote to stderr so far.
    pub(crate) fn stderr(&self) -> String {
        self.stderr.text()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits until it has ended by itself.
    pub(crate) async fn ended(mut self) -> Ended {
        let status = eventually("the program ends", async || self.child.try_wait().unwrap()).await;
        self.stdout.finish();
        self.stderr.finish();
        Ended {
            code: status.code(),
            stdout: self.stdout(),
            stderr: self.stderr(),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only when it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("stdout of the program:\n{}", self.stdout());
            eprintln!("stderr of the program:\n{}", self.stderr());
        }
    }
}

impl Ended {
    /// Exit code and stderr as a person sees them, with the parts replaced that differ between runs.
    pub(crate) fn shown(&self, varying: &[(&str, &str)]) -> String {
        let code = self
            .code
            .map_or_else(|| "none".to_owned(), |code| code.to_string());
        let shown = format!("exit code {code}\n{}", self.stderr);
        varying
            .iter()
            .fold(shown, |text, (from, to)| text.replace(from, to))
    }
}

/// The output of a program, read as it comes, so that a full pipe never stops it.
#[derive(Debug)]
struct Written {
    text: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl Written {
    fn read(mut pipe: impl Read + Send + 'static) -> Self {
        let text = Arc::new(Mutex::new(Vec::new()));
        let sink = text.clone();
        let reader = std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(read @ 1..) = pipe.read(&mut buffer) {
                sink.lock().unwrap().extend_from_slice(&buffer[..read]);
            }
        });
        Self {
            text,
            reader: Some(reader),
        }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.text.lock().unwrap()).into_owned()
    }

    /// Waits for the end of the pipe.
    fn finish(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
    }
}
