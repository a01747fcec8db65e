//! A shell whose prompt says where one is.

use std::{ffi::OsString, fs, io, path::Path};

use tempfile::TempDir;
use tokio::process::Command;

/// What a shell is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// `buildproxy capture`.
    Capture,
    /// `buildproxy replay`.
    Replay,
}

impl Mode {
    /// The verb's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Capture => "capture",
            Self::Replay => "replay",
        }
    }

    fn prompt(self) -> String {
        format!("(buildproxy {}) ", self.name())
    }
}

/// The user's `$SHELL`, with all of the user's own settings, and the folder of the files that it reads
/// when it starts; it has to be kept as long as the shell runs.
///
/// # Errors
///
/// Where the folder for temporary files cannot be written.
pub(super) fn subshell(mode: Mode) -> io::Result<(Command, TempDir)> {
    let shell = std::env::var_os("SHELL").filter(|shell| !shell.is_empty());
    let shell = shell.unwrap_or_else(|| OsString::from("/bin/sh"));
    let files = tempfile::Builder::new().prefix("buildproxy-").tempdir()?;
    let mut command = Command::new(&shell);
    let prompt = mode.prompt();
    let name = Path::new(&shell)
        .file_name()
        .unwrap_or_default()
        .to_string_lossy();
    match name.trim_start_matches('-') {
        "bash" => {
            let rc = files.path().join("bashrc");
            let own = "if [ -f ~/.bashrc ]; then . ~/.bashrc; fi";
            fs::write(&rc, format!("{own}\nPS1=\"{prompt}${{PS1-}}\"\n"))?;
            command.arg("--rcfile").arg(rc);
        }
        "zsh" => {
            let home = "ZDOTDIR=${BUILDPROXY_ZDOTDIR-$HOME}";
            for file in [".zshenv", ".zshrc"] {
                let own = format!(
                    "{home}; if [ -f \"$ZDOTDIR/{file}\" ]; then . \"$ZDOTDIR/{file}\"; fi"
                );
                let end = match file {
                    ".zshrc" => format!("PROMPT=\"{prompt}$PROMPT\""),
                    _ => format!("ZDOTDIR='{}'", files.path().display()),
                };
                fs::write(files.path().join(file), format!("{own}\n{end}\n"))?;
            }
            if let Some(own) = std::env::var_os("ZDOTDIR") {
                command.env("BUILDPROXY_ZDOTDIR", own);
            }
            command.env("ZDOTDIR", files.path());
        }
        "fish" => {
            let own = "functions --copy fish_prompt _buildproxy_prompt";
            let new = format!("function fish_prompt; printf '{prompt}'; _buildproxy_prompt; end");
            command.arg("--init-command").arg(format!("{own}; {new}"));
        }
        _ => {
            command.env("PS1", format!("{prompt}$ "));
        }
    }
    Ok((command, files))
}
