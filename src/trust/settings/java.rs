//! What Java virtual machines are set to: by options in variables, and by Gradle's properties.

use std::path::PathBuf;

use super::{
    Client, Person, Route, Setting,
    keyed::find,
    lines::{Line, lines},
    texts,
};

/// The variables by which Java virtual machines are given options, in the order in which they go.
const JAVA: [&str; 9] = [
    "_JAVA_OPTIONS",
    "JDK_JAVA_OPTIONS",
    "MAVEN_OPTS",
    "GRADLE_OPTS",
    "SBT_OPTS",
    "ANT_OPTS",
    "LEIN_JVM_OPTS",
    "JAVA_OPTS",
    "JAVA_TOOL_OPTIONS",
];

/// Gradle turns properties of its files into those of the virtual machine.
pub(super) fn gradle(person: &Person<'_>) -> Option<Setting> {
    let files = [
        gradle_home(person).join(GRADLE_PROPERTIES),
        person.here(GRADLE_PROPERTIES),
    ];
    let files: Vec<_> = texts(&files)
        .map(|(path, text)| (path, lines(&text)))
        .collect();
    let is_proxy = |line: &&Line| line.key.starts_with("systemProp.") && names_a_proxy(&line.key);
    let is_option = |line: &&Line| line.is("org.gradle.jvmargs") && names_a_proxy(&line.value);
    let (place, _) = files
        .iter()
        .find(|(_, lines)| lines.iter().any(|line| is_proxy(&line) || is_option(&line)))?;
    let route = Route::of_java(|name| {
        let key = format!("systemProp.{name}");
        let property = find(&files, &[&key]);
        let options = || find(&files, &["org.gradle.jvmargs"]);
        let (value, _) = match property {
            Some(found) => found,
            None => (
                options().and_then(|(options, _)| option(&options, name))?,
                *place,
            ),
        };
        Some(value)
    });
    Some(Setting {
        client: Client::Gradle,
        key: None,
        place: place.display().to_string(),
        route: Some(route),
        door: None,
    })
}

/// Gradle's file.
pub(in crate::trust) const GRADLE_PROPERTIES: &str = "gradle.properties";

/// Where Gradle has a person's.
pub(super) fn gradle_home(person: &Person<'_>) -> PathBuf {
    match person.variable("GRADLE_USER_HOME") {
        Some(folder) => folder.into(),
        None => person.home(".gradle"),
    }
}

/// Options of virtual machines.
pub(super) fn options(person: &Person<'_>) -> Option<Setting> {
    let named = JAVA.iter().filter_map(|name| {
        let options = person.variable(name)?;
        names_a_proxy(&options).then_some((*name, options))
    });
    let named: Vec<_> = named.collect();
    let (place, _) = named.first()?;
    let route = Route::of_java(|property| {
        let mut all = named.iter();
        all.find_map(|(_, options)| option(options, property))
    });
    Some(Setting {
        client: Client::Java,
        key: None,
        place: (*place).to_owned(),
        route: Some(route),
        door: None,
    })
}

/// Whether options, or a property, lead to a proxy or past one.
pub(in crate::trust) fn names_a_proxy(text: &str) -> bool {
    ["proxyHost", "proxyPort", "nonProxyHosts"]
        .iter()
        .any(|property| text.contains(property))
}

/// The value of a property among options; of two, the last.
fn option(options: &str, property: &str) -> Option<String> {
    let mut words = options.split_whitespace().rev();
    words.find_map(|word| {
        let value = word.strip_prefix("-D")?.strip_prefix(property)?;
        Some(value.strip_prefix('=')?.to_owned())
    })
}
