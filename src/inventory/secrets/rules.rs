//! Which parameters and headers are secrets, and why.

use http::{HeaderMap, HeaderName, header::COOKIE};

use Kind::{Random, Secret, With};

/// When a parameter is a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Always.
    Secret,
    /// Where its value looks as if it was made by chance: the name has other meanings as well.
    Random,
    /// Where one of these is there too: it changes with it, or describes it.
    With(&'static [&'static str]),
}

/// The query parameters that are secrets, in lower case, and why. One that has another name, but
/// begins as a [`TOKENS`], is a secret too.
const PARAMETERS: &[(&str, Kind, &str)] = &[
    ("x-amz-signature", Secret, "S3: the signature"),
    ("x-amz-credential", Secret, "S3: who signed"),
    ("x-amz-security-token", Secret, "S3: a session's token"),
    ("x-amz-s3session-token", Secret, "S3: a session's token"),
    ("x-amz-algorithm", With(AMZ), "S3: how it is signed"),
    ("x-amz-date", With(AMZ), "S3: when it was signed"),
    ("x-amz-expires", With(AMZ), "S3: for how long"),
    ("x-amz-signedheaders", With(AMZ), "S3: what is signed"),
    ("x-goog-signature", Secret, "Google: the signature"),
    ("x-goog-credential", Secret, "Google: who signed"),
    ("x-goog-security-token", Secret, "Google: a session's token"),
    ("x-goog-algorithm", With(GOOG), "Google: how it is signed"),
    ("x-goog-date", With(GOOG), "Google: when it was signed"),
    ("x-goog-expires", With(GOOG), "Google: for how long"),
    ("x-goog-signedheaders", With(GOOG), "Google: what is signed"),
    ("x-oss-signature", Secret, "Alibaba: the signature"),
    ("x-oss-credential", Secret, "Alibaba: who signed"),
    ("x-oss-security-token", Secret, "Alibaba: a session's token"),
    (
        "x-oss-signature-version",
        With(OSS),
        "Alibaba: how it is signed",
    ),
    ("x-oss-date", With(OSS), "Alibaba: when it was signed"),
    ("x-oss-expires", With(OSS), "Alibaba: for how long"),
    ("ossaccesskeyid", Secret, "Alibaba: who signed"),
    ("security-token", Secret, "Alibaba: a session's token"),
    ("x-obs-security-token", Secret, "Huawei: a session's token"),
    ("x-cos-security-token", Secret, "Tencent: a session's token"),
    ("q-signature", Secret, "Tencent: the signature"),
    ("q-ak", Secret, "Tencent: who signed"),
    ("q-sign-algorithm", With(COS), "Tencent: how it is signed"),
    ("q-sign-time", With(COS), "Tencent: for how long"),
    ("q-key-time", With(COS), "Tencent: for how long"),
    ("q-header-list", With(COS), "Tencent: what is signed"),
    ("q-url-param-list", With(COS), "Tencent: what is signed"),
    (
        "signature",
        Secret,
        "CloudFront, S3 and Google, version 2: the signature",
    ),
    ("awsaccesskeyid", Secret, "S3, version 2: who signed"),
    ("accesskeyid", Secret, "Huawei: who signed"),
    (
        "googleaccessid",
        With(SIGNED),
        "Google, version 2: who signed",
    ),
    ("key-pair-id", With(SIGNED), "CloudFront: who signed"),
    ("policy", With(SIGNED), "CloudFront: what is allowed"),
    (
        "hash-algorithm",
        With(SIGNED),
        "CloudFront: how it is signed",
    ),
    (
        "expires",
        With(EXPIRING),
        "until when a signature or token is good",
    ),
    ("sig", Secret, "Azure: the signature"),
    ("se", With(SAS), "Azure: until when"),
    ("st", With(SAS), "Azure: from when"),
    ("sp", With(SAS), "Azure: what is allowed"),
    ("sv", With(SAS), "Azure: the version of the rules"),
    ("sr", With(SAS), "Azure: the kind of resource"),
    ("ss", With(SAS), "Azure: the services"),
    ("srt", With(SAS), "Azure: the kinds of resource"),
    ("spr", With(SAS), "Azure: the protocols"),
    ("sip", With(SAS), "Azure: for which addresses"),
    ("si", With(SAS), "Azure: a stored policy"),
    ("sdd", With(SAS), "Azure: the depth of a folder"),
    ("skoid", With(SAS), "Azure: whose key it is"),
    ("sktid", With(SAS), "Azure: whose key it is"),
    ("skt", With(SAS), "Azure: since when the key is good"),
    ("ske", With(SAS), "Azure: until when the key is good"),
    ("sks", With(SAS), "Azure: the key's service"),
    ("skv", With(SAS), "Azure: the key's version"),
    ("saoid", With(SAS), "Azure: who asks"),
    ("suoid", With(SAS), "Azure: who asks"),
    ("scid", With(SAS), "Azure: an id for the logs"),
    ("hdnea", Secret, "Akamai: a token"),
    ("hdnts", Secret, "Akamai: a token"),
    ("hdntl", Secret, "Akamai: a token"),
    ("__token__", Secret, "Akamai: a token"),
    ("__gda__", Secret, "Akamai: a token"),
    ("bcdn_token", Secret, "Bunny: a token"),
    ("hmac", Secret, "a signature"),
    ("token", Secret, "a token, as of GitHub's raw files"),
    ("access_token", Secret, "OAuth 2, in the query"),
    ("accesstoken", Secret, "the same, in another spelling"),
    ("access-token", Secret, "the same, in another spelling"),
    ("refresh_token", Secret, "OAuth 2"),
    ("id_token", Secret, "OpenID Connect"),
    ("oauth_token", Secret, "OAuth 1"),
    ("oauth_signature", Secret, "OAuth 1"),
    ("oauth_consumer_key", Secret, "OAuth 1"),
    ("client_secret", Secret, "OAuth 2"),
    ("client_assertion", Secret, "OAuth 2"),
    ("assertion", Secret, "OAuth 2"),
    ("bearer_token", Secret, "a token"),
    ("auth_token", Secret, "a token"),
    ("authtoken", Secret, "a token"),
    ("auth-token", Secret, "a token"),
    ("x-auth-token", Secret, "a token"),
    ("x-access-token", Secret, "a token"),
    ("session_token", Secret, "a token"),
    ("deploy_token", Secret, "GitLab: a project's token"),
    ("private_token", Secret, "GitLab: a person's token"),
    ("private-token", Secret, "GitLab: a person's token"),
    ("personal_access_token", Secret, "a person's token"),
    ("job_token", Secret, "GitLab: a job's token"),
    ("ci_job_token", Secret, "GitLab: a job's token"),
    ("jwt", Secret, "a JSON web token"),
    ("api_key", Secret, "a service's key"),
    ("apikey", Secret, "the same, in another spelling"),
    ("api-key", Secret, "the same, in another spelling"),
    ("x-api-key", Secret, "the same, in another spelling"),
    ("app_key", Secret, "a service's key"),
    ("appkey", Secret, "the same, in another spelling"),
    ("access_key", Secret, "a service's key"),
    ("accesskey", Secret, "the same, in another spelling"),
    ("secret_key", Secret, "a service's key"),
    ("secretkey", Secret, "the same, in another spelling"),
    ("secret_access_key", Secret, "a service's key"),
    ("subscription-key", Secret, "Azure: a service's key"),
    (
        "license_key",
        Secret,
        "MaxMind, and others who sell downloads",
    ),
    ("licensekey", Secret, "the same, in another spelling"),
    (
        "key",
        Random,
        "Google: a service's key; elsewhere often only a name",
    ),
    ("auth", Secret, "credentials"),
    ("authorization", Secret, "Backblaze: a token"),
    ("credential", Secret, "credentials"),
    ("credentials", Secret, "credentials"),
    ("password", Secret, "a password"),
    ("passwd", Secret, "a password"),
    ("passphrase", Secret, "a password"),
    ("pass", Secret, "a password"),
    ("pwd", Secret, "a password"),
    ("secret", Secret, "a secret"),
    ("sessionid", Secret, "a session"),
    ("session_id", Secret, "a session"),
    ("jsessionid", Secret, "Java: a session"),
    ("phpsessid", Secret, "PHP: a session"),
];

/// Those of them that stand in paths, behind a `;`.
const SESSIONS: &[&str] = &["jsessionid", "phpsessid", "sessionid", "session_id"];

const AMZ: &[&str] = &["x-amz-signature"];
const GOOG: &[&str] = &["x-goog-signature"];
const OSS: &[&str] = &["x-oss-signature"];
const COS: &[&str] = &["q-signature"];
const SAS: &[&str] = &["sig"];
const SIGNED: &[&str] = &["signature"];
const EXPIRING: &[&str] = &["signature", "sig", "hmac", "token", "auth"];

/// How tokens begin that can be told from anything else, and whose they are.
const TOKENS: &[(&str, &str)] = &[
    ("ghp_", "GitHub: a person's"),
    ("gho_", "GitHub: an application's"),
    ("ghu_", "GitHub: an application's"),
    ("ghs_", "GitHub: a job's"),
    ("ghr_", "GitHub: to get others with"),
    ("github_pat_", "GitHub: a person's"),
    ("glpat-", "GitLab: a person's"),
    ("gldt-", "GitLab: a project's"),
    ("glcbt-", "GitLab: a job's"),
    ("npm_", "npm"),
    ("pypi-", "PyPI"),
    ("xoxb-", "Slack"),
    ("AIza", "Google: a service's key"),
    ("eyJ", "a JSON web token"),
];

/// A value of fewer characters is no token.
pub(super) const TOKEN_LENGTH: usize = 20;

/// Headers whose values are secrets, in lower case: of requests, and what a server answers to them.
const HEADERS: &[&str] = &[
    "api-key",
    "authentication-info",
    "authorization",
    "cookie",
    "cookie2",
    "job-token",
    "private-token",
    "proxy-authentication-info",
    "proxy-authorization",
    "set-cookie",
    "set-cookie2",
    "x-access-token",
    "x-amz-security-token",
    "x-api-key",
    "x-auth-token",
    "x-csrf-token",
    "x-goog-api-key",
    "x-jfrog-art-api",
    "x-session-id",
    "x-session-token",
    "x-subject-token",
    "x-vault-token",
    "x-xsrf-token",
];

/// Whether a header, its name given in lower case, holds a secret.
#[must_use]
pub fn is_secret_header(name: &str) -> bool {
    HEADERS.contains(&name)
}

/// Whether a request comes with credentials. Cookies do not count: most are of no account, and which
/// there are varies from run to run.
#[must_use]
pub fn has_credentials(headers: &HeaderMap) -> bool {
    let names = headers.keys().filter(|name| *name != COOKIE);
    names.map(HeaderName::as_str).any(is_secret_header)
}

/// Whether a parameter is a secret by its name, in lower case, or by its value, among others of these
/// `names`.
pub(super) fn is_secret_parameter(name: &str, value: &str, names: &[&str]) -> bool {
    let rule = PARAMETERS.iter().find(|(known, ..)| *known == name);
    let by_name = rule.is_some_and(|(_, kind, _)| match kind {
        Secret => true,
        Random => is_random(value),
        With(others) => others.iter().any(|other| names.contains(other)),
    });
    by_name || is_token(value)
}

/// Whether this begins with a session's parameter, as servers write it into a path for clients that take no
/// cookies: no other parameter of a path is known to be a secret.
pub(super) fn begins_with_session(text: &str) -> bool {
    let name = text.split_once('=').map_or("", |(name, _)| name);
    SESSIONS
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known))
}

fn is_token(value: &str) -> bool {
    value.len() >= TOKEN_LENGTH && TOKENS.iter().any(|(start, _)| value.starts_with(start))
}

/// Whether a value has all of what chance would give it, as a name or the fingerprint of a key has not.
fn is_random(value: &str) -> bool {
    let has = |is: fn(&u8) -> bool| value.as_bytes().iter().any(is);
    value.len() >= TOKEN_LENGTH
        && has(u8::is_ascii_digit)
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_uppercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_in_lower_case_and_name_each_thing_once() {
        for (index, (name, kind, why)) in PARAMETERS.iter().enumerate() {
            assert_eq!(*name, name.to_ascii_lowercase());
            assert!(!why.is_empty());
            assert!(
                PARAMETERS[..index].iter().all(|(other, ..)| other != name),
                "{name}"
            );
            if let With(others) = kind {
                for other in *others {
                    let there = PARAMETERS.iter().find(|(known, ..)| known == other);
                    assert!(there.is_some_and(|(_, kind, _)| *kind == Secret), "{other}");
                }
            }
        }
        assert!(HEADERS.is_sorted());
    }
}
