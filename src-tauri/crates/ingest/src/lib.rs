//! Reads what others write. Every reader names the file and the place when something is wrong.

pub mod csv_file;
mod dvclive;
mod jsonl;
pub mod mlflow_db;
mod mlflow_folder;
pub mod source;
pub mod tensorboard;
