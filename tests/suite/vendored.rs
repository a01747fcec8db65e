//! Vendored bodies: which file is which body's, and where it is written.

use std::{
    fs::{self, Permissions},
    os::unix::fs::{PermissionsExt, lchown, symlink},
    path::PathBuf,
};

use buildproxy::inventory::Sri;

use crate::support::{Origin, Scene, answer, run};

/// Gives `body` for each path, and a 404, so that it is vendored.
fn origin(bodies: &[(&'static str, String)]) -> Origin {
    let bodies = bodies.to_vec();
    Origin::start(move |asked| {
        let mut response = answer(404, &[], "");
        let path = asked.url.trim_start_matches("https://a.example.org");
        let body = bodies.iter().find(|(of, _)| *of == path);
        *response.body_mut() = buildproxy::proxy::full(body.unwrap().1.clone());
        response
    })
}

/// The one file in the folder of vendored bodies.
fn only_file(scene: &Scene) -> PathBuf {
    let mut files = fs::read_dir(scene.path("proxy_content")).unwrap();
    let file = files.next().unwrap().unwrap().path();
    assert!(files.next().is_none());
    file
}

#[test]
fn two_bodies_whose_hashes_begin_alike_are_two_files() {
    // Found in 55 seconds: the SHA-256 of both begins with c5727f899dae, and these 48 bits were the name.
    let body = |number: u32| format!("{}\n{number}\n", "x".repeat(3000));
    let bodies = [("/one/a", body(16_782_199)), ("/two/a", body(17_705_502))];
    for (_, body) in &bodies {
        let hash = Sri::sha256_of(body.as_bytes());
        assert!(hash.to_hex().starts_with("c5727f899dae"));
    }
    let scene = Scene::new();
    let script = "curl -sS https://a.example.org/one/a https://a.example.org/two/a";
    let captured = scene.capture_script(&origin(&bodies), script).ok();
    assert_eq!(captured.stdout, format!("{}{}", bodies[0].1, bodies[1].1));
    assert_eq!(scene.replay_script(script).ok().stdout, captured.stdout);
}

#[test]
fn a_file_with_the_name_of_an_earlier_version_stays_the_bodys() {
    let scene = Scene::new();
    let body = "x".repeat(5000);
    let hash = Sri::sha256_of(body.as_bytes()).to_hex();
    let file = format!("proxy_content/{}-a", &hash[..12]);
    let inventory = format!(
        "[\n  {{\n    url = \"https://a.example.org/a\";\n    file = ./{file};\n    status_code = 404;\n  }}\n]\n"
    );
    scene.write("proxy_content.nix", &inventory);
    scene.write(&file, &body);
    let script = "curl -sS https://a.example.org/a";
    let origin = origin(&[("/a", body.clone())]);
    scene.capture_script(&origin, script).ok();
    assert_eq!(scene.read("proxy_content.nix"), inventory);
    assert_eq!(only_file(&scene), scene.path(&file));
    assert_eq!(scene.replay_script(script).ok().stdout, body);

    // The same 48 bits are not the same body.
    scene.write(&file, "another body");
    scene.capture_script(&origin, script).ok().says("changed: ");
    assert_eq!(scene.read("proxy_content.nix"), inventory);
    assert_eq!(scene.read(&file), "another body");
}

#[test]
fn a_vendored_file_with_other_bytes_of_the_same_length_is_told_of_and_written_again() {
    let scene = Scene::new();
    let body = "x".repeat(5000);
    let origin = origin(&[("/a", body.clone())]);
    let script = "curl -sSo /dev/null https://a.example.org/a";
    scene.capture_script(&origin, script).ok();
    let file = only_file(&scene);
    for option in [&[][..], &["--update"], &["--replace"]] {
        fs::write(&file, "y".repeat(5000)).unwrap();
        let checked = run(&mut scene.buildproxy(&["check"])).ok();
        let name = file.file_name().unwrap().to_str().unwrap();
        let why = format!("'proxy_content/{name}', has other bytes than its name says");
        assert!(checked.stdout.contains(&why), "{}", checked.stdout);
        let command = [option, &["--", "sh", "-ec", script]].concat();
        let captured = run(&mut scene.capture(&origin, &command)).ok();
        captured.says(&format!("restored: proxy_content/{name}"));
        assert_eq!(fs::read_to_string(&file).unwrap(), body);
        let checked = run(&mut scene.buildproxy(&["check"])).ok();
        assert!(
            !checked.stdout.contains("other bytes"),
            "{}",
            checked.stdout
        );
    }
}

#[test]
fn a_folder_for_vendored_bodies_that_leads_out_is_refused_before_the_command_runs() {
    let scene = Scene::new();
    let origin = origin(&[("/a", "x".repeat(5000))]);
    let elsewhere = scene.root().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let script = "touch ran; curl -sSo /dev/null https://a.example.org/a";
    for target in [
        elsewhere.clone(),
        scene.root().join("dangling"),
        "..".into(),
    ] {
        symlink(&target, scene.path("proxy_content")).unwrap();
        let captured = scene.capture_script(&origin, script).ends_with(1);
        captured
            .says("is a link that leads out of the inventory's folder; put a folder in its place");
        assert!(!scene.path("ran").exists());
        assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);
        fs::remove_file(scene.path("proxy_content")).unwrap();
    }
    // One that stays is the user's own business.
    fs::create_dir(scene.path("bodies")).unwrap();
    symlink("bodies", scene.path("proxy_content")).unwrap();
    scene.capture_script(&origin, script).ok();
    assert_eq!(fs::read_dir(scene.path("bodies")).unwrap().count(), 1);
}

#[test]
fn a_link_of_another_user_in_a_shared_folder_is_not_followed() {
    // Only root can put a link there in the name of somebody else; as any other user, the link is one's own.
    const NOBODY: u32 = 65534;
    let is_root = rustix::process::geteuid().is_root();
    let scene = Scene::new();
    let origin = origin(&[("/a", "short".to_owned())]);
    fs::create_dir(scene.path("shared")).unwrap();
    fs::set_permissions(scene.path("shared"), Permissions::from_mode(0o1777)).unwrap();
    for (option, more) in [("-o", &["--replace"][..]), ("--bundle", &[])] {
        let link = scene.path("shared/link.nix");
        scene.write("victim.nix", "[ ]\n");
        symlink(scene.path("victim.nix"), &link).unwrap();
        if is_root {
            lchown(&link, Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let script = "curl -sSo /dev/null https://a.example.org/a";
        let mut arguments = vec![option, link.to_str().unwrap()];
        arguments.extend(more);
        arguments.extend(["--", "sh", "-ec", script]);
        let captured = run(&mut scene.capture(&origin, &arguments));
        if is_root {
            let captured = captured.ends_with(1);
            captured.says("is a link of another user, in a folder where everybody may write");
            assert_eq!(scene.read("victim.nix"), "[ ]\n");
        } else {
            captured.ok();
            assert_ne!(scene.read("victim.nix"), "[ ]\n");
        }
        assert!(link.is_symlink());
        fs::remove_file(link).unwrap();
    }
}

#[test]
fn a_fifo_or_device_in_place_of_a_body_holds_up_nobody() {
    let scene = Scene::new();
    fs::create_dir(scene.path("proxy_content")).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        scene.path("proxy_content/a"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    let script = "curl -sS -m 20 -o /dev/null -w '%{http_code}' http://a.example.org/a";
    for body in ["./proxy_content/a", "/dev/zero"] {
        let inventory = format!(
            "[\n  {{\n    url = \"http://a.example.org/a\";\n    file = {body};\n  }}\n]\n"
        );
        scene.write("proxy_content.nix", &inventory);
        let replayed = run(&mut scene.buildproxy(&[
            "replay",
            "proxy_content.nix",
            "--strict",
            "--",
            "sh",
            "-c",
            script,
        ]));
        assert_eq!(
            (replayed.status, replayed.stdout.as_str()),
            (4, "500"),
            "{replayed:?}"
        );
        assert!(
            replayed.stderr.contains("it is not a regular file"),
            "{replayed:?}"
        );
        let exported = run(&mut scene.buildproxy(&["export", "--format", "mitm-cache"]));
        let exported = exported.ends_with(1);
        assert!(
            exported.stderr.contains("it is not a regular file"),
            "{exported:?}"
        );
        let checked = run(&mut scene.buildproxy(&["check"])).ends_with(3);
        assert!(checked.stdout.contains("is not a file"), "{checked:?}");
    }
}
