//! `buildproxy capture`: runs a command, or a shell, and writes an inventory of what it downloads.

use std::{
    io::{IsTerminal, stderr},
    sync::Arc,
    time::Duration,
};

use super::{
    Context, Failure, Status,
    bundle::write_bundle,
    front::Front,
    output::{Nothing, Output},
    prefill::prefill,
    routes::{Routes, warn_of_unreached},
    runtime, set,
    summary::Summary,
};
use crate::{
    capture::{Bounds, Capture, Progress, Recorder, RedirectPolicy},
    cli::CaptureArgs,
    process::{Job, Mode, Signals, exit_code},
    proxy::{Authority, FrontDoor},
    report::{count, say},
    trust::{Direct, Environment, Files, Roots, Settings, Terms, inherited},
    upstream::Upstream,
};

/// So long a person is not told why nothing happens when the command has ended.
const PATIENCE: Duration = Duration::from_secs(1);

/// So long the end of downloads is waited for at most, when the command has ended: some servers never
/// come to an end.
const LATEST: Duration = Duration::from_secs(15 * 60);

pub(super) fn run(args: &CaptureArgs) -> Result<Status, Failure> {
    // Whatever would keep the record from being written is better known before hours of build.
    let output = Output::open(&args.output, &args.merge, &args.evaluation)?;
    let cache = args.common.cache.open()?;
    cache.prepare()?;

    let roots = Roots::of_platform();
    let authority = Authority::new()?;
    let front = Front::open(&args.common)?;
    let way = front.way()?;
    let mut settings = Settings::read(inherited);
    let routes = Routes::open(&front, &mut settings)?;
    let terms = Terms {
        mode: Mode::Capture,
        way,
        direct: Direct(args.no_proxy.clone()),
        settings,
    };
    warn_of_unreached(&terms);
    let files = Files::make(authority.certificate(), &roots, &terms, inherited)?;
    write_bundle(&files, args.common.bundle.as_deref())?;
    let environment = Environment::new(&terms, &files, inherited);
    let mut job =
        Job::new(&args.common.command, Mode::Capture).context("failed to make a shell")?;
    job.envs(environment.iter());
    job.envs_remove(environment.removed());

    // A person looks at a terminal; in a shell, it is theirs.
    let looks = stderr().is_terminal() && !args.common.command.is_empty();
    let recorder = Arc::new(Recorder::new(if looks {
        Progress::Lines
    } else {
        Progress::Quiet
    }));
    let policy = args.policy.open()?;
    let upstream = Upstream::new(&roots, &args.upstream.connect_to);
    let capture = Capture::new(
        upstream,
        cache.clone(),
        Arc::clone(&recorder),
        policy,
        RedirectPolicy {
            keep: set(&args.keep_redirects)?,
            follow: set(&args.follow_redirects)?,
        },
        args.policy.ignored(),
        Bounds {
            stall: args.upstream.stall(),
            max_body: args.max_body,
        },
    );
    let capture = Arc::new(capture);
    let door = FrontDoor::new(Arc::new(authority), Arc::clone(&capture));

    let (status, mut record) = runtime()?.block_on(async {
        let mut signals = Signals::take()?;
        routes.serve(|listener, peers, route| {
            let upstream = Upstream::by_route(&roots, &args.upstream.connect_to, route);
            let door = door.with(Arc::new(capture.by(upstream)));
            tokio::spawn(door.serve(listener, peers));
        })?;
        let status = front.run(door, job, &files, &mut signals).await?;
        finish(&capture, &mut signals).await;
        Ok::<_, Failure>((status, recorder.take()))
    })?;
    let exchanges = std::mem::take(&mut record.exchanges);
    let code = exit_code(status);
    let nothing = match code {
        0 => Nothing::Write,
        _ => Nothing::Leave,
    };
    let written = output.write(exchanges.into_values().collect(), &cache, nothing)?;
    let summary = Summary {
        path: output.path(),
        verb: "captured",
        written: &written,
        record: &record,
    };
    let mut said = summary.to_string();
    if written.recording.entries.is_empty() {
        said.push_str(why_nothing(nothing));
    }
    say(said.trim_end());
    if !args.no_prefill {
        prefill(&written.recording.entries, &cache);
    }
    Ok(Status::Command(code))
}

/// What a person is told where nothing was captured, which can hardly be what they wanted.
fn why_nothing(nothing: Nothing) -> &'static str {
    match nothing {
        Nothing::Leave => {
            "warning: nothing was captured and the command failed, so no inventory is written\n"
        }
        Nothing::Write => {
            "warning: nothing was captured\n\
             hint: what a client has already it does not ask for, so start with empty caches; \
             what knows of no proxy needs `--transparent`\n"
        }
    }
}

/// Waits for what is still arriving when the command has ended, unless the person does not want to.
async fn finish(capture: &Capture, signals: &mut Signals) {
    let patience = tokio::time::sleep(PATIENCE);
    let latest = tokio::time::sleep(LATEST);
    let all = capture.finish();
    tokio::pin!(all, patience, latest);
    loop {
        tokio::select! {
            () = &mut all => return,
            () = &mut latest => return,
            // The command has ended, so this is for buildproxy.
            _ = signals.next() => return,
            () = &mut patience, if !patience.is_elapsed() => {
                let arriving = count(capture.unfinished(), "download");
                say(&format!("waiting for the end of {arriving}; interrupt to give up"));
            }
        }
    }
}
