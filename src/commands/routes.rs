//! The ways of clients that are set to a proxy of their own: beside the front, a door for each, behind which a
//! capture goes on by that proxy.

use std::{
    io,
    net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs},
    time::Duration,
};

use http::Uri;

use super::{Context, Failure, front::Front};
use crate::{
    inventory::secrets::presentable,
    proxy::Peers,
    report::{chain, say},
    trust::{Route, Setting, Settings, Terms, Way},
};

/// How long a proxy is waited for. One that takes longer would be of little use.
const PATIENCE: Duration = Duration::from_secs(3);

/// The doors that are open, each with who may use it.
pub(super) struct Routes(Vec<(TcpListener, Peers, Route)>);

/// Why a proxy is not used.
#[derive(Debug, thiserror::Error)]
enum NoProxy {
    #[error("is not one of http://")]
    Kind,
    #[error("does not answer")]
    Silent(#[source] io::Error),
}

impl Routes {
    /// Opens a door for each way that `settings` lead to. Proxies that are not there are told of: then their
    /// clients go by the usual way. Where all addresses are ours, nobody comes by another.
    pub(super) fn open(front: &Front, settings: &mut Settings) -> Result<Self, Failure> {
        let mut doors = Self(Vec::new());
        if let Front::Proxy(listener, peers) = front {
            let usual = listener.local_addr()?;
            let mut known: Vec<(Route, Option<SocketAddr>)> = Vec::new();
            settings.open_doors(|setting, route| {
                if let Some((_, door)) = known.iter().find(|(other, _)| other == route) {
                    return Ok(*door);
                }
                let door = if are_there(setting, route) {
                    Some(doors.add(usual, peers, route)?)
                } else {
                    None
                };
                known.push((route.clone(), door));
                Ok::<_, Failure>(door)
            })?;
        }
        Ok(doors)
    }

    fn add(
        &mut self,
        usual: SocketAddr,
        peers: &Peers,
        route: &Route,
    ) -> Result<SocketAddr, Failure> {
        let bind = || {
            let listener = TcpListener::bind((usual.ip(), 0))?;
            listener.set_nonblocking(true)?;
            let address = listener.local_addr()?;
            Ok::<_, io::Error>((listener, address))
        };
        let failed = || format!("failed to listen on {}", usual.ip());
        let (listener, address) = bind().with_context(failed)?;
        self.0.push((listener, peers.clone(), route.clone()));
        Ok(address)
    }

    /// Has `serve` serve each.
    pub(super) fn serve(
        self,
        mut serve: impl FnMut(tokio::net::TcpListener, Peers, &Route),
    ) -> Result<(), Failure> {
        for (listener, peers, route) in self.0 {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            serve(listener, peers, &route);
        }
        Ok(())
    }
}

/// Whether the proxies of a route can be used; says so, if not.
fn are_there(setting: &Setting, route: &Route) -> bool {
    let mut proxies: Vec<_> = route.http.iter().chain(&route.https).collect();
    proxies.dedup();
    proxies.into_iter().all(|proxy| match is_there(proxy) {
        Ok(()) => true,
        Err(why) => {
            let (place, client) = (&setting.place, setting.client.name());
            let (proxy, why) = (presentable(proxy), chain(&why));
            say(&format!(
                "warning: the proxy {proxy}, which {place} names, {why}; {client} is captured without it"
            ));
            false
        }
    })
}

fn is_there(proxy: &str) -> Result<(), NoProxy> {
    let uri: Uri = proxy.parse().map_err(|_| NoProxy::Kind)?;
    let (Some("http"), Some(host)) = (uri.scheme_str(), uri.host()) else {
        return Err(NoProxy::Kind);
    };
    let host = host.trim_matches(['[', ']']);
    let addresses = (host, uri.port_u16().unwrap_or(80)).to_socket_addrs();
    let mut last = io::ErrorKind::NotFound.into();
    for address in addresses.map_err(NoProxy::Silent)? {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(_) => return Ok(()),
            Err(error) => last = error,
        }
    }
    Err(NoProxy::Silent(last))
}

/// Says which clients go past us, before they do.
pub(super) fn warn_of_unreached(terms: &Terms) {
    if terms.way == Way::Transparent {
        return;
    }
    for unreached in terms.settings.unreached() {
        let (client, place) = (unreached.client, unreached.place.display());
        say(&format!(
            "warning: {place} sets a proxy for {client}, which no variable outranks: it goes past buildproxy\n\
             hint: with --transparent, nothing does"
        ));
    }
}
