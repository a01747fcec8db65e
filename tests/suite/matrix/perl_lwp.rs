//! Perl's LWP.

use super::client::{Client, Explicit, HELLO, Need, Source};

pub(super) const CLIENT: Client = Client {
    name: "Perl's LWP",
    explicit: Explicit::Yes,
    remarks: "",
    needs: &[
        Need::Program("perl", "perl"),
        Need::Part(
            "perl -MLWP::UserAgent -MLWP::Protocol::https -e 1",
            "liblwp-protocol-https-perl",
        ),
    ],
    source: Source::Folder(HELLO),
    script: "
        cat >get.pl <<'END'
use LWP::UserAgent;
my $agent = LWP::UserAgent->new(env_proxy => 1);
while (my ($url, $file) = splice(@ARGV, 0, 2)) {
    my $answer = $agent->get($url, ':content_file' => $file);
    die $answer->status_line unless $answer->is_success;
}
END
        perl get.pl https://a.example.org/hello.txt secure http://b.example.org/hello.txt plain",
    results: &["/secure", "/plain"],
};
