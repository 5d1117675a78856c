//! SCRAM-SHA-256 (RFC 5802, RFC 7677) against a verifier, without the password. `pgwire` has the same exchange against a
//! salted password, by which whoever reads it could log in.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use datafusion_postgres::pgwire::api::auth::sasl::scram::{gen_salted_password, random_nonce};
use ring::hmac;
use sha2::{Digest as _, Sha256};

use crate::error::Result;
use lightsout_config::users_file::Verifier;

/// As PostgreSQL: a password that is guessed from a stolen file costs so many hashes.
const ITERATIONS: u32 = 4096;

const SALT_BYTES: usize = 16;

/// A client that does not bind its exchange to the TLS connection; `y` thinks that the server can't.
const NO_BINDING: [&str; 2] = ["n", "y"];

fn sign(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut signature = [0; 32];
    signature.copy_from_slice(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message).as_ref());
    signature
}

fn hash(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Compares without telling how much is equal.
fn is_equal(one: &[u8], other: &[u8]) -> bool {
    hash(one) == hash(other)
}

/// Random bytes: all of a UUID of this kind but six bits are.
pub(crate) fn random() -> [u8; 32] {
    let parts = [uuid::Uuid::new_v4(), uuid::Uuid::new_v4(), uuid::Uuid::new_v4()];
    hash(&parts.map(uuid::Uuid::into_bytes).concat())
}

fn verifier_of(password: &str, salt: &[u8], iterations: u32) -> Verifier {
    let salted = gen_salted_password(password, salt, iterations as usize);
    Verifier {
        iterations,
        salt: salt.to_vec(),
        stored_key: hash(&sign(&salted, b"Client Key")),
        server_key: sign(&salted, b"Server Key"),
    }
}

/// What a password is checked against, with a salt of its own.
///
/// # Errors
/// Fails if the password is too short.
pub fn hash_password(password: &str) -> Result<Verifier> {
    crate::access::check_password("--hash-password", password)?;
    Ok(verifier_of(password, &random()[..SALT_BYTES], ITERATIONS))
}

/// Whether it is the password of the verifier.
pub(crate) fn is_password(verifier: &Verifier, password: &str) -> bool {
    let offered = verifier_of(password, &verifier.salt, verifier.iterations);
    is_equal(&offered.stored_key, &verifier.stored_key)
}

/// What is checked for a user who is not known, as if there were one: nobody has its password.
pub(crate) fn mock(secret: &[u8; 32], name: &str, iterations: u32) -> Verifier {
    let part = |what: &str| sign(secret, format!("{what} {name}").as_bytes());
    let salt = part("salt")[..SALT_BYTES].to_vec();
    Verifier { iterations, salt, stored_key: part("stored key"), server_key: part("server key") }
}

/// An exchange that waits for the client's proof.
pub(crate) struct Exchange {
    verifier: Verifier,
    /// What the client must repeat.
    header: String,
    nonce: String,
    client_first_bare: String,
    server_first: String,
}

impl Exchange {
    /// Reads the client's first message; `None` if it is none that can be gone on with.
    pub(crate) fn begin(verifier: Verifier, client_first: &[u8]) -> Option<(Self, String)> {
        let text = std::str::from_utf8(client_first).ok()?;
        let mut parts = text.splitn(3, ',');
        let (binding, authorized, bare) = (parts.next()?, parts.next()?, parts.next()?);
        if !NO_BINDING.contains(&binding) {
            return None;
        }
        // The name in it is not looked at, as in PostgreSQL: the start has said who it is.
        let client_nonce = bare.split(',').find_map(|part| part.strip_prefix("r="))?;
        if client_nonce.is_empty() || bare.starts_with("m=") {
            return None;
        }
        let nonce = format!("{client_nonce}{}", random_nonce());
        let salt = STANDARD.encode(&verifier.salt);
        let server_first = format!("r={nonce},s={salt},i={}", verifier.iterations);
        let exchange = Self {
            header: STANDARD.encode(format!("{binding},{authorized},")),
            nonce,
            client_first_bare: bare.to_owned(),
            server_first: server_first.clone(),
            verifier,
        };
        Some((exchange, server_first))
    }

    /// The server's own proof, if the client's is right.
    pub(crate) fn finish(&self, client_final: &[u8]) -> Option<String> {
        let text = std::str::from_utf8(client_final).ok()?;
        let (without_proof, proof) = text.rsplit_once(",p=")?;
        let mut parts = without_proof.split(',');
        let header = parts.next()?.strip_prefix("c=")?;
        let nonce = parts.next()?.strip_prefix("r=")?;
        if header != self.header || nonce != self.nonce {
            return None;
        }
        let proof: [u8; 32] = STANDARD.decode(proof).ok()?.try_into().ok()?;
        let signed = format!("{},{},{without_proof}", self.client_first_bare, self.server_first);
        let signature = sign(&self.verifier.stored_key, signed.as_bytes());
        let client_key: Vec<u8> = proof.iter().zip(signature).map(|(one, other)| one ^ other).collect();
        if !is_equal(&hash(&client_key), &self.verifier.stored_key) {
            return None;
        }
        Some(format!("v={}", STANDARD.encode(sign(&self.verifier.server_key, signed.as_bytes()))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7677, of the password `pencil`.
    const SALT: &str = "W22ZaJ0SNY7soEsUEjb6gQ==";
    const NONCE: &str = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";

    fn example() -> Exchange {
        let salt = STANDARD.decode(SALT).expect("base64");
        Exchange {
            verifier: verifier_of("pencil", &salt, 4096),
            header: "biws".to_owned(),
            nonce: NONCE.to_owned(),
            client_first_bare: "n=user,r=rOprNGfwEbeRWgbNEkqO".to_owned(),
            server_first: format!("r={NONCE},s={SALT},i=4096"),
        }
    }

    #[test]
    fn the_example_of_the_standard_is_let_in_and_gets_the_servers_proof() {
        let proof = "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
        let told = example().finish(format!("c=biws,r={NONCE},p={proof}").as_bytes());
        assert_eq!(told.as_deref(), Some("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));
    }

    #[test]
    fn whatever_differs_from_it_is_not_let_in() {
        let proof = "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
        for last in [
            format!("c=biws,r={NONCE}x,p={proof}"),
            format!("c=eSws,r={NONCE},p={proof}"),
            format!("c=biws,r={NONCE},p={}", proof.replace("dHz", "dHy")),
            format!("c=biws,r={NONCE},p="),
            format!("c=biws,r={NONCE}"),
            String::new(),
        ] {
            assert_eq!(example().finish(last.as_bytes()), None, "{last}");
        }
        let other = Exchange { verifier: verifier_of("pencils", &[1; 16], 4096), ..example() };
        assert_eq!(other.finish(format!("c=biws,r={NONCE},p={proof}").as_bytes()), None);
    }

    #[test]
    fn a_first_message_is_answered_with_the_verifiers_salt() {
        let verifier = verifier_of("pencil", &[7; 16], 5000);
        let (_, first) = Exchange::begin(verifier.clone(), b"n,,n=,r=abc").expect("begun");
        assert!(
            first.starts_with("r=abc") && first.ends_with(",s=BwcHBwcHBwcHBwcHBwcHBw==,i=5000"),
            "{first}"
        );
        for wrong in ["", "n,,", "n,,n=", "n,,n=,r=", "p=tls-server-end-point,,n=,r=abc", "n,,m=x,n=,r=abc"] {
            assert!(Exchange::begin(verifier.clone(), wrong.as_bytes()).is_none(), "{wrong}");
        }
    }

    #[test]
    fn a_password_is_hashed_with_another_salt_each_time_and_known_again() {
        let [one, other] = [(); 2].map(|()| hash_password("correct horse").expect("hashed"));
        assert_ne!(one, other);
        assert!(is_password(&one, "correct horse") && is_password(&other, "correct horse"));
        assert!(!is_password(&one, "correct horses") && !is_password(&one, ""));
        assert!(hash_password("short").is_err());
        assert!(!one.to_string().contains("correct"), "{one}");
    }

    #[test]
    fn who_is_not_known_has_the_same_salt_each_time_and_no_password() {
        let (mill, other) = (mock(&[1; 32], "mill", 4096), mock(&[1; 32], "other", 4096));
        assert_eq!(mill, mock(&[1; 32], "mill", 4096));
        assert_ne!(mill.salt, other.salt);
        assert_ne!(mill.salt, mock(&[2; 32], "mill", 4096).salt, "of another server");
        assert_eq!(mill.salt.len(), SALT_BYTES);
    }
}
