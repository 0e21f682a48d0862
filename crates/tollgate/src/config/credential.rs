//! `api_key` of a provider: `{ env = "…" }`, `{ file = "…" }` or a literal string.

use std::path::PathBuf;

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use tollgate_crypto::Secret;

use super::Environment;

/// Where a provider's key is.
#[derive(Clone, Debug)]
pub enum Credential {
    /// In an environment variable.
    Env(String),
    /// In a file.
    File(PathBuf),
    /// Here.
    Literal(Secret),
}

impl Credential {
    /// The key itself, without white space around it.
    ///
    /// # Errors
    /// Where it is not, in words for the operator; the key is never part of them.
    pub fn resolve(&self, environment: &Environment) -> Result<Secret, String> {
        match self {
            Self::Env(name) => match environment.get(name) {
                Some(value) => Ok(Secret::new(value)),
                None => {
                    Err(format!("the environment variable {name} is not set; set it to the provider's key"))
                }
            },
            Self::File(path) => match std::fs::read_to_string(path) {
                Ok(text) if !text.trim().is_empty() => Ok(Secret::new(text.trim())),
                Ok(_) => {
                    Err(format!("the file {} is empty; write the provider's key into it", path.display()))
                }
                Err(error) => Err(format!(
                    "the file {} cannot be read ({error}); write the provider's key into it, readable for Tollgate",
                    path.display()
                )),
            },
            Self::Literal(secret) => Ok(secret.clone()),
        }
    }
}

const EXPECTED: &str = "{ env = \"VARIABLE\" }, { file = \"path\" } or the key in quotes";

impl<'de> Deserialize<'de> for Credential {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct CredentialVisitor;
        impl<'de> Visitor<'de> for CredentialVisitor {
            type Value = Credential;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(EXPECTED)
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Credential, E> {
                match text.trim() {
                    "" => Err(E::custom(format_args!("the key is empty; expected {EXPECTED}"))),
                    text => Ok(Credential::Literal(Secret::new(text))),
                }
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Credential, A::Error> {
                let found = match map.next_key::<String>()?.as_deref() {
                    Some("env") => Credential::Env(map.next_value()?),
                    Some("file") => Credential::File(map.next_value()?),
                    Some(other) => return Err(de::Error::unknown_field(other, &["env", "file"])),
                    None => {
                        return Err(de::Error::custom(format_args!(
                            "there is no key here; expected {EXPECTED}"
                        )));
                    }
                };
                match map.next_key::<String>()? {
                    None => Ok(found),
                    Some(_) => Err(de::Error::custom(format_args!(
                        "there is more than one key here; expected {EXPECTED}"
                    ))),
                }
            }
        }
        deserializer.deserialize_any(CredentialVisitor)
    }
}
