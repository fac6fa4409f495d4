//! Between columns and types: reading what must be there, and saying clearly when it does not read.

use std::{fmt::Display, str::FromStr};

use bursar_domain::Timestamp;
use serde::{Serialize, de::DeserializeOwned};
use sqlx::{Row, sqlite::SqliteRow};

use crate::error::{Result, StoreError};

/// A text column as a type that checks it.
pub(crate) fn parsed<T>(row: &SqliteRow, column: &'static str) -> Result<T>
where
    T: FromStr<Err: Display>,
{
    parse(column, &row.try_get::<String, _>(column)?)
}

/// A text column that may be empty.
pub(crate) fn parsed_option<T>(row: &SqliteRow, column: &'static str) -> Result<Option<T>>
where
    T: FromStr<Err: Display>,
{
    row.try_get::<Option<String>, _>(column)?.map(|text| parse(column, &text)).transpose()
}

fn parse<T: FromStr<Err: Display>>(what: &'static str, text: &str) -> Result<T> {
    text.parse().map_err(|problem: T::Err| StoreError::Corrupt { what, problem: problem.to_string() })
}

/// A JSON column.
pub(crate) fn json<T: DeserializeOwned>(row: &SqliteRow, column: &'static str) -> Result<T> {
    from_json(column, &row.try_get::<String, _>(column)?)
}

/// A JSON column that may be empty.
pub(crate) fn json_option<T: DeserializeOwned>(row: &SqliteRow, column: &'static str) -> Result<Option<T>> {
    row.try_get::<Option<String>, _>(column)?.map(|text| from_json(column, &text)).transpose()
}

fn from_json<T: DeserializeOwned>(what: &'static str, text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|problem| StoreError::Corrupt { what, problem: problem.to_string() })
}

/// A column of a fieldless enum that serialises to a word.
pub(crate) fn word<T: DeserializeOwned>(row: &SqliteRow, column: &'static str) -> Result<T> {
    from_word(column, row.try_get::<String, _>(column)?)
}

pub(crate) fn from_word<T: DeserializeOwned>(what: &'static str, text: String) -> Result<T> {
    serde_json::from_value(serde_json::Value::String(text))
        .map_err(|problem| StoreError::Corrupt { what, problem: problem.to_string() })
}

/// The word that a fieldless enum serialises to.
pub(crate) fn to_word<T: Serialize>(value: &T) -> Result<String> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => Ok(text),
        _ => Err(StoreError::Corrupt { what: "word", problem: "does not serialise to a word".into() }),
    }
}

/// JSON text of a value.
pub(crate) fn to_json<T: Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|problem| StoreError::Corrupt { what: "json", problem: problem.to_string() })
}

/// A moment.
pub(crate) fn time(row: &SqliteRow, column: &'static str) -> Result<Timestamp> {
    Ok(Timestamp::from_millis(row.try_get(column)?))
}

/// A moment that may be missing.
pub(crate) fn time_option(row: &SqliteRow, column: &'static str) -> Result<Option<Timestamp>> {
    Ok(row.try_get::<Option<i64>, _>(column)?.map(Timestamp::from_millis))
}

/// A count.
pub(crate) fn count(row: &SqliteRow, column: &'static str) -> Result<u32> {
    let value: i64 = row.try_get(column)?;
    u32::try_from(value).map_err(|problem| StoreError::Corrupt { what: column, problem: problem.to_string() })
}
