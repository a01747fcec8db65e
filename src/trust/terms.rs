//! On what terms clients come to us: by which way, past it to which hosts, and with what settings of their own.

use super::{Client, Direct, Setting, Settings, Way};
use crate::process::Mode;

/// The terms of a run.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Whether they are captured or replayed.
    pub mode: Mode,
    /// How clients get here.
    pub way: Way,
    /// What they reach without us.
    pub direct: Direct,
    /// What they are set to themselves.
    pub settings: Settings,
}

impl Terms {
    /// The proxy's URL for everybody without settings. Empty where there is no proxy.
    pub(super) fn proxy(&self) -> String {
        self.proxy_behind(None)
    }

    /// The proxy's URL for a client.
    pub(super) fn proxy_of(&self, client: Client) -> String {
        self.proxy_behind(self.settings.of_client(client).next())
    }

    /// The proxy's URL in place of the one that `setting` names.
    pub(super) fn proxy_behind(&self, setting: Option<&Setting>) -> String {
        match self.way {
            Way::Proxy(usual) => {
                let door = setting.and_then(Setting::door).unwrap_or(usual);
                format!("http://{door}")
            }
            Way::Transparent => String::new(),
        }
    }

    /// The hosts that are reached without the proxy, as `NO_PROXY` has them.
    pub(super) fn no_proxy(&self) -> String {
        self.direct.hosts().join(",")
    }
}
