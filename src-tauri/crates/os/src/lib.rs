//! What the operating system offers: secrets, folders, notice of changed files. Each behind a small
//! interface, so that nothing above asks the system directly.

pub mod machine;
pub mod paths;
pub mod process;
pub mod secrets;
pub mod watch;
