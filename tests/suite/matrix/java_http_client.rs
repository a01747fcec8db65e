//! `java.net.http.HttpClient`.

use super::client::{Client, Explicit, HELLO, Need, Source};

pub(super) const CLIENT: Client = Client {
    name: "Java's HttpClient",
    explicit: Explicit::Yes,
    remarks: "`JAVA_TOOL_OPTIONS` is extended",
    needs: &[Need::Program("javac", "default-jdk-headless")],
    source: Source::Folder(HELLO),
    script: "
        cat >Get.java <<'END'
import java.net.URI;
import java.net.http.*;
import java.nio.file.Path;

public class Get {
  public static void main(String[] arguments) throws Exception {
    var client = HttpClient.newHttpClient();
    for (int i = 0; i < arguments.length; i += 2) {
      var request = HttpRequest.newBuilder(URI.create(arguments[i])).build();
      var answer = client.send(request, HttpResponse.BodyHandlers.ofFile(Path.of(arguments[i + 1])));
      if (answer.statusCode() != 200) System.exit(1);
    }
  }
}
END
        java Get.java https://a.example.org/hello.txt secure http://b.example.org/hello.txt plain",
    results: &["/secure", "/plain"],
};
