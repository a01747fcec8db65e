//! `buildproxy capture`: runs a command, or a shell, and writes an inventory of what it downloads.

use std::{
    io::{IsTerminal, stderr},
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use globset::{Glob, GlobSet};
use tokio::net::TcpListener;

use super::{
    output::{Output, Written},
    prefill::prefill,
    runtime,
};
use crate::{
    capture::{Bounds, Capture, Policy, Progress, Proof, Recorder, Upstream},
    cli::CaptureArgs,
    emit::Changes,
    process::{Job, Mode, Signals, exit_code},
    proxy::{Authority, FrontDoor},
    report::{Summary, chain, count, say},
    trust::{Environment, Files, Reach, Roots, inherited},
};

/// So long a person is not told why nothing happens when the command has ended.
const PATIENCE: Duration = Duration::from_secs(1);

pub(super) fn run(args: &CaptureArgs) -> anyhow::Result<u8> {
    // Whatever would keep the record from being written is better known before hours of build.
    let changes = if args.update {
        Changes::Update
    } else {
        Changes::Keep
    };
    let output = Output::open(&args.output, args.replace, changes)?;
    let cache = args.common.cache()?;
    drop(cache.begin()?);

    let roots = Roots::of_platform();
    let authority = Authority::new()?;
    let listener = args.common.bind()?;
    let address = listener
        .local_addr()
        .context("failed to find out the port")?;
    let files = Files::make(authority.certificate(), &roots, address, inherited)?;
    let reach = Reach::LoopbackAnd(args.no_proxy.clone());
    let environment = Environment::new(address, &files, &reach, inherited);
    let mut job =
        Job::new(&args.common.command, Mode::Capture).context("failed to make a shell")?;
    job.envs(environment.iter());

    // A person looks at a terminal; in a shell, it is theirs.
    let looks = stderr().is_terminal() && !args.common.command.is_empty();
    let recorder = Arc::new(Recorder::new(if looks {
        Progress::Lines
    } else {
        Progress::Quiet
    }));
    let policy = Policy {
        proof: if args.no_verify {
            Proof::Skip
        } else {
            Proof::Fetch
        },
        pin: set(&args.pin)?,
        vendor: set(&args.vendor)?,
    };
    let upstream = Upstream::new(&roots, &args.connect_to);
    let capture = Capture::new(
        upstream,
        cache.clone(),
        Arc::clone(&recorder),
        policy,
        set(&args.keep_redirects)?,
        Bounds {
            stall: Duration::from_secs(args.stall_timeout),
            max_body: args.max_body,
        },
    );
    let capture = Arc::new(capture);
    let door = FrontDoor::new(Arc::new(authority), Arc::clone(&capture));

    let (status, record) = runtime()?.block_on(async {
        let mut signals = Signals::take()?;
        tokio::spawn(door.serve(TcpListener::from_std(listener)?));
        let status = job.run(&mut signals).await?;
        finish(&capture, &recorder, &mut signals).await;
        anyhow::Ok((status, recorder.take()))
    })?;
    let exchanges = record.exchanges.into_values().collect();
    let Written { recording, merged } = output.write(exchanges)?;
    let summary = Summary {
        path: output.path(),
        recording: &recording,
        merged: &merged,
        skipped: &record.skipped,
        beyond: record.beyond,
        unstable: &record.unstable,
    };
    say(summary.to_string().trim_end());
    if !args.no_prefill
        && let Err(error) = prefill(&recording.entries, &cache)
    {
        let why = chain(&error);
        say(&format!(
            "the Nix store does not have the bodies yet, and Nix will download them: {why}"
        ));
    }
    Ok(exit_code(status))
}

/// Waits for what is still arriving when the command has ended, unless the person does not want to.
async fn finish(capture: &Capture, recorder: &Recorder, signals: &mut Signals) {
    let patience = tokio::time::sleep(PATIENCE);
    let all = capture.finish();
    tokio::pin!(all, patience);
    loop {
        tokio::select! {
            () = &mut all => return,
            // The command has ended, so this is for buildproxy.
            _ = signals.next() => return,
            () = &mut patience, if !patience.is_elapsed() => {
                let arriving = count(recorder.still_arriving(), "download");
                say(&format!("waiting for the end of {arriving}; interrupt to give up"));
            }
        }
    }
}

fn set(globs: &[Glob]) -> anyhow::Result<GlobSet> {
    let mut set = GlobSet::builder();
    for glob in globs {
        set.add(glob.clone());
    }
    set.build().context("failed to use a glob")
}
