//! Gradle, from a repository of the distribution's.

use super::{
    client::{Client, Explicit, Need, Source},
    maven,
};

pub(super) const CLIENT: Client = Client {
    name: "Gradle",
    explicit: Explicit::Yes,
    remarks: "`JAVA_TOOL_OPTIONS` is extended; stop a daemon that runs already",
    needs: &[
        Need::Program("gradle", "gradle"),
        Need::Part(maven::IS_IT, "libplexus-utils2-java"),
    ],
    source: Source::Folder(maven::REPOSITORY),
    script: "
        touch settings.gradle
        cat >build.gradle <<'END'
repositories { maven { url 'https://maven.example.org/maven2' } }
configurations { libraries }
dependencies { libraries 'org.codehaus.plexus:plexus-utils:debian' }
task fetch(type: Copy) { from configurations.libraries; into 'libraries' }
END
        gradle --no-daemon -q --gradle-user-home $PWD/gradle fetch",
    results: &["/libraries/plexus-utils-debian.jar"],
};
