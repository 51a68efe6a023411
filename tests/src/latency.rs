//! How long things took, and whether one kind takes longer than another.

use std::fmt;
use std::time::Duration;

/// How long each of one kind took.
#[derive(Clone, Debug, Default)]
pub struct Latencies(Vec<Duration>);

impl Latencies {
    /// Adds one.
    pub fn push(&mut self, took: Duration) {
        self.0.push(took);
    }

    /// How many times as long as that of `others` the quicker quarter of these takes at most. What a busy machine adds is in the
    /// slower ones.
    pub fn quicker_quarter_over(&self, others: &Self) -> f64 {
        self.at(1).as_secs_f64() / others.at(1).as_secs_f64()
    }

    /// The probability that one of these takes longer than one of `others`, from 0 to 1: a half where they take alike (the
    /// Mann–Whitney statistic, as a share of all pairs). A few that a busy machine held up hardly move it.
    pub fn longer_than(&self, others: &Self) -> f64 {
        let pairs = self
            .0
            .iter()
            .flat_map(|one| others.0.iter().map(move |other| one.cmp(other)));
        let (mut sum, mut count) = (0.0, 0.0);
        for order in pairs {
            sum += match order {
                std::cmp::Ordering::Greater => 1.0,
                std::cmp::Ordering::Equal => 0.5,
                std::cmp::Ordering::Less => 0.0,
            };
            count += 1.0;
        }
        sum / count
    }

    /// The one that a `part` of four of them took no longer than.
    fn at(&self, part: usize) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let last = sorted.len().checked_sub(1).expect("something was measured");
        sorted[last * part / 4]
    }
}

/// The median, and between what the middle half lies, in milliseconds.
impl fmt::Display for Latencies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [low, median, high] = [1, 2, 3].map(|part| self.at(part).as_secs_f64() * 1e3);
        write!(f, "{median:.2} ms ({low:.2} to {high:.2})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(micros: impl IntoIterator<Item = u64>) -> Latencies {
        Latencies(micros.into_iter().map(Duration::from_micros).collect())
    }

    #[test]
    fn what_takes_alike_is_longer_half_the_time_whatever_held_up_a_few() {
        let (one, mut other) = (of(0..100), of(0..100));
        assert!((one.longer_than(&other) - 0.5).abs() < 1e-9);
        for _ in 0..5 {
            other.push(Duration::from_secs(3));
        }
        assert!((one.longer_than(&other) - 0.5).abs() < 0.03);
        assert!((of(100..200).quicker_quarter_over(&of(100..200)) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn what_takes_a_little_longer_is_seen_to() {
        // By a fifth of what they vary by.
        assert!(of(20..120).longer_than(&of(0..100)) > 0.65);
        assert!(of(0..100).longer_than(&of(20..120)) < 0.35);
        assert!(of(120..220).quicker_quarter_over(&of(100..200)) > 1.15);
        assert_eq!(of(1..5).to_string(), "0.00 ms (0.00 to 0.00)");
    }
}
