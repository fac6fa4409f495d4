//! The table of what happened.

use super::play::Played;
use super::site::RUN;
use crate::stages::in_words;

const HEAD: [&str; 9] = ["what", "shop", "order", "learner", "course run", "mode", "outcome", "took", ""];

/// The table; below it what is not as it must be.
#[must_use]
pub(super) fn report(played: &[Played]) -> String {
    let mut rows = vec![HEAD.map(str::to_owned)];
    rows.extend(played.iter().map(cells));
    let mut text = table(&rows);
    for row in played {
        for difference in &row.differences {
            text.push_str(&format!("\n{}, {}: {difference}", row.row.shop.name, row.row.title));
        }
    }
    let right = played.iter().filter(|row| row.differences.is_empty()).count();
    text.push_str(&format!("\n\n{right} of {} rows are as they must be", played.len()));
    text
}

fn cells(played: &Played) -> [String; 9] {
    let Played { row, took, outcome, differences } = played;
    [
        row.title.to_owned(),
        row.shop.name.to_owned(),
        row.orders.join(" "),
        row.email(),
        RUN.to_owned(),
        outcome.enrollment.mode().to_owned(),
        story(played),
        took.map_or_else(|| "-".to_owned(), in_words),
        if differences.is_empty() { "right" } else { "WRONG" }.to_owned(),
    ]
}

fn story(played: &Played) -> String {
    let outcome = &played.outcome;
    let mut parts = vec![outcome.enrollment.to_string()];
    if outcome.answers.iter().any(|status| *status != 200) {
        let statuses: Vec<_> = outcome.answers.iter().map(u64::to_string).collect();
        parts.insert(0, format!("answered {}", statuses.join(" ")));
    }
    if outcome.changes > 0 {
        parts.push(format!("{} change(s) in the LMS", outcome.changes));
    }
    // What is owed and enrolled needs no further word.
    parts.extend(outcome.purchases.iter().filter(|purchase| !purchase.ends_with(": owed")).cloned());
    parts.extend(outcome.reviews.iter().map(|review| format!("review {review}")));
    parts.join("; ")
}

fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let widths: [usize; N] = std::array::from_fn(|column| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or_default()
    });
    let line = |row: &[String; N]| {
        let cells: Vec<_> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        cells.join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::outcome::Enrollment;
    use crate::demo::rows::ROWS;

    fn played(enrollment: Enrollment) -> Played {
        let [row, ..] = ROWS;
        let outcome = crate::demo::outcome::Outcome { enrollment, ..row.must_be() };
        Played { row, took: None, differences: outcome.differences(&row.must_be()), outcome }
    }

    #[test]
    fn a_row_that_is_not_as_it_must_be_is_marked_and_explained() {
        let good = ROWS.first().unwrap().must_be().enrollment;
        let text = report(&[played(good), played(Enrollment::Absent)]);
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[1].ends_with("right"), "{text}");
        assert!(lines[2].ends_with("WRONG"), "{text}");
        assert!(text.contains("campus, paid: LMS: Absent; must be Active(\"verified\")"), "{text}");
        assert!(text.ends_with("1 of 2 rows are as they must be"), "{text}");
    }
}
