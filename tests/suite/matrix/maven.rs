//! Maven, from a repository of the distribution's.

use super::client::{Client, Explicit, Need, Source};

pub(super) const CLIENT: Client = Client {
    name: "Maven",
    explicit: Explicit::Yes,
    remarks: "`JAVA_TOOL_OPTIONS` is extended",
    needs: &[
        Need::Program("mvn", "maven"),
        Need::Part(IS_IT, "libplexus-utils2-java"),
    ],
    source: Source::Folder(REPOSITORY),
    // An extension is a jar that Maven needs for itself, without a plugin.
    script: "
        cat >settings.xml <<'END'
<settings><mirrors><mirror>
  <id>all</id><mirrorOf>*</mirrorOf><url>https://maven.example.org/maven2</url>
</mirror></mirrors></settings>
END
        cat >pom.xml <<'END'
<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>org.example</groupId><artifactId>a</artifactId><version>1</version>
  <packaging>pom</packaging>
  <build><extensions><extension>
    <groupId>org.codehaus.plexus</groupId><artifactId>plexus-utils</artifactId>
    <version>debian</version>
  </extension></extensions></build>
</project>
END
        mvn -q -B -s settings.xml -Dmaven.repo.local=$PWD/repository validate",
    results: &["/plexus-utils-debian.jar"],
};

/// Whether what [`REPOSITORY`] takes is there.
pub(super) const IS_IT: &str =
    "test -e /usr/share/maven-repo/org/codehaus/plexus/plexus-utils/debian";

/// A script that makes a repository, `maven2`.
pub(super) const REPOSITORY: &str = "
    mkdir -p maven2/org/codehaus/plexus/plexus-utils
    cp -rL /usr/share/maven-repo/org/codehaus/plexus/plexus-utils/debian \\
        maven2/org/codehaus/plexus/plexus-utils/
    find maven2 -name '*.jar' -o -name '*.pom' | while read -r file; do
        sha1sum <$file | cut -c1-40 | tr -d '\\n' >$file.sha1
    done";
