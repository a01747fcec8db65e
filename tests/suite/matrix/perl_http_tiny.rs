//! Perl's `HTTP::Tiny`.

use super::client::{Client, Explicit, HELLO, Need, Source};

pub(super) const CLIENT: Client = Client {
    name: "Perl's HTTP::Tiny",
    explicit: Explicit::Yes,
    remarks: "",
    needs: &[
        Need::Program("perl", "perl"),
        Need::Part("perl -MIO::Socket::SSL -e 1", "libio-socket-ssl-perl"),
    ],
    source: Source::Folder(HELLO),
    script: "
        cat >get.pl <<'END'
use HTTP::Tiny;
my $agent = HTTP::Tiny->new(verify_SSL => 1);
while (my ($url, $file) = splice(@ARGV, 0, 2)) {
    my $answer = $agent->mirror($url, $file);
    die \"$answer->{status} $answer->{content}\" unless $answer->{success};
}
END
        perl get.pl https://a.example.org/hello.txt secure http://b.example.org/hello.txt plain",
    results: &["/secure", "/plain"],
};
