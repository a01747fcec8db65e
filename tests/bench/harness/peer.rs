//! Who is measured.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use rustix::process::Pid;

use super::{
    Options,
    load::Route,
    process::{Background, Core, output, pinned},
    row::Unit,
    site::Site,
};

/// What our own column is called.
pub(super) const OURS: &str = "buildproxy";

/// A program that answers requests.
#[derive(Clone, Debug)]
pub(super) enum Peer {
    /// `buildproxy replay --daemon`.
    Buildproxy(PathBuf),
    /// Another build of it.
    Before(PathBuf),
    /// nginx with one worker, which serves the same files.
    Nginx(PathBuf),
    /// The least proxy that hudsucker makes.
    Hudsucker(PathBuf),
    /// mitmproxy with a script that serves the same files.
    Mitmproxy(PathBuf),
}

/// A peer that was started.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) process: Background,
    /// How it is asked for `http://`, and for `https://`.
    pub(super) http: Route,
    pub(super) https: Route,
}

impl Peer {
    /// All that there are, ours first.
    pub(super) fn all(options: &Options) -> Vec<Self> {
        let mut peers = vec![Self::Buildproxy(options.buildproxy.clone())];
        peers.extend(options.before.clone().map(Self::Before));
        peers.push(Self::Nginx(options.nginx.clone()));
        peers.extend(options.hudsucker.clone().map(Self::Hudsucker));
        peers.extend(options.mitmdump.clone().map(Self::Mitmproxy));
        peers
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Buildproxy(_) => OURS,
            Self::Before(_) => "before",
            Self::Nginx(_) => "nginx",
            Self::Hudsucker(_) => "hudsucker",
            Self::Mitmproxy(_) => "mitmproxy",
        }
    }

    /// Name and version.
    pub(super) fn version(&self) -> anyhow::Result<String> {
        let said = match self {
            Self::Buildproxy(program) | Self::Before(program) => {
                let version = output(Command::new(program).arg("--version"))?;
                let version = version.trim().replace("buildproxy", self.name());
                let size =
                    Unit::Bytes.show(f64::from(u32::try_from(fs::metadata(program)?.len())?));
                return Ok(format!("{version} ({size})"));
            }
            Self::Nginx(program) => output(Command::new(program).arg("-v"))?,
            Self::Hudsucker(_) => {
                let lock = include_str!("../hudsucker/Cargo.lock");
                let found = lock.split_once("name = \"hudsucker\"\nversion = \"");
                let version = found.and_then(|(_, rest)| rest.split('"').next());
                version.unwrap_or_default().to_owned()
            }
            Self::Mitmproxy(program) => output(Command::new(program).arg("--version"))?,
        };
        let first = said.lines().next().unwrap_or_default();
        let version = first.rsplit([' ', '/']).next().unwrap_or_default();
        Ok(format!("{} {version}", self.name()))
    }

    /// Starts it, and returns when it may be connected to.
    pub(super) fn start(&self, site: &Site, entries: usize) -> anyhow::Result<Server> {
        let start = || match self {
            Self::Buildproxy(program) | Self::Before(program) => {
                start_buildproxy(site, entries, program)
            }
            Self::Nginx(program) => start_nginx(site, program),
            Self::Hudsucker(program) => {
                let manifest = site.manifest(entries).display().to_string();
                start_hudsucker(site, program, &["replay", &manifest])
            }
            Self::Mitmproxy(program) => start_mitmproxy(site, program),
        };
        if site.scale.pinned {
            pinned(Core::Server, start)?
        } else {
            start()
        }
    }
}

fn start_buildproxy(site: &Site, entries: usize, program: &Path) -> anyhow::Result<Server> {
    let mut command = Command::new(program);
    command.arg("replay").arg(site.manifest(entries));
    // However this ends, nothing stays behind.
    let watched = std::process::id().to_string();
    command.args(["--daemon", "--watch-pid", &watched]);
    // Nothing goes into a pipe that stays open in the background.
    let log = File::create(site.path("buildproxy.log"))?;
    let exports = output(command.stderr(log))?;
    let value = |name: &str| {
        let start = format!("export {name}='");
        let found = exports.lines().find_map(|line| line.strip_prefix(&start));
        let value = found.and_then(|value| value.strip_suffix('\''));
        value.with_context(|| format!("buildproxy has not said {name}"))
    };
    let pid = Pid::from_raw(value("BUILDPROXY_PID")?.parse()?).context("no process")?;
    let address = value("http_proxy")?.trim_start_matches("http://").parse()?;
    let route = |tls| Route {
        address,
        tls,
        proxy: true,
    };
    Ok(Server {
        process: Background::one(pid),
        http: route(false),
        https: route(true),
    })
}

/// As Debian configures it, but for what would make it slower: no log, and no end to a connection.
fn start_nginx(site: &Site, program: &Path) -> anyhow::Result<Server> {
    let [http, https] = [free_port()?, free_port()?];
    let folder = site.path("nginx");
    fs::create_dir_all(&folder)?;
    let user = if rustix::process::getuid().is_root() {
        "user root;"
    } else {
        ""
    };
    let root = site.path("").display().to_string();
    let folder_name = folder.display();
    let config = format!(
        "{user}
        worker_processes 1;
        pid {folder_name}/pid;
        error_log {folder_name}/error.log;
        events {{ worker_connections 1024; }}
        http {{
            access_log off;
            sendfile on;
            tcp_nopush on;
            keepalive_requests 1000000000;
            keepalive_timeout 600;
            client_body_temp_path {folder_name}/body;
            proxy_temp_path {folder_name}/proxy;
            fastcgi_temp_path {folder_name}/fastcgi;
            uwsgi_temp_path {folder_name}/uwsgi;
            scgi_temp_path {folder_name}/scgi;
            ssl_protocols TLSv1.2 TLSv1.3;
            ssl_certificate {root}nginx.crt;
            ssl_certificate_key {root}nginx.key;
            server {{
                listen {http};
                listen {https} ssl;
                root {root};
            }}
        }}"
    );
    let path = folder.join("conf");
    fs::write(&path, config)?;
    let log = folder.join("error.log");
    output(Command::new(program).arg("-c").arg(path).arg("-e").arg(log))?;
    let pid = fs::read_to_string(folder.join("pid"))?;
    let pid = Pid::from_raw(pid.trim().parse()?).context("no process")?;
    let route = |address, tls| Route {
        address,
        tls,
        proxy: false,
    };
    Ok(Server {
        process: Background::with_worker(pid)?,
        http: route(http, false),
        https: route(https, true),
    })
}

/// Starts the proxy of hudsucker, which writes its certificate beside what is served.
pub(super) fn start_hudsucker(
    site: &Site,
    program: &Path,
    arguments: &[&str],
) -> anyhow::Result<Server> {
    let mut command = Command::new(program);
    command.args(arguments).arg(site.path("hudsucker.crt"));
    command.env("SSL_CERT_FILE", site.path("nginx.crt"));
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    command.stderr(File::create(site.path("hudsucker.log"))?);
    let mut child = command.spawn()?;
    let address = first_line(&mut child);
    // It is ended, also where it says something else.
    let process = Background::child(child)?;
    let address = address?;
    let address = address
        .parse()
        .with_context(|| format!("hudsucker said '{address}'"))?;
    let route = |tls| Route {
        address,
        tls,
        proxy: true,
    };
    Ok(Server {
        process,
        http: route(false),
        https: route(true),
    })
}

/// What a child says first on standard output.
pub(super) fn first_line(child: &mut Child) -> anyhow::Result<String> {
    let output = child.stdout.take().context("no output")?;
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line)?;
    Ok(line.trim().to_owned())
}

/// Answers by a script, as nix-buildproxy does.
fn start_mitmproxy(site: &Site, program: &Path) -> anyhow::Result<Server> {
    let script = site.path("serve.py");
    let files = site.path("files");
    fs::write(
        &script,
        format!(
            "from mitmproxy import http
def request(flow):
    with open('{}/' + flow.request.path.rsplit('/', 1)[1], 'rb') as file:
        flow.response = http.Response.make(200, file.read())
",
            files.display()
        ),
    )?;
    let address = free_port()?;
    let mut command = Command::new(program);
    command.args(["--quiet", "--set", "connection_strategy=lazy"]);
    command.args(["--listen-host", "127.0.0.1", "--listen-port"]);
    command
        .arg(address.port().to_string())
        .arg("--scripts")
        .arg(script);
    command
        .arg("--set")
        .arg(format!("confdir={}", site.path("mitmproxy").display()));
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let process = Background::child(command.spawn()?)?;
    let until = Instant::now() + Duration::from_secs(60);
    while TcpStream::connect(address).is_err() {
        ensure!(Instant::now() < until, "mitmproxy does not listen");
        thread::sleep(Duration::from_millis(1));
    }
    let route = |tls| Route {
        address,
        tls,
        proxy: true,
    };
    Ok(Server {
        process,
        http: route(false),
        https: route(true),
    })
}

/// An address that nobody listens on.
fn free_port() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
