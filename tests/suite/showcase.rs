//! Builds as they are found, in tests/showcase: captured outside, and then built in Nix's sandbox from
//! the file that was written, with no change to any of them.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use buildproxy::proxy::Body;
use http::{Response, Uri};

use crate::support::{
    Asked, Nix, NixScene, Origin, Scene, answer, checkout, folder, run, system, with_both,
};

with_both![
    cmake_files_that_download_cmake_files_that_download_packages,
    an_npm_package_that_downloads_with_node_itself_when_it_is_installed,
    a_gradle_project_with_dependencies_that_have_parents,
];

/// As the README has it: buildproxy is an input, and the package stands in a file of its own.
const FLAKE: &str = r#"{
  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";
  inputs.buildproxy.url = "path:/overridden";
  inputs.buildproxy.inputs.nixpkgs.follows = "nixpkgs";

  outputs =
    { nixpkgs, buildproxy, ... }:
    {
      packages.SYSTEM.default = nixpkgs.legacyPackages.SYSTEM.callPackage ./package.nix {
        buildproxy = buildproxy.lib.SYSTEM.mkBuildproxy CONTENT;
      };
    };
}"#;

/// Fails, and says what to install, where a program is not in the folder of this machine that builds
/// have in their PATH.
#[track_caller]
fn need_in_sandbox(program: &str, package: &str) {
    let path = Path::new("/usr/bin").join(program);
    assert!(
        path.is_file(),
        "this test needs {}, which Nix's sandbox sees; install it with: apt-get install {package}",
        path.display()
    );
}

/// Copies a file or folder.
fn copy(from: &Path, to: &Path) {
    run(Command::new("cp").arg("-r").args([from, to])).ok();
}

/// What servers answer that each give out a folder, called by their host.
fn serve(root: &Path, asked: &Asked) -> Response<Body> {
    let uri = Uri::try_from(&asked.url).unwrap();
    folder::answer(asked, &root.join(uri.host().unwrap()))
}

/// A flake with a copy of the project, the package that builds it, and an inventory to be written.
fn flake(nix: &Nix, showcase: &str, content: &str) -> NixScene {
    let nix = NixScene::new(nix);
    let flake = FLAKE.replace("SYSTEM", &system());
    nix.write("flake.nix", &flake.replace("CONTENT", content));
    let showcase = checkout("tests/showcase").join(showcase);
    copy(&showcase.join("project"), &nix.file("src"));
    copy(&showcase.join("package.nix"), &nix.file("package.nix"));
    nix
}

/// The URLs that were asked for since, each once.
fn asked_since(origin: &Origin, before: usize) -> BTreeSet<String> {
    let asked = origin.asked().split_off(before);
    asked.into_iter().map(|asked| asked.url).collect()
}

/// What nix-buildproxy was written for.
fn cmake_files_that_download_cmake_files_that_download_packages(nix: &Nix) {
    need_in_sandbox("cmake", "cmake");
    need_in_sandbox("gcc", "gcc");
    need_in_sandbox("make", "make");
    let files = checkout("tests/showcase/cmake");
    let scene = Scene::new();
    copy(&files.join("origin"), &scene.root().join("origin"));
    let packages = scene.root().join("origin/packages.example.org");
    fs::create_dir(&packages).unwrap();
    let mut tar = scene.command("tar");
    tar.arg("-czf").arg(packages.join("greeting-1.2.tar.gz"));
    run(tar.arg("-C").args([&files, Path::new("greeting-1.2")])).ok();
    let root = scene.root().join("origin");
    let origin = Origin::start(move |asked| serve(&root, asked));

    let nix = flake(nix, "cmake", "./proxy_content.nix");
    copy(&files.join("project"), &scene.path("src"));
    let inventory = nix.file("proxy_content.nix");
    let mut capture = scene.capture(&origin, &["-o", inventory.to_str().unwrap()]);
    let script =
        "cmake -S src -B build && cmake --build build && cmake --install build --prefix out";
    run(capture.args(["--", "sh", "-ec", script]))
        .ok()
        .says("5 downloads captured (5 new, 5 pinned, 0 vendored, 0 by redirects)");
    let downloads = [
        "https://cmake.example.org/v2/data.cmake",
        "https://cmake.example.org/v2/packages.cmake",
        "https://cmake.example.org/v2/shared.cmake",
        "https://data.example.org/planets.txt",
        "https://packages.example.org/greeting-1.2.tar.gz",
    ];
    let downloads: BTreeSet<String> = downloads.map(str::to_owned).into();
    assert_eq!(asked_since(&origin, 0), downloads);

    let captured = origin.asked().len();
    let built = nix.build(&origin, &nix.of_flake(""));
    // Nix asked for each pin, and for nothing else.
    assert_eq!(asked_since(&origin, captured), downloads);
    assert_eq!(origin.asked().len(), captured + downloads.len());
    for out in [scene.path("out"), built] {
        let mut almanac = scene.command(out.join("bin/almanac").to_str().unwrap());
        let said = run(almanac.arg(out.join("share/almanac/planets.txt"))).ok();
        let first = said.stdout.lines().next();
        assert_eq!(first, Some("Hello, Mercury!"), "{}", said.stdout);
        assert_eq!(said.stdout.lines().count(), 8, "{}", said.stdout);
    }
}

/// Before 22.21 and 24.5, node's `https` asks no variable for a proxy.
fn an_npm_package_that_downloads_with_node_itself_when_it_is_installed(nix: &Nix) {
    need_in_sandbox("node", "nodejs");
    need_in_sandbox("npm", "npm");
    let release = "https://releases.example.org/codec/v2.1.0/tables.json";
    let object = "https://objects.example.org/codec/tables.json";
    let files = checkout("tests/showcase/npm");
    let root = files.join("origin");
    let origin = Origin::start(move |asked| match asked.url.as_str() {
        url if url == release => answer(302, &[("location", object)], ""),
        _ => serve(&root, asked),
    });

    let nix = flake(
        nix,
        "npm",
        "{ content = ./proxy_content.nix; transparent = true; }",
    );
    let scene = Scene::new();
    copy(&files.join("project"), &scene.path("src"));
    let inventory = nix.file("proxy_content.nix");
    let options = ["--transparent", "-o", inventory.to_str().unwrap()];
    let mut capture = scene.capture(&origin, &options);
    run(capture.args(["--", "sh", "-ec", "cd src && npm install"]))
        .ok()
        // The tables might refer to what is beside them, so the client was given the redirect.
        .says("2 downloads captured (2 new, 1 pinned, 0 vendored, 0 by redirects)");
    let downloads: BTreeSet<String> = [release, object].map(str::to_owned).into();
    assert_eq!(asked_since(&origin, 0), downloads);

    let captured = origin.asked().len();
    let built = nix.build(&origin, &nix.of_flake(""));
    // Nix asked for the one pin, and was redirected.
    assert_eq!(asked_since(&origin, captured), downloads);
    assert_eq!(origin.asked().len(), captured + downloads.len());
    for player in [scene.path("src"), built] {
        let said = run(scene.command("node").arg(player)).ok();
        assert_eq!(said.stdout, "Hello, world!\n");
    }
}

/// By `JAVA_TOOL_OPTIONS` alone: it is all that the capture leaves in gradle's environment.
fn a_gradle_project_with_dependencies_that_have_parents(nix: &Nix) {
    need_in_sandbox("gradle", "gradle");
    need_in_sandbox("javac", "default-jdk-headless");
    let scene = Scene::new();
    let root = scene.root().join("origin");
    let repository = root.join("maven.example.org/maven2");
    let artifacts = [
        ("commons-io/commons-io", "commons-io"),
        ("org/apache/commons/commons-lang3", "commons-lang3"),
        ("org/apache/commons/commons-parent", "commons-parent"),
        ("org/apache/apache", "apache-pom"),
    ];
    for (artifact, package) in artifacts {
        let from = Path::new("/usr/share/maven-repo")
            .join(artifact)
            .join("debian");
        assert!(
            from.is_dir(),
            "this test needs {}; install it with: apt-get install lib{package}-java",
            from.display()
        );
        let to = repository.join(artifact);
        fs::create_dir_all(&to).unwrap();
        // Its jars are links.
        run(Command::new("cp").arg("-rL").args([&from, &to])).ok();
    }
    let origin = Origin::start(move |asked| serve(&root, asked));

    let nix = flake(nix, "gradle", "./proxy_content.nix");
    copy(
        &checkout("tests/showcase/gradle/project"),
        &scene.path("src"),
    );
    let inventory = nix.file("proxy_content.nix");
    let mut capture = scene.capture(&origin, &["-o", inventory.to_str().unwrap()]);
    let script = r#"
        cd src
        exec env -i PATH="$PATH" JAVA_TOOL_OPTIONS="$JAVA_TOOL_OPTIONS" \
            gradle --no-daemon --gradle-user-home "$HOME/gradle" bundle"#;
    run(capture.args(["--", "sh", "-euc", script]))
        .ok()
        .says("6 downloads captured (6 new, 6 pinned, 0 vendored, 0 by redirects)");
    let downloads = asked_since(&origin, 0);
    // Two jars, a POM for each, and the two that both inherit from.
    assert_eq!(downloads.len(), 6, "{downloads:?}");

    let captured = origin.asked().len();
    let built = nix.build(&origin, &nix.of_flake(""));
    assert_eq!(asked_since(&origin, captured), downloads);
    assert_eq!(origin.asked().len(), captured + downloads.len());
    scene.write("news", "hear\nye\n");
    for bundle in [scene.path("src/build/bundle"), built] {
        let mut herald = scene.command("java");
        herald.arg("-cp").arg(bundle.join("*"));
        let said = run(herald.args(["org.example.Herald", "news"])).ok();
        assert_eq!(said.stdout, "********HEAR********\n*********YE*********\n");
    }
}
