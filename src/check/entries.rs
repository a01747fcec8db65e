//! What can be said of entries by themselves, and of what their pins give now.

use super::Finding;
use crate::{
    inventory::{Body, Pin, Scheme, moving::moving, nix::Located},
    report::chain,
    upstream::{PinError, Received},
};

/// What is wrong with the pins among entries that could be read.
#[must_use]
pub fn examine(entries: &[Located]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for located in entries {
        let Body::Pin(pin) = &located.entry.body else {
            continue;
        };
        for url in pin.urls() {
            if url.scheme() == Scheme::Http {
                let message = format!("the pin of {url} is not fetched by https");
                let finding = Finding::warning(located.pin_line(), message);
                findings.push(finding.hint("write `https://`, if the server has it"));
            }
            if url.has_dot_segments() {
                let fetched = url.without_dot_segments();
                let message = format!(
                    "the pin of {url} is not of this URL: fetchurl takes `.` and `..` out, and fetches {fetched}"
                );
                let finding = Finding::warning(located.pin_line(), message);
                findings.push(
                    finding.hint("capture it again, and it is vendored; or write what is fetched"),
                );
            }
            if let Some(moving) = moving(url) {
                let message = format!("the pin of {url} names {moving}, and will change");
                let finding = Finding::warning(located.pin_line(), message);
                findings.push(match moving.instead {
                    Some(instead) => finding.hint(format!("what stays: {instead}")),
                    None => finding.hint("name a version, if the server has one"),
                });
            }
        }
        let url = &pin.url;
        if let Some(option) = pin.option {
            let attribute = option.attribute();
            let message =
                format!("the pin of {url} has `{attribute}`, with which only Nix can fetch it");
            let finding = Finding::warning(located.pin_line(), message);
            findings.push(
                finding.hint(
                    "neither `--fetch` nor `buildproxy update` says whether its hash is right",
                ),
            );
        }
        if pin.hash.is_none() {
            let message = format!("the pin of {url} has no hash yet");
            let finding = Finding::error(located.hash_line(), message);
            findings.push(finding.hint("`buildproxy update` writes it"));
        }
    }
    findings
}

/// What is wrong with a pin that was fetched.
#[must_use]
pub fn fetched(
    located: &Located,
    pin: &Pin,
    outcome: &Result<Received, PinError>,
) -> Option<Finding> {
    let url = &pin.url;
    match outcome {
        Ok(got) if pin.hash.as_ref() == Some(&got.hash) => None,
        Ok(got) if pin.hash.is_none() => {
            let message = format!("the pin of {url} has no hash yet");
            let finding = Finding::error(located.hash_line(), message);
            Some(finding.hint(format!("write \"{}\"", got.hash)))
        }
        Ok(got) => {
            let message = format!("the pin of {url} gives other bytes now: {}", got.hash);
            let finding = Finding::error(located.hash_line(), message);
            Some(finding.hint("if they are right, `buildproxy update` writes this hash"))
        }
        Err(error) => {
            let why = chain(error);
            // The message names the URL already.
            let known = format!("failed to fetch {url}: ");
            let why = why.strip_prefix(&known).unwrap_or(&why);
            let message = format!("the pin of {url} cannot be fetched: {why}");
            Some(Finding::error(located.pin_line(), message))
        }
    }
}
