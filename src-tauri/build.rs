//! Bakes the window's configuration and permissions into the shell.

fn main() {
    tauri_build::build();
}
