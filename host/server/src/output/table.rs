//! Tables for people: columns aligned by what is seen, no borders, cut to the terminal where there is one.
//!
//! Owns layout only. What goes nowhere near a terminal is never cut.

use unicode_width::UnicodeWidthStr as _;

use super::{
    human::{fit, printable},
    style::Style,
};

/// Blanks between columns.
const GAP: &str = "  ";
/// No column is cut to fewer columns of the terminal than this: less cannot be recognised.
const LEAST_WIDTH: usize = 8;

/// A column.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    title: &'static str,
    right: bool,
    whole: bool,
    wrapped: bool,
}

impl Column {
    /// A column of text.
    #[must_use]
    pub const fn new(title: &'static str) -> Self {
        Self { title, right: false, whole: false, wrapped: false }
    }

    /// The same, aligned to the right: for numbers.
    #[must_use]
    pub const fn right(mut self) -> Self {
        self.right = true;
        self
    }

    /// The same, never cut: for ids, which are copied.
    #[must_use]
    pub const fn whole(mut self) -> Self {
        self.whole = true;
        self
    }

    /// The same, broken into several lines where it is too long: for sentences, of which nothing may be missing.
    #[must_use]
    pub const fn wrapped(mut self) -> Self {
        self.wrapped = true;
        self
    }
}

/// What stands in one column of a row.
#[derive(Debug, Clone, Default)]
pub struct Cell {
    text: String,
    style: Option<Style>,
}

impl Cell {
    /// The same in a look of its own.
    #[must_use]
    pub fn styled(mut self, style: Style) -> Self {
        self.style = Some(style);
        self
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self { text: printable(&text).replace('\n', " "), style: None }
    }
}

/// A table.
#[derive(Debug, Clone)]
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// A table without rows.
    #[must_use]
    pub fn new(columns: impl IntoIterator<Item = Column>) -> Self {
        Self { columns: columns.into_iter().collect(), rows: Vec::new() }
    }

    /// Adds a row; a cell for each column.
    pub fn row<C: Into<Cell>>(&mut self, cells: impl IntoIterator<Item = C>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    /// The table as lines, within so many columns of a terminal if there is one.
    #[must_use]
    pub fn render(&self, width: Option<usize>, colour: bool) -> String {
        let widths = self.widths(width);
        let titles: Vec<Cell> = self.columns.iter().map(|column| column.title.to_uppercase().into()).collect();
        let mut lines = vec![Style::Bold.paint(&self.line(&titles, &widths, false), colour)];
        let rows = self.rows.iter().flat_map(|row| self.broken(row, &widths));
        lines.extend(rows.map(|row| self.line(&row, &widths, colour)));
        lines.join("\n")
    }

    fn widths(&self, terminal: Option<usize>) -> Vec<usize> {
        let natural = self.columns.iter().enumerate().map(|(index, column)| {
            let cells = self.rows.iter().filter_map(|row| row.get(index)).map(|cell| cell.text.width());
            cells.chain([column.title.width()]).max().unwrap_or_default()
        });
        let mut widths: Vec<usize> = natural.collect();
        let Some(terminal) = terminal else { return widths };
        let gaps = GAP.len() * widths.len().saturating_sub(1);
        while widths.iter().sum::<usize>() + gaps > terminal {
            let cuttable = widths.iter_mut().zip(&self.columns).filter(|(_, column)| !column.whole);
            match cuttable.map(|(width, _)| width).max() {
                Some(widest) if *widest > LEAST_WIDTH => *widest -= 1,
                _ => break,
            }
        }
        widths
    }

    /// A row as the lines that it takes.
    fn broken(&self, cells: &[Cell], widths: &[usize]) -> Vec<Vec<Cell>> {
        let wrapped = |cell: &Cell, width: usize| -> Vec<Cell> {
            wrap(&cell.text, width).into_iter().map(|text| Cell { text, style: cell.style }).collect()
        };
        let broken: Vec<Vec<Cell>> = cells
            .iter()
            .zip(widths)
            .zip(&self.columns)
            .map(|((cell, width), column)| if column.wrapped { wrapped(cell, *width) } else { vec![cell.clone()] })
            .collect();
        let height = broken.iter().map(Vec::len).max().unwrap_or_default();
        (0..height)
            .map(|line| broken.iter().map(|cell| cell.get(line).cloned().unwrap_or_default()).collect())
            .collect()
    }

    fn line(&self, cells: &[Cell], widths: &[usize], colour: bool) -> String {
        let padded = cells.iter().zip(widths).zip(&self.columns).map(|((cell, width), column)| {
            let text = fit(&cell.text, *width);
            let blanks = " ".repeat(width.saturating_sub(text.width()));
            let text = match cell.style {
                Some(style) => style.paint(&text, colour),
                None => text,
            };
            if column.right { blanks + &text } else { text + &blanks }
        });
        padded.collect::<Vec<_>>().join(GAP).trim_end().to_owned()
    }
}

/// The text in lines of so many columns, broken between words. A word that is longer than a line stands alone and is cut.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.width() + 1 + word.width() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn courses() -> Table {
        let mut table = Table::new([Column::new("id").whole(), Column::new("course"), Column::new("sold").right()]);
        table.row(["dlv_1", "Вступ до тестування — “Основи” 🎓", "2"]);
        table.row(["dlv_22", "日本語", "140"]);
        table
    }

    #[test]
    fn columns_are_aligned_by_what_is_seen() {
        let expected = "\
ID      COURSE                             SOLD
dlv_1   Вступ до тестування — “Основи” 🎓     2
dlv_22  日本語                              140";
        assert_eq!(courses().render(None, false), expected);
    }

    #[test]
    fn a_narrow_terminal_cuts_the_widest_column_and_no_id() {
        let expected = "\
ID      COURSE        SOLD
dlv_1   Вступ до те…     2
dlv_22  日本語         140";
        assert_eq!(courses().render(Some(26), false), expected);
    }

    #[test]
    fn a_terminal_too_narrow_for_anything_gets_lines_that_are_too_long() {
        assert!(courses().render(Some(1), false).contains("dlv_22"));
    }

    #[test]
    fn a_cell_cannot_begin_a_line_of_its_own() {
        let mut table = Table::new([Column::new("title")]);
        table.row(["one\ntwo\u{1b}[31m"]);
        assert_eq!(table.render(None, false), "TITLE\none two�[31m");
    }

    #[test]
    fn a_sentence_is_broken_and_not_cut() {
        let mut table = Table::new([Column::new("when").whole(), Column::new("why").wrapped()]);
        table.row(["09:15", "bought, and not enrolled before"]);
        table.row(["09:16", "left"]);
        let expected = "\
WHEN   WHY
09:15  bought, and
       not enrolled
       before
09:16  left";
        assert_eq!(table.render(Some(20), false), expected);
        assert!(table.render(None, false).contains("bought, and not enrolled before"));
    }

    #[test]
    fn a_cell_in_a_look_of_its_own_is_as_wide_as_any() {
        let mut table = Table::new([Column::new("a").right(), Column::new("b")]);
        table.row([Cell::from("1").styled(Style::Red), Cell::from("x")]);
        table.row(["22", "y"]);
        assert_eq!(table.render(None, false), " A  B\n 1  x\n22  y");
        assert!(table.render(None, true).contains(" \u{1b}[1;31m1\u{1b}[0m  x"));
    }

    #[test]
    fn colour_adds_nothing_but_colour() {
        let painted = courses().render(None, true);
        assert!(painted.contains("\u{1b}[1mID"));
        assert_eq!(painted.replace("\u{1b}[1m", "").replace("\u{1b}[0m", ""), courses().render(None, false));
    }
}
