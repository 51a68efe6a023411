//! Who waits, what is in flight, and who may leave next.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use doorbell_domain::store::{Found, StoreError};
use tokio::sync::oneshot;

use super::Write;
use crate::blocking::Deadline;

/// How many writes wait at most; more are turned away at once.
pub(super) const MOST: usize = 4_096;

/// The writes that wait, in the order in which they came, and the batches that have left.
pub(super) struct Queue<W: Write> {
    waiting: VecDeque<Waiting<W>>,
    flights: Vec<Flight<W::Key>>,
    tickets: u64,
    closed: bool,
}

struct Waiting<W: Write> {
    ticket: u64,
    write: W,
    keys: Vec<W::Key>,
    done: oneshot::Sender<W::Answer>,
}

/// A batch that has left and not landed. Its number is its first write's ticket.
struct Flight<K> {
    number: u64,
    tickets: Vec<u64>,
    keys: HashSet<K>,
    deadline: Arc<Deadline>,
}

/// A batch that leaves.
pub(super) struct Departure<W: Write> {
    pub(super) writes: Vec<W>,
    pub(super) callers: Vec<oneshot::Sender<W::Answer>>,
    /// What it is to be landed by.
    pub(super) flight: u64,
    pub(super) deadline: Arc<Deadline>,
}

impl<W: Write> Default for Queue<W> {
    fn default() -> Self {
        Self {
            waiting: VecDeque::new(),
            flights: Vec::new(),
            tickets: 0,
            closed: false,
        }
    }
}

impl<W: Write> Queue<W> {
    /// Queues a write, and gives the ticket that it is known by.
    pub(super) fn enqueue(&mut self, write: W, done: oneshot::Sender<W::Answer>) -> Found<u64> {
        if self.closed {
            return Err(StoreError::Unavailable("the server is stopping".to_owned()));
        }
        if self.waiting.len() >= MOST {
            return Err(StoreError::Unavailable("too many writes are waiting".to_owned()));
        }
        self.tickets += 1;
        self.waiting.push_back(Waiting {
            ticket: self.tickets,
            keys: write.keys(),
            write,
            done,
        });
        Ok(self.tickets)
    }

    /// Takes a write back that has not left; whether it was there.
    pub(super) fn withdraw(&mut self, ticket: u64) -> bool {
        let place = self.waiting.iter().position(|waiting| waiting.ticket == ticket);
        place.and_then(|place| self.waiting.remove(place)).is_some()
    }

    /// Until when the batch may take that this write left with; `None` where it has landed.
    pub(super) fn deadline_of(&self, ticket: u64) -> Option<Arc<Deadline>> {
        let flight = self
            .flights
            .iter()
            .find(|flight| flight.tickets.contains(&ticket));
        flight.map(|flight| Arc::clone(&flight.deadline))
    }

    /// Takes out what may leave now, oldest first.
    pub(super) fn depart(&mut self, most: usize, time: Duration) -> Option<Departure<W>> {
        let mut leaving = Vec::new();
        let mut staying = VecDeque::new();
        // What waits for a batch in flight keeps whatever shares a key with it waiting, too.
        let mut kept_back = HashSet::new();
        while leaving.len() < most.max(1)
            && let Some(waiting) = self.waiting.pop_front()
        {
            if waiting.done.is_closed() {
                continue;
            }
            let is_taken =
                |key| kept_back.contains(key) || self.flights.iter().any(|flight| flight.keys.contains(key));
            if waiting.keys.iter().any(is_taken) {
                kept_back.extend(waiting.keys.iter().cloned());
                staying.push_back(waiting);
            } else {
                leaving.push(waiting);
            }
        }
        staying.append(&mut self.waiting);
        self.waiting = staying;
        let number = leaving.first()?.ticket;
        let deadline = Arc::new(Deadline::after(time));
        let mut flight = Flight {
            number,
            tickets: Vec::with_capacity(leaving.len()),
            keys: HashSet::new(),
            deadline: Arc::clone(&deadline),
        };
        let mut departure = Departure {
            writes: Vec::with_capacity(leaving.len()),
            callers: Vec::with_capacity(leaving.len()),
            flight: number,
            deadline,
        };
        for waiting in leaving {
            flight.tickets.push(waiting.ticket);
            flight.keys.extend(waiting.keys);
            departure.writes.push(waiting.write);
            departure.callers.push(waiting.done);
        }
        self.flights.push(flight);
        Some(departure)
    }

    /// How many writes wait.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Frees the keys of a batch.
    pub(super) fn land(&mut self, flight: u64) {
        self.flights.retain(|known| known.number != flight);
    }

    /// Takes no more.
    pub(super) fn close(&mut self) {
        self.closed = true;
    }

    /// Whether no more is coming.
    pub(super) fn is_done(&self) -> bool {
        self.closed && self.waiting.is_empty()
    }
}
