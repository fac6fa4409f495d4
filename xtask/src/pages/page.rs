//! A page, and the places in it that the adapters write: each between a line `<!-- adapter:NAME:TABLE -->` and the next
//! line `<!-- /adapter -->`.
//!
//! Everything else is people's, and is never touched.

use super::tables::Table;

const BEGIN: &str = "<!-- adapter:";
const BEGIN_ENDS: &str = " -->";
const END: &str = "<!-- /adapter -->";

/// The two lines between which a table stands.
pub(super) fn markers(adapter: &str, table: Table) -> (String, &'static str) {
    (format!("{BEGIN}{adapter}:{}{BEGIN_ENDS}", table.name()), END)
}

/// A page in its parts.
#[derive(Debug)]
pub(super) struct Page<'t> {
    parts: Vec<Part<'t>>,
}

#[derive(Debug)]
enum Part<'t> {
    /// Of people; with the markers.
    Line(&'t str),
    /// Of an adapter.
    Block(Block<'t>),
}

/// A place for a table.
#[derive(Debug)]
pub(super) struct Block<'t> {
    /// By the name that the adapter gives itself.
    pub(super) adapter: String,
    pub(super) table: Table,
    /// The number of the line that begins it.
    line: usize,
    /// What is there now.
    lines: Vec<&'t str>,
}

impl<'t> Page<'t> {
    /// Reads a page.
    ///
    /// # Errors
    ///
    /// When a marker is no such, or has no other: the line's number, a colon, and what is wrong with it.
    pub(super) fn read(text: &'t str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut open: Option<Block<'t>> = None;
        for (line, number) in text.split_inclusive('\n').zip(1..) {
            let words = line.trim_end();
            let begins = words.contains(BEGIN);
            match &mut open {
                None if words == END => return Err(format!("{number}: a table ends here that did not begin")),
                None => {
                    parts.push(Part::Line(line));
                    if begins {
                        open = Some(begin(words, number)?);
                    }
                }
                Some(_) if words == END => {
                    parts.extend(open.take().map(Part::Block));
                    parts.push(Part::Line(line));
                }
                Some(block) if begins => return Err(unended(block)),
                Some(block) => block.lines.push(line),
            }
        }
        match open {
            Some(block) => Err(unended(&block)),
            None => Ok(Self { parts }),
        }
    }

    /// The places for tables, from top to bottom.
    pub(super) fn blocks(&self) -> impl Iterator<Item = &Block<'t>> {
        self.parts.iter().filter_map(|part| match part {
            Part::Block(block) => Some(block),
            Part::Line(_) => None,
        })
    }

    /// The page with these tables in its places, in their order.
    pub(super) fn with(&self, tables: &[String]) -> String {
        let mut tables = tables.iter();
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Line(line) => text.push_str(line),
                Part::Block(_) => text.push_str(&apart(tables.next().map(String::as_str).unwrap_or_default())),
            }
        }
        text
    }

    /// What is in its places and should not be, and what should be and is not: lines with `-` and `+`.
    pub(super) fn differences(&self, page: &str, tables: &[String]) -> String {
        let mut text = String::new();
        for (block, table) in self.blocks().zip(tables) {
            let table = apart(table);
            let wanted: Vec<&str> = table.split_inclusive('\n').collect();
            if block.lines == wanted {
                continue;
            }
            text.push_str(&format!("{page}:{}: {} of {}\n", block.line, block.table.name(), block.adapter));
            let only = |these: &[&str], others: &[&str], sign: char| -> String {
                let only = these.iter().map(|line| line.trim_end()).filter(|line| !line.is_empty());
                let only = only.filter(|line| !others.iter().any(|other| other.trim_end() == *line));
                only.map(|line| format!("  {sign} {line}\n")).collect()
            };
            let (gone, new) = (only(&block.lines, &wanted, '-'), only(&wanted, &block.lines, '+'));
            if gone.is_empty() && new.is_empty() {
                text.push_str("  the same lines, in another order or with other blanks\n");
            }
            text.push_str(&gone);
            text.push_str(&new);
        }
        text
    }
}

/// A table is one to a reader of Markdown only with a blank line before and after it.
fn apart(table: &str) -> String {
    format!("\n{table}\n")
}

fn begin<'t>(marker: &str, line: usize) -> Result<Block<'t>, String> {
    let named = marker.strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix(BEGIN_ENDS));
    let parts = named.and_then(|named| named.split_once(':'));
    let known = parts.and_then(|(adapter, table)| Some((adapter, Table::named(table)?)));
    let Some((adapter, table)) = known else {
        let names = Table::ALL.map(Table::name).join(", ");
        return Err(format!(
            "{line}: a table begins with `{BEGIN}NAME:TABLE{BEGIN_ENDS}` on a line of its own, TABLE being one of {names}"
        ));
    };
    Ok(Block { adapter: adapter.to_owned(), table, line, lines: Vec::new() })
}

fn unended(block: &Block<'_>) -> String {
    format!("{}: this table has no end; hint: `{END}` on a line of its own", block.line)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# Acme\n\n<!-- adapter:acme:settings -->\n\nold\n\n<!-- /adapter -->\n\nProse.\n\
                        <!-- adapter:acme:topics -->\n<!-- /adapter -->\nThe end, without a line's end";

    fn with(tables: &[&str]) -> String {
        Page::read(TEXT).unwrap().with(&tables.iter().map(|table| (*table).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn what_is_between_the_markers_is_replaced_and_all_else_stays() {
        let written = with(&["one\n", "two\n"]);
        assert_eq!(
            written,
            "# Acme\n\n<!-- adapter:acme:settings -->\n\none\n\n<!-- /adapter -->\n\nProse.\n\
             <!-- adapter:acme:topics -->\n\ntwo\n\n<!-- /adapter -->\nThe end, without a line's end"
        );
        let again = Page::read(&written).unwrap();
        assert_eq!(again.with(&["one\n".to_owned(), "two\n".to_owned()]), written);
    }

    #[test]
    fn a_page_without_places_stays_as_it_is() {
        let text = "# Prose\n\n| a | b |\n";
        assert_eq!(Page::read(text).unwrap().with(&[]), text);
    }

    #[test]
    fn differences_show_what_goes_and_what_comes_and_where() {
        let page = Page::read(TEXT).unwrap();
        let shown = page.differences("docs/acme.md", &["new\n".to_owned(), "there\n".to_owned()]);
        assert_eq!(
            shown,
            "docs/acme.md:3: settings of acme\n  - old\n  + new\ndocs/acme.md:10: topics of acme\n  + there\n"
        );
    }

    #[test]
    fn a_table_whose_blanks_alone_differ_is_still_said_to_differ() {
        let page = Page::read("<!-- adapter:acme:topics -->\nthere\n<!-- /adapter -->\n").unwrap();
        assert!(page.differences("page", &["there\n".to_owned()]).contains("other blanks"));
        let page = Page::read("<!-- adapter:acme:topics -->\n\nthere\n\n<!-- /adapter -->\n").unwrap();
        assert_eq!(page.differences("page", &["there\n".to_owned()]), "");
    }

    #[test]
    fn a_marker_that_is_none_is_refused_with_its_line() {
        for (text, number) in [
            ("x\n<!-- adapter:settings -->\n<!-- /adapter -->\n", 2),
            ("<!-- adapter:acme:colours -->\n<!-- /adapter -->\n", 1),
            ("   <!-- adapter:acme:settings -->\n<!-- /adapter -->\n", 1),
            ("<!-- adapter:acme:settings -->\n", 1),
            ("<!-- adapter:acme:settings -->\n<!-- adapter:acme:topics -->\n<!-- /adapter -->\n", 1),
            ("x\n\n<!-- /adapter -->\n", 3),
        ] {
            let wrong = Page::read(text).unwrap_err();
            assert!(wrong.starts_with(&format!("{number}: ")), "{text}: {wrong}");
        }
    }
}
