//! Tables to look at: the first rows of CSV, TSV and Parquet files.

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// No cell is shown longer.
const CELL_MAX: usize = 500;
/// No more of a file is read to show its beginning: a quote that never closes makes one cell of the rest.
const READ_MAX: u64 = 32 * 1024 * 1024;
/// Columns that are shown.
const COLUMNS_MAX: usize = 200;

/// The beginning of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Head {
    pub columns: Vec<String>,
    /// The type of each column, where the file says it.
    pub types: Vec<String>,
    pub rows: Vec<Vec<String>>,
    /// How many rows there are, where that is known without reading all.
    pub total: Option<u64>,
    /// Columns beyond those that are shown.
    pub more_columns: usize,
}

/// Why a table cannot be shown, with the place.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadTable(String);

fn cut(text: &str) -> String {
    match text.char_indices().nth(CELL_MAX) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// The first rows of a file of separated values. The separator is the one of `,;\t|` that the head has most of.
pub fn separated(path: &Path, rows: usize) -> Result<Head, BadTable> {
    let bad = |e: &dyn std::fmt::Display| BadTable(e.to_string());
    let file = File::open(path).map_err(|e| bad(&e))?;
    let mut first = Vec::new();
    let mut reader = BufReader::new(file);
    reader.by_ref().take(64 * 1024).read_until(b'\n', &mut first).map_err(|e| bad(&e))?;
    let count = |sep: u8| first.iter().filter(|b| **b == sep).count();
    let separator = [b',', b';', b'\t', b'|'].into_iter().max_by_key(|s| (count(*s), *s == b',')).unwrap_or(b',');
    let file = File::open(path).map_err(|e| bad(&e))?;
    let mut csv = csv::ReaderBuilder::new().delimiter(separator).flexible(true).from_reader(BufReader::new(file.take(READ_MAX)));
    let text = |r: &csv::ByteRecord| -> Vec<String> { r.iter().take(COLUMNS_MAX).map(|c| cut(&String::from_utf8_lossy(c))).collect() };
    let head = csv.byte_headers().map_err(|e| bad(&e))?.clone();
    let mut out = Head { columns: text(&head), more_columns: head.len().saturating_sub(COLUMNS_MAX), ..Head::default() };
    let mut record = csv::ByteRecord::new();
    while out.rows.len() < rows {
        match csv.read_byte_record(&mut record) {
            Ok(true) => out.rows.push(text(&record)),
            Ok(false) if csv.position().byte() >= READ_MAX => break,
            Ok(false) => {
                out.total = Some(out.rows.len() as u64);
                break;
            }
            Err(error) => return Err(bad(&error)),
        }
    }
    Ok(out)
}

/// The first rows of a Parquet file.
pub fn parquet(path: &Path, rows: usize) -> Result<Head, BadTable> {
    let bad = |e: &dyn std::fmt::Display| BadTable(format!("this is no Parquet file that can be read: {e}"));
    let file = File::open(path).map_err(|e| bad(&e))?;
    let reader = SerializedFileReader::new(file).map_err(|e| bad(&e))?;
    let meta = reader.metadata().file_metadata();
    let fields = meta.schema().get_fields().to_vec();
    let mut out = Head {
        columns: fields.iter().take(COLUMNS_MAX).map(|f| f.name().to_owned()).collect(),
        types: fields.iter().take(COLUMNS_MAX).map(|f| kind(f)).collect(),
        total: u64::try_from(meta.num_rows()).ok(),
        more_columns: fields.len().saturating_sub(COLUMNS_MAX),
        ..Head::default()
    };
    for row in reader.get_row_iter(None).map_err(|e| bad(&e))?.take(rows) {
        let row = row.map_err(|e| bad(&e))?;
        out.rows.push(row.get_column_iter().take(COLUMNS_MAX).map(|(_, field)| shown(field)).collect());
    }
    Ok(out)
}

fn kind(field: &parquet::schema::types::Type) -> String {
    if field.is_group() {
        return "nested".to_owned();
    }
    match field.get_basic_info().logical_type_ref() {
        Some(logical) => format!("{logical:?}").split(['(', ' ', '{']).next().unwrap_or_default().to_lowercase(),
        None => field.get_physical_type().to_string().to_lowercase(),
    }
}

fn shown(field: &Field) -> String {
    match field {
        Field::Null => String::new(),
        Field::Str(text) => cut(text),
        Field::Bytes(bytes) => format!("{} bytes", bytes.len()),
        other => cut(&other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_separator_is_found_and_quoted_ones_do_not_count() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.csv");
        std::fs::write(&path, "a;b\n1;\"x;y\"\n2;z\n3;w\n").unwrap();
        let head = separated(&path, 2).unwrap();
        assert_eq!(head.columns, ["a", "b"]);
        assert_eq!(head.rows, [["1", "x;y"], ["2", "z"]]);
        assert_eq!(head.total, None, "there may be more");
        assert_eq!(separated(&path, 9).unwrap().total, Some(3));
    }

    #[test]
    fn what_is_no_parquet_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.parquet");
        std::fs::write(&path, "PAR1 no PAR1").unwrap();
        assert!(parquet(&path, 5).unwrap_err().to_string().contains("no Parquet file"));
    }
}
