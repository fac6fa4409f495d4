//! Figures, and the two streams: figures to standard output, words to standard error.
//!
//! Owns what a limit means. Nothing else in the crate prints.

#![expect(
    clippy::float_arithmetic,
    reason = "figures are shown as decimals and ratios; nothing is decided by them but limits"
)]

use std::io::{self, Write as _};

use serde_json::json;

/// What a figure must keep.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Limit {
    /// Not more than this.
    AtMost(f64),
    /// At least this.
    AtLeast(f64),
    /// At least this share of the baseline.
    RatioAtLeast(f64),
    /// At most this many times the baseline.
    RatioAtMost(f64),
    /// It is told, not judged.
    None,
}

/// Something that was measured. Values are in thousandths of the unit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figure {
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) value: u64,
    /// The same of the baseline, in the same run.
    pub(crate) baseline: Option<u64>,
    pub(crate) limit: Limit,
}

impl Figure {
    fn ratio(&self) -> Option<f64> {
        self.baseline.filter(|baseline| *baseline > 0).map(|baseline| self.value as f64 / baseline as f64)
    }

    /// Was the limit kept?
    pub(crate) fn ok(&self) -> bool {
        match self.limit {
            Limit::AtMost(most) => decimal(self.value) <= most,
            Limit::AtLeast(least) => decimal(self.value) >= least,
            Limit::RatioAtLeast(least) => self.ratio().is_some_and(|ratio| ratio >= least),
            Limit::RatioAtMost(most) => self.ratio().is_some_and(|ratio| ratio <= most),
            Limit::None => true,
        }
    }

    fn limit_in_words(&self) -> String {
        match self.limit {
            Limit::AtMost(most) => format!("≤ {most}"),
            Limit::AtLeast(least) => format!("≥ {least}"),
            Limit::RatioAtLeast(least) => format!("ratio ≥ {least}"),
            Limit::RatioAtMost(most) => format!("ratio ≤ {most}"),
            Limit::None => "-".to_owned(),
        }
    }
}

fn decimal(thousandths: u64) -> f64 {
    thousandths as f64 / 1_000.0
}

/// How figures are printed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Print {
    json: bool,
}

impl Print {
    /// Begins: for people with a head.
    pub(crate) fn begin(json: bool) -> Self {
        if !json {
            line(["figure", "value", "unit", "baseline", "ratio", "limit", ""].map(str::to_owned));
        }
        Self { json }
    }

    pub(crate) fn figure(self, figure: &Figure) {
        let Figure { name, unit, value, baseline, .. } = *figure;
        if self.json {
            let object = json!({
                "name": name, "value": decimal(value), "unit": unit, "baseline": baseline.map(decimal),
                "ratio": figure.ratio(), "limit": figure.limit_in_words(), "ok": figure.ok(),
            });
            data(&object.to_string());
            return;
        }
        let dash = || "-".to_owned();
        line([
            name.to_owned(),
            shown(value),
            unit.to_owned(),
            baseline.map_or_else(dash, shown),
            figure.ratio().map_or_else(dash, |ratio| format!("{ratio:.2}")),
            figure.limit_in_words(),
            if figure.ok() { "ok" } else { "MISSED" }.to_owned(),
        ]);
    }
}

/// With as many decimals as say something.
fn shown(thousandths: u64) -> String {
    match thousandths {
        0..10_000 => format!("{:.2}", decimal(thousandths)),
        10_000..1_000_000 => format!("{:.1}", decimal(thousandths)),
        _ => format!("{:.0}", decimal(thousandths)),
    }
}

fn line(cells: [String; 7]) {
    let [name, value, unit, baseline, ratio, limit, verdict] = cells;
    data(&format!("{name:<44} {value:>9} {unit:<6} {baseline:>9} {ratio:>6}  {limit:<12} {verdict}"));
}

fn data(text: &str) {
    let _ = writeln!(io::stdout(), "{text}");
}

/// Tells what is being done.
pub(crate) fn words(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_can_be_missed() {
        let figure = |value, baseline, limit| Figure { name: "n", unit: "u", value, baseline, limit };
        assert!(figure(20_000, None, Limit::AtMost(20.0)).ok());
        assert!(!figure(20_001, None, Limit::AtMost(20.0)).ok());
        assert!(figure(20_000, None, Limit::AtLeast(20.0)).ok());
        assert!(!figure(19_999, None, Limit::AtLeast(20.0)).ok());
        assert!(figure(5_000, Some(10_000), Limit::RatioAtLeast(0.5)).ok());
        assert!(!figure(4_999, Some(10_000), Limit::RatioAtLeast(0.5)).ok());
        assert!(!figure(4_999, None, Limit::RatioAtLeast(0.5)).ok());
        assert!(figure(20_000, Some(10_000), Limit::RatioAtMost(2.0)).ok());
        assert!(!figure(20_001, Some(10_000), Limit::RatioAtMost(2.0)).ok());
    }
}
