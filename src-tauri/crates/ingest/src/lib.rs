//! Reads what others write. Every reader names the file and the place when something is wrong.

pub mod checkout;
pub mod csv_file;
pub mod dvc;
mod dvclive;
pub mod jsonl;
pub mod mlflow_db;
mod mlflow_folder;
mod neptune;
pub mod notebook;
pub mod python;
pub mod source;
pub mod table;
mod tensorboard;
mod trackio;
mod wandb;
