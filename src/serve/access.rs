//! Who may connect: on loopback anybody on this machine; beyond it only with a password, over TLS. Where there are
//! users, each has a password of its own, on loopback too.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::error::{Error, Result};
use lightsout_config::users_file::User;

/// Shorter ones are guessed.
const PASSWORD_CHARS_MIN: usize = 8;

/// See the file's first lines.
#[derive(Default)]
pub struct Access {
    password: Option<String>,
    /// As they were written; none where there are none.
    users: Vec<User>,
    tls: Option<Arc<ServerConfig>>,
}

impl Access {
    /// The password from a file or the environment, and the certificate with its key, where given.
    ///
    /// # Errors
    /// Fails if a file can't be read, the password is too short, or key and certificate are none or no pair.
    pub fn read(
        password_file: Option<&Path>,
        environment: Option<String>,
        tls: Option<(&Path, &Path)>,
    ) -> Result<Self> {
        let password = match password_file {
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .map_err(|source| Error::Read { path: path.display().to_string(), source })?;
                let line = text.lines().next().unwrap_or_default().to_owned();
                Some(long_enough("--password-file", line)?)
            }
            // One that is empty was meant to be something.
            None => environment.map(|text| long_enough("LIGHTSOUT_PASSWORD", text)).transpose()?,
        };
        let tls = tls.map(|(certificate, key)| server_config(certificate, key)).transpose()?;
        Ok(Self { password, users: Vec::new(), tls })
    }

    /// With users, each with a password of its own, in place of one password.
    ///
    /// # Errors
    /// Fails if there is a password for all.
    pub fn with_users(self, users: Vec<User>) -> Result<Self> {
        if self.password.is_some() {
            return Err(Error::Setting {
                setting: "--users",
                expected: "no password for all beside it (--password-file FILE, or LIGHTSOUT_PASSWORD)"
                    .to_owned(),
                found: "one".to_owned(),
            });
        }
        Ok(Self { users, ..self })
    }

    pub(crate) fn users(&self) -> &[User] {
        &self.users
    }

    /// Whether a client must say a password.
    pub(crate) fn wants_password(&self) -> bool {
        self.password.is_some() || !self.users.is_empty()
    }

    /// Whether an address may be listened on.
    ///
    /// # Errors
    /// Fails if others than this machine can reach it, and password or TLS are missing.
    pub fn permits(&self, flag: &'static str, address: Option<SocketAddr>) -> Result<()> {
        let Some(address) = address else { return Ok(()) };
        let missing: Vec<&str> = [("a password", !self.wants_password()), ("TLS", self.tls.is_none())]
            .into_iter()
            .filter_map(|(what, is_missing)| is_missing.then_some(what))
            .collect();
        if address.ip().is_loopback() || missing.is_empty() {
            return Ok(());
        }
        Err(Error::Setting {
            setting: flag,
            expected:
                "a loopback address such as 127.0.0.1; any other needs a password (--password-file FILE, \
                       LIGHTSOUT_PASSWORD, or --users FILE) and TLS (--tls-cert FILE --tls-key FILE)"
                    .to_owned(),
            found: format!("{address} without {}", missing.join(" and ")),
        })
    }

    #[must_use]
    pub fn tls(&self) -> Option<Arc<ServerConfig>> {
        self.tls.clone()
    }

    #[must_use]
    pub fn password(&self) -> Option<&str> {
        self.password.as_deref()
    }

    /// Whether that is the password, if one is wanted. Takes as long for a near miss as for a far one.
    #[must_use]
    pub fn is_password(&self, offered: Option<&str>) -> bool {
        let Some(password) = &self.password else { return true };
        let Some(offered) = offered else { return false };
        Sha256::digest(password) == Sha256::digest(offered)
    }
}

fn long_enough(flag: &'static str, password: String) -> Result<String> {
    check_password(flag, &password).map(|()| password)
}

/// Whether a password may be one.
pub(crate) fn check_password(flag: &'static str, password: &str) -> Result<()> {
    let chars = password.chars().count();
    if chars >= PASSWORD_CHARS_MIN {
        return Ok(());
    }
    Err(Error::Setting {
        setting: flag,
        expected: format!("a password of at least {PASSWORD_CHARS_MIN} characters"),
        found: if chars == 0 { "none".to_owned() } else { format!("one of {chars}") },
    })
}

fn server_config(certificate: &Path, key: &Path) -> Result<Arc<ServerConfig>> {
    let wrong = |flag, expected: &str, found: String| Error::Setting {
        setting: flag,
        expected: expected.to_owned(),
        found,
    };
    let pem = |flag, path: &Path, found: &dyn std::fmt::Display| {
        wrong(flag, "a PEM file", format!("{}: {found}", path.display()))
    };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .map_err(|source| pem("--tls-cert", certificate, &source))?;
    if chain.is_empty() {
        return Err(pem("--tls-cert", certificate, &"it holds no certificate"));
    }
    let key_read = PrivateKeyDer::from_pem_file(key).map_err(|source| pem("--tls-key", key, &source))?;
    let no_pair = |source: tokio_rustls::rustls::Error| {
        wrong("--tls-key", "the key of --tls-cert", format!("{}: {source}", key.display()))
    };
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key_read))
        .map_err(no_pair)?;
    Ok(Arc::new(config))
}
