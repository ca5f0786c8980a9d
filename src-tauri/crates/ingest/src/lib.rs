//! Reads what others write. Every reader names the file and the place when something is wrong.

pub mod checkout;
pub mod csv_file;
mod dvclive;
pub mod jsonl;
pub mod mlflow_db;
mod mlflow_folder;
pub mod notebook;
pub mod python;
pub mod source;
pub mod table;
pub mod tensorboard;
