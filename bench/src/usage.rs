//! What the kernel says of processes: the time they kept processors busy, and their memory. Linux only.

use std::collections::HashMap;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;

/// The kernel's unit of processor time, on every Linux that this runs on (`getconf CLK_TCK`).
const TICKS_A_SECOND: u32 = 100;

/// A process with its children and theirs.
#[derive(Clone, Copy)]
pub(crate) struct Family(pub(crate) u32);

struct Process {
    parent: u32,
    /// Its own time, and that of its children which are gone.
    ticks: u64,
}

impl Family {
    /// The processor time that the family has used so far.
    pub(crate) fn processor(self) -> anyhow::Result<Duration> {
        let all = processes()?;
        let ticks: u64 = all
            .iter()
            .filter(|(id, _)| self.holds(**id, &all))
            .map(|(_, process)| process.ticks)
            .sum();
        Ok(Duration::from_secs(1) / TICKS_A_SECOND * u32::try_from(ticks)?)
    }

    /// The memory that the family holds now, in MiB, with what its members share counted once.
    pub(crate) fn memory(self) -> anyhow::Result<f64> {
        let all = processes()?;
        let mut kibi = 0;
        for id in all.keys().filter(|id| self.holds(**id, &all)) {
            // One that has just gone holds nothing.
            let Ok(sums) = fs::read_to_string(format!("/proc/{id}/smaps_rollup")) else {
                continue;
            };
            kibi += sums
                .lines()
                .find_map(|line| line.strip_prefix("Pss:"))
                .context("no Pss")?
                .trim()
                .trim_end_matches(" kB")
                .parse::<u32>()?;
        }
        Ok(f64::from(kibi) / 1024.0)
    }

    fn holds(self, id: u32, all: &HashMap<u32, Process>) -> bool {
        let mut id = id;
        while id != self.0 {
            match all.get(&id) {
                Some(process) if process.parent != 0 => id = process.parent,
                _ => return false,
            }
        }
        true
    }
}

/// A thread of this process.
pub(crate) struct Thread(PathBuf);

impl Thread {
    /// The one that asks.
    pub(crate) fn current() -> anyhow::Result<Self> {
        Ok(Self(Path::new("/proc").join(fs::read_link("/proc/thread-self")?)))
    }

    /// The processor time that it has used so far.
    pub(crate) fn processor(&self) -> anyhow::Result<Duration> {
        let stat = fs::read_to_string(self.0.join("stat"))?;
        let (ticks, _) = read(&stat, 11..13)?;
        Ok(Duration::from_secs(1) / TICKS_A_SECOND * u32::try_from(ticks)?)
    }
}

fn processes() -> anyhow::Result<HashMap<u32, Process>> {
    let mut all = HashMap::new();
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(id) = name.to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let Ok(stat) = fs::read_to_string(format!("/proc/{id}/stat")) else {
            continue;
        };
        let (ticks, parent) = read(&stat, 11..15)?;
        all.insert(id, Process { parent, ticks });
    }
    Ok(all)
}

/// The times in these fields, and who the parent is. proc(5): the name in parentheses may hold anything, so the fields are counted
/// from its end.
fn read(stat: &str, times: Range<usize>) -> anyhow::Result<(u64, u32)> {
    let (_, rest) = stat.rsplit_once(')').context("no name")?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let field = |at: usize| fields.get(at).context("a field is missing");
    let mut ticks = 0;
    for time in times {
        ticks += field(time)?.parse::<u64>()?;
    }
    Ok((ticks, field(1)?.parse()?))
}
