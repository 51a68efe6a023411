//! A running server, as a test holds it.

use std::path::PathBuf;
use std::process::{ExitStatus, Output};
use std::thread;
use std::time::Duration;

use reqwest::{Client, Method};

use crate::database::DatabaseLock;
use crate::process::Process;
use crate::{Database, Request, Setup, client};

/// The real binary, running. When it goes, the process is asked to end, and must do so with status 0.
#[derive(Debug)]
pub struct Server {
    setup: Setup,
    /// What it said in earlier runs.
    earlier: String,
    running: Option<Running>,
}

/// The client goes first: an open connection would hold up the server's end.
#[derive(Debug)]
struct Running {
    client: Client,
    address: String,
    process: Process,
}

impl Server {
    /// Starts a server on a new database of that kind.
    pub fn start(database: Database) -> Self {
        Setup::on(database).start()
    }

    /// Starts another server beside `first`, on its database and with its secrets.
    pub fn second_on(first: &Self) -> Self {
        first.setup.clone().start()
    }

    pub(crate) fn from_setup(setup: Setup) -> Self {
        let mut server = Self {
            setup,
            earlier: String::new(),
            running: None,
        };
        server.start_again();
        server
    }

    /// Starts it again after [`Server::stop`] or [`Server::kill`], on what it has kept. Its port may differ.
    pub fn start_again(&mut self) {
        assert!(self.running.is_none(), "the server runs");
        let mut process = self.setup.spawn();
        let address = process.address();
        self.running = Some(Running {
            client: client::new(),
            address,
            process,
        });
    }

    /// Ends it as an operator would (SIGTERM), and starts it again.
    pub fn restart(&mut self) {
        let status = self.stop();
        assert!(
            status.success(),
            "the server ended with {status}:\n{}",
            self.log()
        );
        self.start_again();
    }

    /// Ends it as an operator would (SIGTERM); returns how it ended.
    pub fn stop(&mut self) -> ExitStatus {
        let Running {
            client, mut process, ..
        } = self.running.take().expect("the server runs");
        drop(client);
        process.ask_to_end();
        let status = process.wait();
        self.earlier.push_str(&process.log());
        status
    }

    /// Ends it as a power cut would (SIGKILL).
    pub fn kill(&mut self) {
        let Running { mut process, .. } = self.running.take().expect("the server runs");
        process.kill();
        self.earlier.push_str(&process.log());
    }

    /// Lets time pass, in whole seconds, for this server and every other on its database.
    pub fn advance(&self, time: Duration) {
        self.setup.pass(time);
    }

    /// Everything it has written to standard output and error, over all its runs.
    pub fn log(&self) -> String {
        let now = self.running.as_ref().map(|running| running.process.log());
        format!("{}{}", self.earlier, now.unwrap_or_default())
    }

    /// `127.0.0.1:PORT`, where it listens now.
    pub fn address(&self) -> &str {
        &self.running().address
    }

    /// How it was started; for a neighbour that is to differ, or for its files.
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// The SQLite file's path, where there is one.
    pub fn sqlite_file(&self) -> Option<PathBuf> {
        self.setup.sqlite_file()
    }

    /// Runs another command of the binary on this server's database.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.setup.run(arguments)
    }

    /// How many rows `rows` (`table`, or `table WHERE …`) has.
    pub fn count(&self, rows: &str) -> i64 {
        self.setup.database().count(rows)
    }

    /// Runs a statement beside the server, and says how many rows it touched.
    pub fn execute(&self, statement: &str) -> usize {
        self.setup.database().execute(statement)
    }

    /// Every value of every row of the SQLite file, as its bytes, with the table and the column that it lies in.
    pub fn values(&self) -> Vec<(String, Vec<u8>)> {
        self.setup.database().values()
    }

    /// Locks the database against the server's writes as long as the result lives.
    pub fn lock_database(&self) -> DatabaseLock {
        self.setup.database().lock()
    }

    /// Makes the PostgreSQL database one that takes no writes, or takes that back.
    pub fn set_read_only(&self, read_only: bool) {
        self.setup.database().set_read_only(read_only);
    }

    /// Asks it to end (SIGTERM) without waiting; [`Server::stop`] waits.
    pub fn ask_to_end(&self) {
        self.running().process.ask_to_end();
    }

    /// A request of any method; `path` starts with a slash.
    pub fn request(&self, method: Method, path: &str) -> Request {
        let running = self.running();
        Request::new(&running.client, method, &running.address, path)
    }

    /// A GET.
    pub fn get(&self, path: &str) -> Request {
        self.request(Method::GET, path)
    }

    /// A POST.
    pub fn post(&self, path: &str) -> Request {
        self.request(Method::POST, path)
    }

    /// A PATCH.
    pub fn patch(&self, path: &str) -> Request {
        self.request(Method::PATCH, path)
    }

    /// A PUT.
    pub fn put(&self, path: &str) -> Request {
        self.request(Method::PUT, path)
    }

    /// A DELETE.
    pub fn delete(&self, path: &str) -> Request {
        self.request(Method::DELETE, path)
    }

    fn running(&self) -> &Running {
        self.running.as_ref().expect("the server runs")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("--- the server's log\n{}---", self.log());
            if self.running.is_some() {
                self.kill();
            }
        } else if self.running.is_some() {
            let status = self.stop();
            assert!(
                status.success(),
                "the server ended with {status}:\n{}",
                self.log()
            );
        }
    }
}

/// Runs `story` against a server that `setup` starts on a new database of that kind.
pub fn play(database: Database, setup: impl FnOnce(Setup) -> Setup, story: impl AsyncFnOnce(Server)) {
    // One thread beside the test's, so that connections close while the test waits for the server's end.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let server = setup(Setup::on(database)).start();
        story(server).await;
    });
}
