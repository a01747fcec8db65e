//! Upstreams that break: the client sees it, and nothing is recorded as whole.

use bytes::Bytes;

use super::{case, compare::compare_with};
use crate::support::{End, Framing, ok, redirect};

#[test]
fn failures() {
    compare_with(
        vec![
            case("a length that is too long")
                .at("/x", ok(half()).framed(Framing::Claimed(20_000)))
                .curl("-f https://ONE/x")
                .curl("-f --http1.1 https://ONE/x")
                .curl("-f http://ONE/x")
                .fails(),
            case("a length that is too long, of nothing")
                .at("/x", ok("").framed(Framing::Claimed(1)))
                .curl("-f https://ONE/x")
                .fails(),
            case("chunks that are cut")
                .at("/x", ok(half()).framed(Framing::Chunked).ending(End::Cut))
                .curl("-f https://ONE/x")
                .curl("-f http://ONE/x")
                .fails(),
            case("a length that is too long, and an end that is not said in TLS")
                .at(
                    "/x",
                    ok(half())
                        .framed(Framing::Claimed(20_000))
                        .ending(End::Abrupt),
                )
                .curl("-f https://ONE/x")
                .fails(),
            case("chunks that are cut, and an end that is not said in TLS")
                .at(
                    "/x",
                    ok(half()).framed(Framing::Chunked).ending(End::Abrupt),
                )
                .curl("-f https://ONE/x")
                .fails(),
            case("a reset after half")
                .at(
                    "/x",
                    ok(half())
                        .framed(Framing::Claimed(20_000))
                        .ending(End::Reset),
                )
                .curl("-f https://ONE/x")
                .curl("-f http://ONE/x")
                .fails(),
            case("a reset in chunks")
                .at("/x", ok(half()).framed(Framing::Chunked).ending(End::Reset))
                .curl("-f http://ONE/x")
                .fails(),
            case("a stall")
                .at(
                    "/x",
                    ok(half())
                        .framed(Framing::Claimed(20_000))
                        .ending(End::Stall),
                )
                .curl("-f --max-time 4 https://ONE/x")
                .fails(),
            case("a stall in chunks")
                .at("/x", ok(half()).framed(Framing::Chunked).ending(End::Stall))
                .curl("-f --max-time 4 http://ONE/x")
                .fails(),
            case("a range of what is cut")
                .at("/x", ok(half()).framed(Framing::Claimed(20_000)))
                .curl("-f -r 15000-15010 https://ONE/x")
                .fails(),
            case("a redirect to what is cut")
                .at("/x", redirect(302, "/y.bin"))
                .at("/y.bin", ok(half()).framed(Framing::Claimed(20_000)))
                .curl("-fL https://ONE/x")
                .fails(),
            case("a certificate for another name")
                .at("/x", ok("hello\n"))
                .curl("-f https://WRONG/x")
                .fails(),
            case("no answer at all")
                .at("/x", ok("").ending(End::Silence))
                .curl("-f https://ONE/x")
                .curl("-f http://ONE/x")
                .fails(),
            case("an answer that is none")
                .at("/x", ok("").after("220 smtp.example.org ESMTP\r\n\r\n"))
                .curl("-f http://ONE/x")
                .fails(),
            case("nobody listens")
                .at("/x", redirect(302, "http://127.0.0.1:9/x"))
                .curl("-fL https://ONE/x")
                .fails(),
            case("more than the length says")
                .at("/x", ok("hello, world\n").framed(Framing::Claimed(5)))
                .curl("--http1.1 https://ONE/x")
                .records(|entries| assert_eq!(entries.len(), 1)),
        ],
        &["--stall-timeout", "2"],
    );
}

fn half() -> Bytes {
    Bytes::from(vec![b'x'; 10_000])
}
