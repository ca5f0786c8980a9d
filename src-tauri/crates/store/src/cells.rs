//! What a record holds: a short sorted list, since most records have a dozen cells and many records are read at once.

use std::sync::Arc;

/// One cell as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    pub value: String,
    /// The computer that wrote it, shared by all that were read together.
    device: Arc<str>,
    /// The number of the operation on that computer.
    pub n: u64,
    /// When its author says it was written, by the hybrid clock.
    pub at_ms: i64,
}

impl Cell {
    pub fn new(value: String, device: Arc<str>, n: u64, at_ms: i64) -> Self {
        Self { value, device, n, at_ms }
    }
    /// The computer that wrote it.
    pub fn device(&self) -> &str {
        &self.device
    }
    /// The operation that wrote it: the base of the next edit.
    pub fn op(&self) -> String {
        format!("{}.{}", self.device, self.n)
    }
}

/// The cells of a record by field, then key; removed ones are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cells(Vec<(Arc<str>, String, Cell)>);

impl Cells {
    /// Adds a cell; the last of one place stands.
    pub fn put(&mut self, field: Arc<str>, key: String, cell: Cell) {
        // They come sorted from the file.
        if self.0.last().is_none_or(|(f, k, _)| (&**f, k.as_str()) < (&*field, key.as_str())) {
            self.0.push((field, key, cell));
            return;
        }
        match self.place(&field, &key) {
            Ok(at) => self.0[at].2 = cell,
            Err(at) => self.0.insert(at, (field, key, cell)),
        }
    }

    pub fn get(&self, field: &str, key: &str) -> Option<&Cell> {
        self.place(field, key).ok().map(|at| &self.0[at].2)
    }

    /// The keys and cells of a field.
    pub fn of(&self, field: &str) -> impl Iterator<Item = (&str, &Cell)> {
        let from = self.0.partition_point(|(f, _, _)| &**f < field);
        self.0[from..].iter().take_while(move |(f, _, _)| &**f == field).map(|(_, key, cell)| (key.as_str(), cell))
    }

    /// All of them: field, key, cell.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, &Cell)> {
        self.0.iter().map(|(field, key, cell)| (&**field, key.as_str(), cell))
    }

    fn place(&self, field: &str, key: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(f, k, _)| (&**f, k.as_str()).cmp(&(field, key)))
    }
}

/// Names that come again and again, kept once.
#[derive(Default)]
pub(crate) struct Names(Vec<Arc<str>>);

impl Names {
    pub(crate) fn of(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.0.iter().find(|n| &***n == name) {
            return Arc::clone(known);
        }
        let name: Arc<str> = name.into();
        self.0.push(Arc::clone(&name));
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_found_by_field_and_key_in_whatever_order_they_came() {
        let mut cells = Cells::default();
        for (field, key, n) in [("tag", "b", 1), ("name", "", 2), ("tag", "a", 3), ("tag", "b", 4), ("tags", "", 5)] {
            cells.put(field.into(), key.to_owned(), Cell::new(n.to_string(), "d".into(), n, 0));
        }
        let found: Vec<(&str, u64)> = cells.of("tag").map(|(k, c)| (k, c.n)).collect();
        assert_eq!(found, [("a", 3), ("b", 4)], "one cell a place, sorted, and of this field alone");
        assert_eq!(cells.get("name", "").map(Cell::op), Some("d.2".to_owned()));
        assert!(cells.get("nam", "").is_none() && cells.get("tag", "").is_none());
        assert_eq!(cells.iter().count(), 4);
    }
}
