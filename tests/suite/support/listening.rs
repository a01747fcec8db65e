//! Two listeners on loopback, one for http and one for https, and who serves them.

use std::{fs, path::PathBuf, sync::Arc, thread};

use buildproxy::proxy::Authority;
use tempfile::TempDir;
use tokio::{net::TcpListener, sync::oneshot};

/// They are served until this is dropped.
pub(super) struct Listening {
    pub(super) http: u16,
    pub(super) https: u16,
    folder: TempDir,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Listening {
    /// Has `serve` serve the listener for http and the one for https, with certificates of an authority
    /// of their own.
    pub(super) fn start<F>(
        serve: impl FnOnce(TcpListener, TcpListener, Arc<Authority>) -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = ()>,
    {
        let authority = Arc::new(Authority::new().unwrap());
        let folder = tempfile::tempdir().unwrap();
        let certificate = pem(authority.certificate());
        fs::write(folder.path().join("ca.crt"), certificate).unwrap();
        let (stop, stopped) = oneshot::channel();
        let (ports, bound) = std::sync::mpsc::channel();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let http = TcpListener::bind("127.0.0.1:0").await.unwrap();
                let https = TcpListener::bind("127.0.0.1:0").await.unwrap();
                let port = |listener: &TcpListener| listener.local_addr().unwrap().port();
                ports.send((port(&http), port(&https))).unwrap();
                tokio::select! {
                    () = serve(http, https, authority) => {}
                    _ = stopped => {}
                }
            });
            runtime.shutdown_background();
        });
        let (http, https) = bound.recv().unwrap();
        Self {
            http,
            https,
            folder,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// The certificate that the authority is to be trusted by.
    pub(super) fn ca(&self) -> PathBuf {
        self.folder.path().join("ca.crt")
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.stop.take().map(|stop| stop.send(()));
        let _ = self.thread.take().map(thread::JoinHandle::join);
    }
}

/// A certificate as a file has it.
fn pem(certificate: &[u8]) -> String {
    let base64 = data_encoding::BASE64.encode(certificate);
    format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n")
}
