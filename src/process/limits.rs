//! How many files may be open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Enough for some thousand connections. Not more, though more may be allowed: the command inherits it,
/// and some old programs go through all descriptors that there could be.
const OPEN_FILES: u64 = 8192;

/// Raises the limit, which on some systems is 256, as far as the system allows.
pub fn raise_open_files() {
    let limit = getrlimit(Resource::Nofile);
    let wanted = limit
        .maximum
        .map_or(OPEN_FILES, |maximum| maximum.min(OPEN_FILES));
    if limit.current.is_some_and(|current| current < wanted) {
        let raised = Rlimit {
            current: Some(wanted),
            ..limit
        };
        // Without, fewer connections go at a time.
        let _ = setrlimit(Resource::Nofile, raised);
    }
}
