//! `bench/RESULTS.md`, and the chart of the ratios.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use crate::sitting::Result;

/// The title of the second part.
const DELIVERY: &str = "# Delivering messages";

/// The two parts of the file: each is measured by itself, and leaves the other as it is.
#[derive(Clone, Copy)]
pub(crate) enum Part {
    /// The registry.
    Registry,
    /// The delivery of messages.
    Delivery,
}

/// A part that grows section by section, and is written anew after each, so that what was measured is never lost.
pub(crate) struct Report {
    part: Part,
    text: String,
    folder: std::path::PathBuf,
}

impl Report {
    pub(crate) fn new(part: Part, folder: &Path) -> Self {
        let text = match part {
            Part::Registry => String::new(),
            Part::Delivery => format!("{DELIVERY}\n\n"),
        };
        Self {
            part,
            text,
            folder: folder.to_owned(),
        }
    }

    pub(crate) fn say(&mut self, text: &str) -> anyhow::Result<()> {
        self.text.push_str(text);
        self.text.push_str("\n\n");
        let file = self.folder.join("RESULTS.md");
        let there = fs::read_to_string(&file).unwrap_or_default();
        let (registry, delivery) = there.split_at(there.find(DELIVERY).unwrap_or(there.len()));
        let (registry, delivery) = match self.part {
            Part::Registry => (self.text.as_str(), delivery),
            Part::Delivery => (registry, self.text.as_str()),
        };
        let parts = [registry.trim_end(), delivery.trim_end()];
        let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        Ok(fs::write(file, format!("{}\n", parts.join("\n\n")))?)
    }

    /// A table of what each contender did. Ratios are to the first.
    pub(crate) fn table(&mut self, results: &[Result]) -> anyhow::Result<()> {
        let mut table = String::from(
            "| | a second | from – to | median ms | p99 ms | server, cores | PostgreSQL, cores | memory MiB | the first is × this |\n\
             |---|--:|--:|--:|--:|--:|--:|--:|--:|\n",
        );
        let first = results.first().map_or(0.0, Result::rate);
        for result in results {
            let (least, most) = result.range(|run| run.rate);
            let millis = |of: fn(&crate::contenders::Run) -> std::time::Duration| {
                let millis = result.median(|run| of(run).as_secs_f64() * 1e3);
                if millis > 0.0 {
                    format!("{millis:.1}")
                } else {
                    "–".to_owned()
                }
            };
            let memory = result.median(|run| run.memory);
            let failed: usize = result.runs.iter().map(|run| run.failed).sum();
            let note = if failed > 0 {
                format!(" ({failed} answers were not 2xx)")
            } else {
                String::new()
            };
            writeln!(
                table,
                "| {}{note} | {:.0} | {least:.0} – {most:.0} | {} | {} | {:.2} | {:.2} | {} | {:.2} |",
                result.name,
                result.rate(),
                millis(|run| run.median),
                millis(|run| run.p99),
                result.median(|run| run.server),
                result.median(|run| run.database),
                if memory > 0.0 {
                    format!("{memory:.0}")
                } else {
                    "–".to_owned()
                },
                first / result.rate(),
            )?;
        }
        self.say(table.trim_end())
    }

    /// Draws how many times each of the others' rate the first one's is, as bars on a logarithmic scale.
    pub(crate) fn chart(&self, title: &str, results: &[Result]) -> anyhow::Result<()> {
        let Some((first, others)) = results.split_first() else {
            return Ok(());
        };
        let ratios: Vec<(&str, f64)> = others
            .iter()
            .filter(|other| other.rate() > 0.0)
            .map(|other| (other.name, first.rate() / other.rate()))
            .collect();
        let most = ratios.iter().map(|(_, ratio)| *ratio).fold(2.0, f64::max);
        let least = ratios.iter().map(|(_, ratio)| *ratio).fold(1.0, f64::min);
        let (left, width) = (300.0, 330.0);
        let place = |ratio: f64| left + width * (ratio / least).ln() / (most / least).ln();
        let mut bars = String::new();
        let mut y = 44;
        for (name, ratio) in &ratios {
            let (from, to) = (place(1.0).min(place(*ratio)), place(1.0).max(place(*ratio)));
            writeln!(
                bars,
                "<text x=\"{:.0}\" y=\"{}\" text-anchor=\"end\">{name}</text>\
                 <rect x=\"{from:.0}\" y=\"{y}\" width=\"{:.0}\" height=\"18\" rx=\"3\" class=\"{}\"/>\
                 <text x=\"{:.0}\" y=\"{}\">{ratio:.1} ×</text>",
                left - 10.0,
                y + 14,
                (to - from).max(2.0),
                if *ratio >= 1.0 { "more" } else { "less" },
                to + 8.0,
                y + 14,
            )?;
            y += 28;
        }
        let one = place(1.0);
        let drawing = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 720 {height}\" role=\"img\" aria-label=\"{title}\">\n\
             <style>text{{font:13px system-ui,sans-serif;fill:#57606a}}.title{{font-weight:600}}.more{{fill:#2da44e}}\
             .less{{fill:#bf8700}}line{{stroke:#8c959f;stroke-dasharray:3}}</style>\n\
             <text x=\"10\" y=\"22\" class=\"title\">{title}</text>\n\
             <line x1=\"{one:.0}\" x2=\"{one:.0}\" y1=\"36\" y2=\"{y}\"/>\n{bars}</svg>\n",
            height = y + 8,
        );
        Ok(fs::write(self.folder.join("ratios.svg"), drawing)?)
    }
}
