//! Reads what others write. Every reader names the file and the place when something is wrong.

pub mod csv_file;
