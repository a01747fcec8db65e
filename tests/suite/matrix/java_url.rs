//! `java.net.HttpURLConnection`.

use super::client::{Client, Explicit, HELLO, Need, Source};

pub(super) const CLIENT: Client = Client {
    name: "Java's HttpURLConnection",
    explicit: Explicit::Yes,
    remarks: "`JAVA_TOOL_OPTIONS` is extended",
    needs: &[Need::Program("javac", "default-jdk-headless")],
    source: Source::Folder(HELLO),
    script: "
        cat >Get.java <<'END'
import java.net.URI;
import java.nio.file.*;

public class Get {
  public static void main(String[] arguments) throws Exception {
    for (int i = 0; i < arguments.length; i += 2) {
      Files.copy(URI.create(arguments[i]).toURL().openStream(), Path.of(arguments[i + 1]));
    }
  }
}
END
        java Get.java https://a.example.org/hello.txt secure http://b.example.org/hello.txt plain",
    results: &["/secure", "/plain"],
};
