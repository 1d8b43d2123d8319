//! The decision about one header value (T1 to T3), written from the specification.

use super::base64url;
use super::claims::Asked;
use super::json::{Json, Unread};
use super::signers::Material;

/// Every algorithm by its names in a header (T2).
pub(crate) const ALGORITHMS: [&str; 13] = [
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA", "Ed25519",
    "HS256", "HS384", "HS512",
];

/// What must become of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Accepted,
    /// With one of these reasons.
    Refused(Vec<&'static str>),
}

/// A key as it was configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) kid: Option<String>,
    pub(crate) material: Material,
    /// By which a header may ask for it.
    pub(crate) names: Vec<&'static str>,
    /// Given by itself, and not in a set.
    pub(crate) by_itself: bool,
}

/// What is asked of tokens, and of their headers.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) asked: Asked,
    /// By their first names; `None` is all that need no secret.
    pub(crate) algorithms: Option<Vec<&'static str>>,
    /// In place of the usual ones.
    pub(crate) types: Option<Vec<String>>,
    /// Beside them.
    pub(crate) more_types: Vec<String>,
    pub(crate) allow_kidless: bool,
}

impl Rules {
    pub(crate) fn is_valid(&self) -> bool {
        let has_types = self.types.as_ref().is_none_or(|types| !types.is_empty());
        let mut types = self.types.iter().flatten().chain(&self.more_types);
        self.asked.is_valid()
            && has_types
            && !types.any(|typ| short(typ).is_empty())
            && self.algorithms.as_ref().is_none_or(|list| !list.is_empty())
    }

    fn admits_algorithm(&self, name: &str) -> bool {
        let first = if name == "Ed25519" { "EdDSA" } else { name };
        match &self.algorithms {
            Some(list) => list.contains(&first),
            None => ALGORITHMS.contains(&name) && !name.starts_with("HS"),
        }
    }

    fn admits_type(&self, typ: Option<&str>) -> bool {
        let Some(typ) = typ else {
            return self.types.is_none();
        };
        let usual = ["JWT".to_owned(), "at+jwt".to_owned()];
        let listed = self.types.as_deref().unwrap_or(&usual);
        let mut listed = listed.iter().chain(&self.more_types);
        listed.any(|listed| short(listed) == short(typ))
    }

    /// The keys of which anything is left, each of them once (T2, T3).
    pub(crate) fn of_use(&self, keys: &[Key]) -> Vec<Key> {
        let mut of_use = Vec::new();
        for key in keys {
            let mut key = key.clone();
            key.names.retain(|name| self.admits_algorithm(name));
            if !key.names.is_empty() && !of_use.contains(&key) {
                of_use.push(key);
            }
        }
        of_use
    }
}

/// A type by the name that counts (RFC 7515 4.1.9).
fn short(typ: &str) -> String {
    let typ = typ.to_ascii_lowercase();
    match typ.strip_prefix("application/") {
        Some(rest) if !rest.contains('/') => rest.to_owned(),
        _ => typ,
    }
}

/// What must become of this value, at this time in milliseconds.
pub(crate) fn judge(value: &[u8], rules: &Rules, keys: &[Key], now: u64) -> Verdict {
    match refusal(value, rules, keys, now) {
        reasons if reasons.is_empty() => Verdict::Accepted,
        reasons => Verdict::Refused(reasons),
    }
}

/// The same of several issuers, each with keys of its own: `iss` chooses, once nothing in the header stands against the
/// token (T1), and until the signature holds nothing else of the payload counts. Who chooses may say `iss` of one that is absent, and so may who then misses it.
pub(crate) fn judge_among(value: &[u8], trusts: &[(Rules, Vec<Key>)], now: u64) -> Verdict {
    if let [(rules, keys)] = trusts {
        return judge(value, rules, keys, now);
    }
    let payload = value.split(|byte| *byte == b'.').nth(1);
    let payload = payload.and_then(base64url::decode).unwrap_or_default();
    let claims = match Json::read(&payload) {
        Ok(claims) if claims.names_differ() => claims,
        // Not read to its end here, and in any case no payload that is taken.
        Err(Unread::TooDeep) => {
            return Verdict::Refused(vec!["claims", "iss", "alg", "kid", "signature"]);
        }
        _ => return Verdict::Refused(vec!["claims"]),
    };
    let issuer = match claims.member("iss").map(Json::text) {
        None => return Verdict::Refused(vec!["iss", "claims"]),
        Some(None) => return Verdict::Refused(vec!["claims"]),
        Some(Some(issuer)) => issuer,
    };
    let is_meant = |(rules, _): &&(Rules, Vec<Key>)| {
        let mut issuers = rules.asked.issuers.iter();
        issuers.any(|known| known == issuer)
    };
    match trusts.iter().find(is_meant) {
        Some((rules, keys)) => judge(value, rules, keys, now),
        None => Verdict::Refused(vec!["iss"]),
    }
}

fn refusal(value: &[u8], rules: &Rules, keys: &[Key], now: u64) -> Vec<&'static str> {
    if value.is_empty() {
        return vec!["empty"];
    }
    if value.len() > 8192 {
        return vec!["too_large"];
    }
    let parts: Vec<&[u8]> = value.split(|byte| *byte == b'.').collect();
    let [header, payload, signature] = parts[..] else {
        return vec!["malformed"];
    };

    // What can be said before a key is chosen.
    let mut faults = Vec::new();
    let decoded = [header, payload, signature].map(base64url::decode);
    if decoded.contains(&None) {
        faults.push("malformed");
    }
    // 4096 bytes are 5462 letters.
    let is_long = header.len() > 5462;
    if is_long {
        faults.push("too_large");
    }
    let [header, payload, signature] = decoded;
    let header = header.filter(|_| !is_long);
    let header = header.map(|json| Header::read(&json, rules));
    if let Some(header) = &header {
        faults.extend(&header.faults);
    }
    let (Some(header), Some(payload), Some(signature), true) =
        (header, payload, signature, faults.is_empty())
    else {
        return faults;
    };

    let keys = rules.of_use(keys);
    let tried = match header.choose(rules, &keys) {
        Ok(tried) => tried,
        Err(reason) => return vec![reason],
    };
    let message = &value[..parts[0].len() + 1 + parts[1].len()];
    let holds = |key: &&Key| {
        key.material
            .verifies(&header.algorithm, message, &signature)
    };
    if !tried.iter().take(4).any(holds) {
        return vec!["signature"];
    }
    rules.asked.faults(&payload, now)
}

struct Header {
    faults: Vec<&'static str>,
    algorithm: String,
    kid: Option<String>,
}

impl Header {
    fn read(json: &[u8], rules: &Rules) -> Self {
        let mut faults = Vec::new();
        let Some(header) = Json::strict_object(json, 8) else {
            faults.push("malformed");
            return Self {
                faults,
                algorithm: String::new(),
                kid: None,
            };
        };
        let refused = ["crit", "b64", "zip", "enc"];
        if refused.iter().any(|name| header.member(name).is_some()) {
            faults.push("malformed");
        }
        let typ = header.member("typ");
        if typ.is_some_and(|typ| typ.text().is_none())
            || !rules.admits_type(typ.and_then(Json::text))
        {
            faults.push("malformed");
        }
        let algorithm = header.member("alg").and_then(Json::text).unwrap_or("");
        if !rules.admits_algorithm(algorithm) {
            faults.push("alg");
        }
        let kid = header.member("kid");
        if kid.is_some_and(|kid| !kid.text().is_some_and(is_kid)) {
            faults.push("kid");
        }
        Self {
            algorithm: algorithm.to_owned(),
            kid: kid.and_then(Json::text).map(str::to_owned),
            faults,
        }
    }

    /// The keys that are tried; some of them are too many (T3).
    fn choose<'a>(&self, rules: &Rules, keys: &'a [Key]) -> Result<Vec<&'a Key>, &'static str> {
        let fits = |key: &&Key| key.names.contains(&self.algorithm.as_str());
        let fitting: Vec<&Key> = keys.iter().filter(fits).collect();
        if self.kid.is_none() {
            return match fitting.len() {
                0 => Err("alg"),
                1 => Ok(fitting),
                _ if rules.allow_kidless => Ok(fitting),
                _ => Err("kid"),
            };
        }
        let is_known = keys.iter().any(|key| key.kid == self.kid);
        let is_meant = |key: &&Key| match is_known {
            true => key.kid == self.kid,
            false => key.by_itself && key.kid.is_none(),
        };
        if !keys.iter().any(|key| is_meant(&key)) {
            return Err("kid");
        }
        let meant: Vec<&Key> = fitting.into_iter().filter(is_meant).collect();
        if meant.is_empty() {
            Err("alg")
        } else {
            Ok(meant)
        }
    }
}

/// The name of a key (T3).
pub(crate) fn is_kid(kid: &str) -> bool {
    kid.len() <= 256 && kid.bytes().all(|byte| (0x20..0x7f).contains(&byte))
}
