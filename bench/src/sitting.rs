//! Runs side by side: every contender in turn, and all of them again, so that what a machine does to one it does to each.

use std::time::Duration;

use crate::cluster::Cluster;
use crate::contenders::{Contender, Run};
use crate::load::Pace;

/// How it is measured.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    /// How often each contender has its turn.
    pub(crate) rounds: usize,
    /// How long a turn is measured.
    pub(crate) measured: Duration,
}

/// All runs of one contender.
pub(crate) struct Result {
    pub(crate) name: &'static str,
    pub(crate) runs: Vec<Run>,
}

/// Lets `contenders` take turns.
pub(crate) async fn alternate(
    contenders: &[&Contender],
    plan: Plan,
    pace: Pace,
    cluster: &Cluster,
) -> anyhow::Result<Vec<Result>> {
    let mut results: Vec<Result> = contenders
        .iter()
        .map(|contender| Result {
            name: contender.name,
            runs: Vec::new(),
        })
        .collect();
    for _ in 0..plan.rounds {
        for (contender, result) in contenders.iter().zip(&mut results) {
            let run = contender.run(cluster, plan.measured, pace).await?;
            println!(
                "{}: {:.0}/s, p99 {:.1} ms, {} failed",
                contender.name,
                run.rate,
                run.p99.as_secs_f64() * 1e3,
                run.failed
            );
            result.runs.push(run);
        }
    }
    Ok(results)
}

impl Result {
    /// The middle of what `figure` gives.
    pub(crate) fn median(&self, figure: impl Fn(&Run) -> f64) -> f64 {
        let sorted = self.sorted(figure);
        sorted.get(sorted.len() / 2).copied().unwrap_or_default()
    }

    /// The least and the most.
    pub(crate) fn range(&self, figure: impl Fn(&Run) -> f64) -> (f64, f64) {
        let sorted = self.sorted(figure);
        (
            sorted.first().copied().unwrap_or_default(),
            sorted.last().copied().unwrap_or_default(),
        )
    }

    pub(crate) fn rate(&self) -> f64 {
        self.median(|run| run.rate)
    }

    fn sorted(&self, figure: impl Fn(&Run) -> f64) -> Vec<f64> {
        let mut figures: Vec<f64> = self.runs.iter().map(figure).collect();
        figures.sort_by(f64::total_cmp);
        figures
    }
}
