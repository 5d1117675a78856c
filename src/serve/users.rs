//! The users of a server: who may log in, and with which rights. Unknown names are answered like known ones, so that
//! nobody learns which there are.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use ring::hmac;
use tokio::sync::Semaphore;

use crate::error::{Error, Result};
use crate::live::Live;
use crate::scram;
use lightsout_config::users_file::{NamedTenants, NamesShown, User, Verifier};
use lightsout_query::rights::{NameRights, Rights, TenantRights};
use lightsout_workflow::Error as StageError;
use lightsout_workflow::known_tenants::find_tenant;

/// Passwords that are hashed at once: each takes milliseconds of a core.
const HASHED_AT_ONCE: usize = 4;

struct Account {
    verifier: Verifier,
    rights: Arc<Rights>,
}

/// See the file's first lines.
pub(crate) struct Users {
    accounts: HashMap<String, Account>,
    /// Of this process: for what unknown users are told, and for passwords that were found right.
    secret: [u8; 32],
    /// By user, the password that was found right, as a hash with the secret.
    found_right: Mutex<HashMap<String, Vec<u8>>>,
    hashing: Semaphore,
}

impl Users {
    /// The users with their tenants' ids, as the roster and the lake know them.
    ///
    /// # Errors
    /// Fails if a tenant is not known, with those of a similar name.
    pub(crate) async fn resolve(written: &[User], live: &Live) -> Result<Self> {
        let snapshot = live.current().await;
        let mut known: Vec<String> =
            snapshot.queries.coverage().await?.into_iter().map(|tenant| tenant.tenant_id).collect();
        known.extend(snapshot.queries.tenants_with_settings().await?);
        known.extend(snapshot.roster.tenants.keys().cloned());
        known.sort_unstable();
        known.dedup();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let mut accounts = HashMap::new();
        for user in written {
            let tenants = match &user.tenants {
                NamedTenants::All => TenantRights::All,
                NamedTenants::Some(named) => {
                    let ids = named.iter().map(|(named, place)| {
                        find_tenant(named, &snapshot.roster, &known).map_err(|error| match error {
                            StageError::UnknownTenant { named, expected } => Error::Setting {
                                setting: "--users",
                                expected,
                                found: format!("{named}, for {} in {place}", user.name),
                            },
                            other => other.into(),
                        })
                    });
                    TenantRights::Only(ids.collect::<Result<_>>()?)
                }
            };
            let names = match user.names {
                NamesShown::Shown => NameRights::Shown,
                NamesShown::Pseudonyms => NameRights::Pseudonyms,
            };
            let rights = Arc::new(Rights { tenants, names });
            accounts.insert(user.name.clone(), Account { verifier: user.verifier.clone(), rights });
        }
        let hashing = Semaphore::new(HASHED_AT_ONCE);
        Ok(Self { accounts, secret: scram::random(), found_right: Mutex::default(), hashing })
    }

    /// Whether somebody sees less than everything.
    pub(crate) fn has_restricted(&self) -> bool {
        self.accounts.values().any(|account| !account.rights.are_unrestricted())
    }

    /// What the password of a user is checked against, and the rights that it gives: none to nobody.
    pub(crate) fn verifier(&self, name: &str) -> (Verifier, Option<Arc<Rights>>) {
        match self.accounts.get(name) {
            Some(account) => (account.verifier.clone(), Some(Arc::clone(&account.rights))),
            None => (scram::mock(&self.secret, name, self.usual_iterations()), None),
        }
    }

    /// Those of most users.
    fn usual_iterations(&self) -> u32 {
        let mut counts: HashMap<u32, usize> = HashMap::new();
        for account in self.accounts.values() {
            *counts.entry(account.verifier.iterations).or_default() += 1;
        }
        counts
            .into_iter()
            .max_by_key(|(iterations, count)| (*count, *iterations))
            .map_or(4096, |(most, _)| most)
    }

    /// The rights of a user, if it is the password. One that was found right before is known at once.
    pub(crate) async fn log_in(&self, name: &str, password: &str) -> Option<Arc<Rights>> {
        let offered = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &self.secret), password.as_bytes());
        let (verifier, rights) = self.verifier(name);
        let is_known = {
            let found_right = self.found_right.lock().unwrap_or_else(PoisonError::into_inner);
            found_right.get(name).is_some_and(|known| known == offered.as_ref())
        };
        if is_known {
            return rights;
        }
        let _turn = self.hashing.acquire().await.ok()?;
        let text = password.to_owned();
        let checked = tokio::task::spawn_blocking(move || scram::is_password(&verifier, &text)).await;
        let rights = rights.filter(|_| checked.unwrap_or(false))?;
        let mut found_right = self.found_right.lock().unwrap_or_else(PoisonError::into_inner);
        found_right.insert(name.to_owned(), offered.as_ref().to_vec());
        Some(rights)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn users() -> Users {
        let account = |password: &str, rights| Account {
            verifier: scram::hash_password(password).expect("hashed"),
            rights: Arc::new(rights),
        };
        let some = TenantRights::Only(std::iter::once("a".to_owned()).collect());
        let accounts = [
            ("root".to_owned(), account("correct horse", Rights::ALL)),
            (
                "mill".to_owned(),
                account("battery staple", Rights { tenants: some, names: NameRights::Shown }),
            ),
        ];
        Users {
            accounts: accounts.into(),
            secret: [1; 32],
            found_right: Mutex::default(),
            hashing: Semaphore::new(1),
        }
    }

    #[tokio::test]
    async fn each_user_has_a_password_and_rights_of_its_own() {
        let users = users();
        // Twice, since the second time is another way.
        for _ in 0..2 {
            let root = users.log_in("root", "correct horse").await.expect("let in");
            assert!(root.are_unrestricted());
            let mill = users.log_in("mill", "battery staple").await.expect("let in");
            assert!(mill.tenants.contains("a") && !mill.tenants.contains("b"));
            for (name, password) in [
                ("mill", "correct horse"),
                ("root", ""),
                ("nobody", "correct horse"),
                ("Root", "correct horse"),
            ] {
                assert!(users.log_in(name, password).await.is_none(), "{name}");
            }
        }
        assert!(users.has_restricted());
    }

    #[test]
    fn who_is_not_known_is_challenged_like_who_is() {
        let users = users();
        let (known, unknown) = (users.verifier("mill"), users.verifier("nobody"));
        assert!(known.1.is_some() && unknown.1.is_none());
        assert_eq!(known.0.iterations, unknown.0.iterations);
        assert_eq!(known.0.salt.len(), unknown.0.salt.len());
        assert_eq!(unknown.0, users.verifier("nobody").0, "the same each time");
    }
}
