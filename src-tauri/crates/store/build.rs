//! Lists `migrations/*.sql`, so that a new file is compiled in without anybody naming it twice.

use std::fmt::Write as _;
use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = Path::new(&std::env::var("CARGO_MANIFEST_DIR")?).join("../../../migrations");
    // Watching the folder, not only the files, is what notices a new one.
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut files: Vec<_> = std::fs::read_dir(&folder)?.collect::<Result<Vec<_>, _>>()?;
    files.sort_by_key(std::fs::DirEntry::file_name);
    let mut out = String::from("pub(crate) const MIGRATIONS: &[(&str, &str)] = &[\n");
    for file in files {
        let path = file.path().canonicalize()?;
        println!("cargo::rerun-if-changed={}", path.display());
        writeln!(out, "    ({:?}, include_str!({:?})),", file.file_name().to_string_lossy(), path)?;
    }
    out.push_str("];\n");
    std::fs::write(Path::new(&std::env::var("OUT_DIR")?).join("migrations.rs"), out)?;
    Ok(())
}
