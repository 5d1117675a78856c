//! The formats of rows, by their names and by the endings of file names.

use std::path::Path;

use super::{Error, Result};

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Table,
    Csv,
    Json,
    Ndjson,
    Parquet,
    Xlsx,
    Markdown,
}

impl Format {
    pub const ALL: [Self; 7] =
        [Self::Table, Self::Csv, Self::Json, Self::Ndjson, Self::Parquet, Self::Xlsx, Self::Markdown];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Ndjson => "ndjson",
            Self::Parquet => "parquet",
            Self::Xlsx => "xlsx",
            Self::Markdown => "md",
        }
    }

    /// What the name of a file in this format ends with, after the dot.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Table => "txt",
            other => other.as_str(),
        }
    }

    /// The format that the name of a file tells.
    #[must_use]
    pub fn of_path(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?;
        Self::ALL.into_iter().find(|format| format.extension().eq_ignore_ascii_case(extension))
    }
}

impl std::str::FromStr for Format {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let named = Self::ALL.into_iter().find(|format| format.as_str() == text);
        named.ok_or_else(|| Error::UnknownFormat { found: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_file_name_tells_the_format() {
        for format in Format::ALL {
            let name = format!("a.b/who.{}", format.extension());
            assert_eq!(Format::of_path(Path::new(&name)), Some(format), "{name}");
            assert_eq!(Format::of_path(Path::new(&name.to_uppercase())), Some(format), "{name}");
            assert_eq!(format.as_str().parse::<Format>().ok(), Some(format));
        }
        for name in ["who", "who.xls", "csv", ".csv", "who.csv.gz", "who."] {
            assert_eq!(Format::of_path(Path::new(name)), None, "{name}");
        }
    }
}
