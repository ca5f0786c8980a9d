//! A CSV file as a dataset version: its digest, its rows, its columns and their types.

use cairn_core::id::Digest;
use cairn_core::op::{Column, Num};
use cairn_stats::summary::Summary;
use sha2::{Digest as _, Sha256};
use std::collections::HashSet;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

/// Beyond this many, distinct values are not counted.
const DISTINCT_MAX: usize = 10_000;
/// The most columns; more does not fit into one line of the log.
const COLUMNS_MAX: usize = 1_500;

/// What a CSV file holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    pub digest: Digest,
    /// Bytes.
    pub size: u64,
    /// Data rows, the header not counted.
    pub rows: u64,
    pub columns: Vec<Column>,
    pub delimiter: char,
}

/// Why a file is not taken as CSV. Lines count from 1, the header included.
#[derive(Debug, thiserror::Error)]
pub enum CsvError {
    #[error("{path} could not be read: {source}")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{0} is empty")]
    Empty(PathBuf),
    #[error("{0} is not a text file, so it cannot be CSV")]
    Binary(PathBuf),
    #[error("{path}, line {line}: {found} fields where the header has {expected}")]
    Ragged { path: PathBuf, line: u64, expected: u64, found: u64 },
    #[error("{path}, line {line}: the text is not UTF-8")]
    Encoding { path: PathBuf, line: u64 },
    #[error("{0} has a header but no rows")]
    NoRows(PathBuf),
    #[error("{path} has {columns} columns; at most {COLUMNS_MAX} are taken")]
    TooWide { path: PathBuf, columns: usize },
    #[error("{path}: two columns are called \"{name}\"")]
    SameName { path: PathBuf, name: String },
}

/// Passes bytes on and hashes them on the way, so that the file is read once.
struct Hashing<R> {
    inner: R,
    hash: Sha256,
    size: u64,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.hash.update(&buffer[..n]);
        self.size += n as u64;
        Ok(n)
    }
}

struct Probe {
    name: String,
    missing: u64,
    distinct: HashSet<String>,
    too_many: bool,
    integer: bool,
    number: bool,
    boolean: bool,
    date: bool,
    numbers: Summary,
}

impl Probe {
    fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            missing: 0,
            distinct: HashSet::new(),
            too_many: false,
            integer: true,
            number: true,
            boolean: true,
            date: true,
            numbers: Summary::default(),
        }
    }

    fn see(&mut self, raw: &str) {
        let text = raw.trim();
        if text.is_empty() || matches!(text, "NA" | "N/A" | "NaN" | "nan" | "null" | "NULL" | "None") {
            self.missing += 1;
            return;
        }
        if !self.too_many && !self.distinct.contains(text) {
            self.too_many = self.distinct.len() >= DISTINCT_MAX;
            if !self.too_many {
                self.distinct.insert(text.to_owned());
            }
        }
        self.integer = self.integer && text.parse::<i64>().is_ok();
        self.boolean = self.boolean && matches!(text, "true" | "false" | "True" | "False" | "TRUE" | "FALSE");
        self.date = self.date && is_date(text);
        if self.number {
            match text.parse::<f64>() {
                Ok(value) => self.numbers.push(value),
                Err(_) => self.number = false,
            }
        }
    }

    fn finish(self, rows: u64) -> Column {
        let all_missing = self.missing == rows;
        let dtype = match () {
            () if all_missing => "text",
            () if self.integer => "integer",
            () if self.number => "number",
            () if self.boolean => "boolean",
            () if self.date => "date",
            () => "text",
        };
        let numeric = matches!(dtype, "integer" | "number") && self.numbers.count > 0;
        let when = |value: f64| numeric.then_some(Num(value));
        Column {
            name: self.name,
            dtype: dtype.to_owned(),
            missing: self.missing,
            distinct: (!self.too_many).then_some(self.distinct.len() as u64),
            min: when(self.numbers.min),
            mean: when(self.numbers.mean),
            max: when(self.numbers.max),
        }
    }
}

/// `2026-11-20`, with or without a time behind it.
fn is_date(text: &str) -> bool {
    let b = text.as_bytes();
    let digits = |range: std::ops::Range<usize>| b[range].iter().all(u8::is_ascii_digit);
    b.len() >= 10
        && digits(0..4)
        && b[4] == b'-'
        && digits(5..7)
        && b[7] == b'-'
        && digits(8..10)
        && (b.len() == 10 || b[10] == b'T' || b[10] == b' ')
}

/// Reads a whole CSV file once: digest, rows, columns.
pub fn profile(path: &Path) -> Result<Profile, CsvError> {
    let named = || path.to_owned();
    let read_error = |source| CsvError::Read { path: path.to_owned(), source };
    let mut head = vec![0; 64 * 1024];
    let got = File::open(path).and_then(|mut f| f.read(&mut head)).map_err(read_error)?;
    head.truncate(got);
    if head.iter().all(u8::is_ascii_whitespace) {
        return Err(CsvError::Empty(named()));
    }
    if head.contains(&0) {
        return Err(CsvError::Binary(named()));
    }
    let delimiter = sniff(&head);

    let file = File::open(path).map_err(read_error)?;
    let mut source = Hashing { inner: BufReader::with_capacity(1 << 18, file), hash: Sha256::new(), size: 0 };
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).from_reader(&mut source);
    let failed = |error: csv::Error| csv_error(path, error);
    let header = reader.headers().map_err(failed)?.clone();
    if header.len() > COLUMNS_MAX {
        return Err(CsvError::TooWide { path: named(), columns: header.len() });
    }
    let mut seen = HashSet::new();
    for name in &header {
        if !seen.insert(name) {
            return Err(CsvError::SameName { path: named(), name: name.to_owned() });
        }
    }
    let mut probes: Vec<Probe> = header.iter().map(|name| Probe::new(name.trim_start_matches('\u{feff}'))).collect();
    let mut rows = 0;
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(failed)? {
        rows += 1;
        for (probe, field) in probes.iter_mut().zip(&record) {
            probe.see(field);
        }
    }
    if rows == 0 {
        return Err(CsvError::NoRows(named()));
    }
    drop(reader);
    let digest = Digest::from_bytes(&source.hash.finalize().into());
    let columns = probes.into_iter().map(|p| p.finish(rows)).collect();
    Ok(Profile { digest, size: source.size, rows, columns, delimiter: char::from(delimiter) })
}

/// The separator that the first line holds most of.
fn sniff(head: &[u8]) -> u8 {
    let line = head.split(|b| *b == b'\n').next().unwrap_or_default();
    let count = |d: u8| line.iter().filter(|b| **b == d).count();
    [b',', b';', b'\t', b'|'].into_iter().rev().max_by_key(|d| count(*d)).unwrap_or(b',')
}

fn csv_error(path: &Path, error: csv::Error) -> CsvError {
    let path = path.to_owned();
    let line = error.position().map_or(0, csv::Position::line);
    match error.into_kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => CsvError::Ragged { path, line, expected: expected_len, found: len },
        csv::ErrorKind::Utf8 { .. } => CsvError::Encoding { path, line },
        csv::ErrorKind::Io(source) => CsvError::Read { path, source },
        other => CsvError::Read { path, source: std::io::Error::other(format!("{other:?}")) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(content: &[u8]) -> Result<Profile, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.csv");
        std::fs::write(&path, content).unwrap();
        profile(&path).map_err(|e| e.to_string().replace(&path.display().to_string(), "t.csv"))
    }

    #[test]
    fn the_digest_is_that_of_sha256sum() {
        let p = check(b"a,b\n1,x\n").unwrap();
        assert_eq!(p.digest, cairn_core::canonical::sha256(b"a,b\n1,x\n"));
        assert_eq!((p.size, p.rows), (8, 1));
    }

    #[test]
    fn types_follow_from_all_values_not_from_the_first() {
        let p = check(b"i;n;b;d;t;m\n1;1;true;2026-01-02;1;\n2;1.5;false;2026-01-03T10:00;x;NA\n").unwrap();
        let types: Vec<_> = p.columns.iter().map(|c| c.dtype.as_str()).collect();
        assert_eq!(types, ["integer", "number", "boolean", "date", "text", "text"]);
        assert_eq!(p.columns[5].missing, 2);
        assert_eq!(p.columns[1].mean, Some(Num(1.25)));
        assert_eq!(p.delimiter, ';');
    }

    #[test]
    fn a_file_that_is_no_csv_is_named_with_the_place() {
        assert_eq!(check(b"a,b\n1,2\n3\n"), Err("t.csv, line 3: 1 fields where the header has 2".into()));
        assert_eq!(check(b"PK\x03\x04\0\0"), Err("t.csv is not a text file, so it cannot be CSV".into()));
        assert_eq!(check(b" \n"), Err("t.csv is empty".into()));
        assert_eq!(check(b"a,b\n"), Err("t.csv has a header but no rows".into()));
        assert_eq!(check(b"a,b\n1,\xff\n"), Err("t.csv, line 2: the text is not UTF-8".into()));
        assert_eq!(check(b"a,a\n1,2\n"), Err("t.csv: two columns are called \"a\"".into()));
    }
}
