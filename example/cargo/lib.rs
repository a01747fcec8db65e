//! A project that depends on a crate, which cargo downloads.
