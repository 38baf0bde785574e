//! Rules of a user's own: SQL files in folders, beside those of the program.

use std::fs;
use std::path::{Path, PathBuf};

use super::header::{self, Rule};

/// A folder of rules that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder or a file in it cannot be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The folder or file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The folder holds no rule.
    #[error("{}: no rule in it; a rule is a file CODE-kebab-name.sql", path.display())]
    Empty {
        /// The folder.
        path: PathBuf,
    },
    /// A file is no rule.
    #[error("{}: {source}", path.display())]
    Rule {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: header::Error,
    },
    /// A code stands for one rule only, since findings are known by it.
    #[error("{}: the code {code} is taken by rule {taken}", path.display())]
    Taken {
        /// The file.
        path: PathBuf,
        /// The code.
        code: String,
        /// The rule that has it.
        taken: String,
    },
}

/// The program's rules and those of the folders, sorted by code.
pub fn load(folders: &[PathBuf]) -> Result<Vec<Rule>, Error> {
    let mut rules = super::catalogue().map(<[Rule]>::to_vec).unwrap_or_default();
    for folder in folders {
        let files = files(folder)?;
        if files.is_empty() {
            return Err(Error::Empty { path: folder.clone() });
        }
        for path in files {
            let read = |source| Error::Read { path: path.clone(), source };
            let sql = fs::read_to_string(&path).map_err(read)?;
            let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
            let rule =
                Rule::parse(&stem, &sql).map_err(|source| Error::Rule { path: path.clone(), source })?;
            if let Some(taken) = rules.iter().find(|taken| taken.code == rule.code) {
                return Err(Error::Taken { path, code: rule.code, taken: taken.stem() });
            }
            rules.push(rule);
        }
    }
    rules.sort_by(|a, b| a.code.cmp(&b.code));
    Ok(rules)
}

/// The `.sql` files of a folder, sorted by name.
fn files(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let read = |source| Error::Read { path: folder.to_owned(), source };
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(read)? {
        let path = entry.map_err(read)?.path();
        if path.extension().is_some_and(|extension| extension == "sql") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
