//! The running binary: started, listened to and ended.

use std::env;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// Far more than a start takes, even on a machine that compiles beside it.
const START: Duration = Duration::from_mins(1);

/// What the server promises, and a little for the machine.
const STOP: Duration = Duration::from_secs(40);

/// Where the binary is: `DOORBELL_BIN`, else where cargo put it beside the running test.
pub(crate) fn binary() -> PathBuf {
    if let Some(path) = env::var_os("DOORBELL_BIN") {
        let path = PathBuf::from(path);
        assert!(
            path.is_file(),
            "DOORBELL_BIN names {}, which is no file",
            path.display()
        );
        return path;
    }
    let test = env::current_exe().expect("the test's own path");
    let path = test.ancestors().nth(2).expect("a target folder").join("doorbell");
    assert!(
        path.is_file(),
        "there is no binary at {}: run the tests by `make test`, or build it and set DOORBELL_BIN",
        path.display()
    );
    path
}

/// What the binary prints for these arguments, with nothing in its environment, before it ends well.
pub fn printed(arguments: &[&str]) -> String {
    let output = Command::new(binary())
        .args(arguments)
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .expect("the binary runs");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// A server's process and what it has said.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    log: Log,
    readers: Vec<JoinHandle<()>>,
    announced: Receiver<String>,
}

impl Process {
    /// Starts `command`, its output kept.
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let log = Log::default();
        let (announce, announced) = mpsc::channel();
        let stdout = child.stdout.take().expect("piped");
        let stderr = child.stderr.take().expect("piped");
        let readers = vec![
            read(stdout, log.clone(), Some(announce)),
            read(stderr, log.clone(), None),
        ];
        Self {
            child,
            log,
            readers,
            announced,
        }
    }

    /// Waits until it listens, and returns its address (`127.0.0.1:PORT`).
    pub(crate) fn address(&mut self) -> String {
        match self.announced.recv_timeout(START) {
            Ok(address) => address,
            Err(RecvTimeoutError::Timeout) => {
                self.kill();
                panic!("the server did not listen within {START:?}:\n{}", self.log());
            }
            Err(RecvTimeoutError::Disconnected) => {
                let status = self.wait();
                panic!(
                    "the server ended with {status} and never listened:\n{}",
                    self.log()
                );
            }
        }
    }

    /// Everything it has written so far, standard output and error together.
    pub(crate) fn log(&self) -> String {
        self.log.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks it to end (SIGTERM).
    pub(crate) fn ask_to_end(&self) {
        let pid = i32::try_from(self.child.id())
            .ok()
            .and_then(Pid::from_raw)
            .expect("a process id");
        // It may have ended by itself; its exit status will tell.
        let _ = kill_process(pid, Signal::TERM);
    }

    /// Ends it with no chance to tidy up.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.wait();
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let deadline = Instant::now() + STOP;
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("the process is this test's") {
                break status;
            }
            if Instant::now() > deadline {
                let _ = self.child.kill();
                panic!("the server did not end within {STOP:?}:\n{}", self.log());
            }
            thread::sleep(Duration::from_millis(2));
        };
        for reader in self.readers.drain(..) {
            let _ = reader.join();
        }
        status
    }
}

#[derive(Clone, Debug, Default)]
struct Log(Arc<Mutex<String>>);

fn read(from: impl Read + Send + 'static, log: Log, announce: Option<Sender<String>>) -> JoinHandle<()> {
    thread::spawn(move || {
        for line in BufReader::new(from).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line);
            if let (Some(announce), Some((_, address))) = (&announce, line.split_once("listening on http://"))
            {
                let address = address.split_whitespace().next().unwrap_or_default();
                let _ = announce.send(address.trim_end_matches('/').to_owned());
            }
            let mut log = log.0.lock().unwrap_or_else(PoisonError::into_inner);
            log.push_str(&line);
            log.push('\n');
        }
    })
}
