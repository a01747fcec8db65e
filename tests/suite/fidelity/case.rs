//! One case: what an origin answers, and what a client asks.

use buildproxy::inventory::Entry;

use crate::support::{Heard, Reply};

type Answer = Box<dyn Fn(&Heard) -> Reply + Send + Sync>;
type Inventory = Box<dyn Fn(&[Entry]) + Send + Sync>;
type Upstream = Box<dyn Fn(&[Heard]) + Send + Sync>;

/// What a client does.
#[derive(Clone, Debug)]
pub(super) struct Step {
    /// The arguments of curl, for a shell. See [`Case::curl`].
    pub(super) arguments: String,
    /// What the file that curl writes to has in it before.
    pub(super) there: Option<&'static str>,
}

/// What three runs may differ in, and why that is legal. Anything else is compared; and that there is
/// a difference is checked as well, so that nothing stays loosened that need not be.
#[derive(Clone, Debug)]
pub(super) struct Difference {
    /// A header, or `exit` for the number of a failure that stays one.
    pub(super) what: &'static str,
    #[expect(dead_code, reason = "for those who read the table")]
    pub(super) why: &'static str,
}

/// What the three runs of a case are to have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expect {
    /// All that a client can see.
    Same,
    /// That the client fails, and nothing is recorded.
    Failure,
}

/// One case.
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) routes: Vec<(&'static str, Answer)>,
    pub(super) steps: Vec<Step>,
    pub(super) differences: Vec<Difference>,
    pub(super) expect: Expect,
    pub(super) inventory: Option<Inventory>,
    pub(super) upstream: Option<Upstream>,
}

/// A case of this name, with nothing to it yet.
pub(super) fn case(name: &'static str) -> Case {
    Case {
        name,
        routes: Vec::new(),
        steps: Vec::new(),
        differences: Vec::new(),
        expect: Expect::Same,
        inventory: None,
        upstream: None,
    }
}

impl Case {
    /// On all hosts of the case, `target` (path and query, verbatim) gives `reply`.
    pub(super) fn at(self, target: &'static str, reply: Reply) -> Self {
        self.serve(target, move |_| reply.clone())
    }

    /// On all hosts of the case, `target` (path and query, verbatim) is answered by `answer`.
    pub(super) fn serve(
        mut self,
        target: &'static str,
        answer: impl Fn(&Heard) -> Reply + Send + Sync + 'static,
    ) -> Self {
        self.routes.push((target, Box::new(answer)));
        self
    }

    /// The client is curl, with these arguments. In them, `ONE` and `TWO` stand for two hosts of the
    /// case, `LOUD` for the first in capitals, `H2` for one that speaks HTTP/2, `WRONG` for one with another's certificate, `HTTP_IP` and `HTTPS_IP` for the origin's address and
    /// port, `CASE` for what makes a path its own where the host does not.
    pub(super) fn curl(mut self, arguments: &str) -> Self {
        self.steps.push(Step {
            arguments: arguments.to_owned(),
            there: None,
        });
        self
    }

    /// The same, where a part of the file is there already.
    pub(super) fn resumed(self, there: &'static str, arguments: &str) -> Self {
        let mut case = self.curl(arguments);
        case.steps.last_mut().unwrap().there = Some(there);
        case
    }

    /// The runs may differ in this, because of that.
    pub(super) fn differs(mut self, what: &'static str, why: &'static str) -> Self {
        self.differences.push(Difference { what, why });
        self
    }

    /// The client fails in all three runs, and nothing is recorded.
    pub(super) fn fails(mut self) -> Self {
        self.expect = Expect::Failure;
        self
    }

    /// What was recorded of the case is as `check` says.
    pub(super) fn records(mut self, check: impl Fn(&[Entry]) + Send + Sync + 'static) -> Self {
        self.inventory = Some(Box::new(check));
        self
    }

    /// What upstream heard during the capture is as `check` says.
    pub(super) fn asks(mut self, check: impl Fn(&[Heard]) + Send + Sync + 'static) -> Self {
        self.upstream = Some(Box::new(check));
        self
    }
}
