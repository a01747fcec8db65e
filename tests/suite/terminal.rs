//! What a person at a terminal sees and presses.

use std::{
    fs::{File, OpenOptions},
    io::{Read, Write},
    os::unix::fs::OpenOptionsExt,
    process::{Child, Command},
    sync::mpsc::{Receiver, channel},
    time::{Duration, Instant},
};

use rustix::{
    fs::OFlags,
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
};

use crate::support::{Origin, Scene, need};

const HELLO: &[(&str, &str)] = &[("/hello", "hello\n")];

/// A program at a terminal of its own.
struct Terminal {
    keyboard: File,
    screen: Receiver<u8>,
    seen: String,
    child: Child,
}

impl Terminal {
    /// Runs `command` in a session of its own, with the terminal as its controlling one.
    fn run(command: &Command) -> Self {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&ours).unwrap();
        unlockpt(&ours).unwrap();
        let name = ptsname(&ours, Vec::new()).unwrap();
        let flags = i32::try_from(OFlags::NOCTTY.bits()).unwrap();
        let mut options = OpenOptions::new();
        options.read(true).write(true).custom_flags(flags);
        let theirs = || options.open(name.to_str().unwrap()).unwrap();
        let mut session = Command::new("setsid");
        session
            .args(["--ctty", "--wait"])
            .arg(command.get_program())
            .args(command.get_args());
        session
            .env_clear()
            .current_dir(command.get_current_dir().unwrap());
        for (name, value) in command.get_envs() {
            session.env(name, value.unwrap());
        }
        session.stdin(theirs()).stdout(theirs()).stderr(theirs());
        let child = session.spawn().unwrap();
        drop(session);
        let keyboard = File::from(ours);
        let mut output = keyboard.try_clone().unwrap();
        let (sender, screen) = channel();
        std::thread::spawn(move || {
            let mut byte = [0];
            // It ends in an error when the last program has left the terminal.
            while output.read(&mut byte).is_ok_and(|read| read == 1) && sender.send(byte[0]).is_ok()
            {
            }
        });
        Self {
            keyboard,
            screen,
            seen: String::new(),
            child,
        }
    }

    /// Waits until the screen has shown `text`, since the last time.
    #[track_caller]
    fn shows(&mut self, text: &str) {
        let mut since = String::new();
        let deadline = Instant::now() + Duration::from_secs(30);
        while !since.contains(text) {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(byte) = self.screen.recv_timeout(left) else {
                panic!("{text:?} was not shown in:\n{}{since}", self.seen);
            };
            since.push(char::from(byte));
        }
        self.seen += &since;
    }

    fn types(&mut self, text: &str) {
        self.keyboard.write_all(text.as_bytes()).unwrap();
    }

    fn status(mut self) -> i32 {
        self.child.wait().unwrap().code().unwrap()
    }
}

#[test]
fn a_shell_says_where_one_is() {
    need("setsid", "util-linux");
    need("zsh", "zsh");
    need("fish", "fish");
    let origin = Origin::with_texts(HELLO);
    for shell in ["bash", "zsh", "fish", "sh"] {
        let scene = Scene::new();
        // A person's own settings count.
        for file in [".bashrc", ".zshrc"] {
            std::fs::write(scene.root().join("home").join(file), "PS1='mine> '\n").unwrap();
        }
        let mut capture = scene.capture(&origin, &[]);
        capture
            .env("SHELL", format!("/usr/bin/{shell}"))
            .env("TERM", "dumb");
        let mut terminal = Terminal::run(&capture);
        terminal.shows("(buildproxy capture) ");
        if matches!(shell, "bash" | "zsh") {
            terminal.shows("mine> ");
        }
        terminal.types("curl -sSf https://a.example.org/hello; echo pro''xy=$http_proxy\r");
        terminal.shows("hello");
        terminal.shows("proxy=http://127.0.0.1:");
        terminal.shows("(buildproxy capture) ");
        terminal.types("exit 5\r");
        terminal.shows("1 download captured");
        assert_eq!(terminal.status(), 5, "{shell}");
        assert!(scene.read("proxy_content.nix").contains("/hello"));

        let mut replay = scene.buildproxy(&["replay", "proxy_content.nix"]);
        replay
            .env("SHELL", format!("/usr/bin/{shell}"))
            .env("TERM", "dumb");
        let mut terminal = Terminal::run(&replay);
        terminal.shows("(buildproxy replay) ");
        terminal.types("curl -sSf https://a.example.org/hello\r");
        terminal.shows("hello\r\n");
        terminal.types("exit 6\r");
        assert_eq!(terminal.status(), 6, "{shell}");
    }
}

#[test]
fn control_c_ends_the_command_and_leaves_the_record() {
    let origin = Origin::with_texts(HELLO);
    let scene = Scene::new();
    // It counts how often it is told: the terminal tells it, and buildproxy must not tell it again.
    let script = r#"trap 'echo told; told=1' INT
        curl -sSf https://a.example.org/hello
        while [ -z "$told" ]; do sleep 0.1; done
        sleep 1; exit 9"#;
    let mut terminal = Terminal::run(&scene.capture(&origin, &["--", "bash", "-c", script]));
    // The line of progress, which only a terminal gets.
    terminal.shows("buildproxy: GET https://a.example.org/hello 200");
    terminal.types("\x03");
    terminal.shows("told");
    terminal.shows("1 download captured");
    assert_eq!(
        terminal.seen.matches("told").count(),
        1,
        "{}",
        terminal.seen
    );
    assert_eq!(terminal.status(), 9);
    assert!(scene.read("proxy_content.nix").contains("/hello"));

    let mut terminal = Terminal::run(&scene.capture(&origin, &["--", "sleep", "60"]));
    std::thread::sleep(Duration::from_millis(500));
    terminal.types("\x03");
    assert_eq!(terminal.status(), 130);
}
