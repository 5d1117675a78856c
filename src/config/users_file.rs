//! The users of `lightsout serve`: a TOML file with who may come in, which tenants each may see, and whether users are
//! named. It holds no password, only what a password is checked against (PostgreSQL's SCRAM verifiers).

use std::collections::BTreeMap;
use std::path::Path;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use toml::Spanned;

use crate::campaign_file::Place;

/// What a verifier begins with.
const MECHANISM: &str = "SCRAM-SHA-256";

/// Fewer are not taken by RFC 7677; more would take seconds for each password that is tried.
const ITERATIONS: std::ops::RangeInclusive<u32> = 4096..=1_000_000;

/// Bytes of a key.
const KEY_BYTES: usize = 32;

/// As in PostgreSQL, in bytes.
const NAME_BYTES_MAX: usize = 63;

/// How to make what is expected.
const MAKE_ONE: &str = "what 'lightsout serve --hash-password' prints, SCRAM-SHA-256$4096:...";

/// One user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub name: String,
    pub verifier: Verifier,
    pub tenants: NamedTenants,
    pub names: NamesShown,
}

/// The tenants that a user may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NamedTenants {
    All,
    /// Ids, domains or names of the roster, as they were written, each with its place.
    Some(Vec<(String, Place)>),
}

/// How a user sees the users of tenants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NamesShown {
    #[default]
    Shown,
    Pseudonyms,
}

/// What a password is checked against, and can't be told from (RFC 5802).
#[derive(Clone, PartialEq, Eq)]
pub struct Verifier {
    pub iterations: u32,
    pub salt: Vec<u8>,
    pub stored_key: [u8; KEY_BYTES],
    pub server_key: [u8; KEY_BYTES],
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verifier").field("iterations", &self.iterations).finish_non_exhaustive()
    }
}

impl std::fmt::Display for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { iterations, salt, stored_key, server_key } = self;
        let [salt, stored_key, server_key] =
            [&salt[..], stored_key, server_key].map(|bytes| STANDARD.encode(bytes));
        write!(f, "{MECHANISM}${iterations}:{salt}${stored_key}:{server_key}")
    }
}

/// A text that is no verifier. It does not say what was found, which may be a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoVerifier {
    /// It does not even begin like one.
    PlainPassword,
    Iterations,
    Damaged,
}

impl FromStr for Verifier {
    type Err = NoVerifier;

    fn from_str(text: &str) -> Result<Self, NoVerifier> {
        let rest = text.strip_prefix(MECHANISM).and_then(|rest| rest.strip_prefix('$'));
        let rest = rest.ok_or(NoVerifier::PlainPassword)?;
        let (derived, keys) = rest.split_once('$').ok_or(NoVerifier::Damaged)?;
        let (iterations, salt) = derived.split_once(':').ok_or(NoVerifier::Damaged)?;
        let (stored_key, server_key) = keys.split_once(':').ok_or(NoVerifier::Damaged)?;
        let iterations: u32 = iterations.parse().map_err(|_| NoVerifier::Damaged)?;
        if !ITERATIONS.contains(&iterations) {
            return Err(NoVerifier::Iterations);
        }
        let bytes = |text: &str| STANDARD.decode(text).map_err(|_| NoVerifier::Damaged);
        let key = |text: &str| bytes(text)?.try_into().map_err(|_| NoVerifier::Damaged);
        let salt = bytes(salt)?;
        if salt.is_empty() {
            return Err(NoVerifier::Damaged);
        }
        Ok(Self { iterations, salt, stored_key: key(stored_key)?, server_key: key(server_key)? })
    }
}

/// A file of users that can't be used, and where in it that shows.
#[derive(Debug, thiserror::Error)]
pub enum UsersFileError {
    #[error("{file} can't be read: {source}")]
    Read { file: String, source: std::io::Error },
    #[error(
        "{file} can be read by every user of this machine (mode {mode:03o}), who could try passwords against it; allow it to its owner alone: chmod 600 {file}"
    )]
    Exposed { file: String, mode: u32 },
    /// `source` says what was found and what is expected.
    #[error("{file}, {place}: {}", .source.message().trim_end())]
    Invalid { file: String, place: Place, source: toml::de::Error },
    #[error("{file}, {place}: {key}: expected {expected}, found {found}")]
    Value { file: String, place: Place, key: &'static str, expected: String, found: String },
    #[error(
        "{file} has no users, so nobody could log in; expected a [[users]] table with name, password and tenants"
    )]
    Nobody { file: String },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    users: Vec<UserTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UserTable {
    name: Spanned<String>,
    password: Spanned<String>,
    tenants: Spanned<Vec<Spanned<String>>>,
    #[serde(default)]
    names: NamesShown,
}

/// Reads a file of users.
///
/// # Errors
/// Fails with the place if the file can't be read or used, if it is open to every user of the machine, or if it has no
/// users.
pub fn read(path: &Path) -> Result<Vec<User>, UsersFileError> {
    let file = path.display().to_string();
    let failed = |source| UsersFileError::Read { file: file.clone(), source };
    let text = std::fs::read_to_string(path).map_err(failed)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(path).map_err(failed)?.permissions().mode() & 0o777;
        if mode & 0o007 != 0 {
            return Err(UsersFileError::Exposed { file, mode });
        }
    }
    parse(&text, &file)
}

fn parse(text: &str, file: &str) -> Result<Vec<User>, UsersFileError> {
    let read: File = toml::from_str(text).map_err(|source| {
        let place = Place::of(source.span().map_or(0, |span| span.start), text);
        UsersFileError::Invalid { file: file.to_owned(), place, source }
    })?;
    let mut lines: BTreeMap<String, Place> = BTreeMap::new();
    let mut users = Vec::with_capacity(read.users.len());
    for table in read.users {
        let at = |span: std::ops::Range<usize>| Place::of(span.start, text);
        let wrong = |key, place, expected: &str, found: String| UsersFileError::Value {
            file: file.to_owned(),
            place,
            key,
            expected: expected.to_owned(),
            found,
        };
        let place = at(table.name.span());
        let name = table.name.into_inner();
        if name.is_empty()
            || name.len() > NAME_BYTES_MAX
            || name.contains(|c: char| c == ':' || c.is_control())
        {
            let expected =
                format!("a name of 1 to {NAME_BYTES_MAX} bytes without ':', which browsers can't send");
            return Err(wrong("name", place, &expected, format!("'{}'", name.escape_debug())));
        }
        if let Some(first) = lines.insert(name.clone(), place) {
            let found = format!("'{name}' again, which {first} has");
            return Err(wrong("name", place, "one table for each user", found));
        }
        let place = at(table.password.span());
        let verifier = table.password.get_ref().parse().map_err(|error: NoVerifier| match error {
            NoVerifier::PlainPassword => {
                wrong("password", place, MAKE_ONE, "something else, perhaps a password".to_owned())
            }
            NoVerifier::Damaged => {
                wrong("password", place, MAKE_ONE, "a part of it, or another text in it".to_owned())
            }
            NoVerifier::Iterations => {
                let expected = format!("{} to {} iterations", ITERATIONS.start(), ITERATIONS.end());
                wrong("password", place, &expected, "another number".to_owned())
            }
        })?;
        let place = at(table.tenants.span());
        let placed = |tenant: Spanned<String>| {
            let place = at(tenant.span());
            (tenant.into_inner(), place)
        };
        let named: Vec<(String, Place)> = table.tenants.into_inner().into_iter().map(placed).collect();
        let tenants = match named.as_slice() {
            [] => {
                return Err(wrong(
                    "tenants",
                    place,
                    "[\"*\"] for all, or ids, domains or names of the roster",
                    "none".to_owned(),
                ));
            }
            [(all, _)] if all == "*" => NamedTenants::All,
            _ => {
                if let Some((name, place)) =
                    named.iter().find(|(name, _)| name == "*" || name.trim().is_empty())
                {
                    let expected = "\"*\" alone, or ids, domains or names of the roster";
                    return Err(wrong("tenants", *place, expected, format!("'{name}' among others")));
                }
                NamedTenants::Some(named)
            }
        };
        users.push(User { name, verifier, tenants, names: table.names });
    }
    if users.is_empty() {
        return Err(UsersFileError::Nobody { file: file.to_owned() });
    }
    Ok(users)
}

#[cfg(test)]
mod tests;
