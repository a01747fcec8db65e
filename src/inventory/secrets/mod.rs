//! What is never written down, and how it is taken out of URLs and of texts that hold URLs.
//!
//! A URL is often a credential: whoever has a presigned link can fetch what is behind it, and whoever
//! has a link with `?token=` in it can do more. An inventory is committed, a log is pasted into an
//! issue. So what the tables in `rules` name goes nowhere but upstream. With a signature goes what changes
//! together with it, such as its expiry, for the rest is what two captures of one build have in common.
//!
//! What is found is what stands in a query, in a fragment, in a parameter of a path (`;jsessionid=…`), or before an
//! `@`. A secret that is any other part of a path looks like the rest of it, and stays.
//!
//! Sources: AWS Signature Version 4 "query parameters"; Google Cloud Storage "signed URLs"; Azure
//! Storage "service SAS"; `CloudFront` "signed URLs using a custom policy"; RFC 6750 §2.3 (the
//! parameter `access_token`); RFC 3986 §3.2.1 (userinfo); the documentation of each service that a rule names.

mod rules;
mod text;

pub use rules::{has_credentials, is_secret_header};
pub(in crate::inventory) use text::of_target;
pub(crate) use text::presentable;
pub use text::without_secrets;
