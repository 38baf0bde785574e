//! Lists `queries/**/*.sql` so that a report, rule or view is one file and nothing else.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

fn main() {
    let root = env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
    let mut code = String::new();
    for folder in ["reports", "rules", "views"] {
        let path = Path::new(&root).join("queries").join(folder);
        println!("cargo::rerun-if-changed={}", path.display());
        let mut stems: Vec<String> = fs::read_dir(&path)
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.strip_suffix(".sql").map(str::to_owned))
            .collect();
        stems.sort();
        writeln!(code, "/// `queries/{folder}/*.sql`: file stem and text, sorted by name.")
            .expect("to a string");
        writeln!(code, "pub const {}: &[(&str, &str)] = &[", folder.to_uppercase()).expect("to a string");
        for stem in stems {
            let file = path.join(format!("{stem}.sql"));
            println!("cargo::rerun-if-changed={}", file.display());
            writeln!(code, "    ({stem:?}, include_str!({:?})),", file.display().to_string())
                .expect("to a string");
        }
        code.push_str("];\n");
    }
    let out = env::var("OUT_DIR").expect("cargo sets it");
    fs::write(Path::new(&out).join("queries.rs"), code).expect("the build folder can be written");
}
