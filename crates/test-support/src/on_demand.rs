//! Tests that run only where they are asked for.

use std::env;
use std::io::{self, Write};
use std::thread;

/// Why a test is not part of every run, and the variable that asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnDemand {
    /// It runs programs of other people, which a package registry has: `RUN_INTEROP_TESTS=1`.
    Interop,
    /// It needs a Kubernetes cluster with our image: `RUN_CLUSTER_TESTS=1`.
    Cluster,
    /// It needs root, and BuildKit's `buildkitd` and `buildctl`, which no package of Debian has: `RUN_BUILDKIT_TESTS=1`.
    BuildKit,
    /// It takes minutes or gigabytes: `RUN_SLOW_TESTS=1`.
    Slow,
}

impl OnDemand {
    /// Whether the test shall run; where not, the reason is printed and the test returns at once.
    ///
    /// The reason goes past the test harness, which shows what a test prints only if it fails: nobody shall take a test
    /// that did nothing for one that passed.
    pub fn is_asked_for(self) -> bool {
        let variable = self.variable();
        let asked = env::var_os(variable).is_some_and(|value| value == "1");
        if !asked {
            let test = thread::current();
            let name = test.name().unwrap_or("a test");
            let reason = self.reason();
            // A closed stderr is no reason to fail.
            let _ = writeln!(
                io::stderr(),
                "{name} does nothing: it {reason}, and runs with {variable}=1"
            );
        }
        asked
    }

    fn variable(self) -> &'static str {
        match self {
            Self::Interop => "RUN_INTEROP_TESTS",
            Self::Cluster => "RUN_CLUSTER_TESTS",
            Self::BuildKit => "RUN_BUILDKIT_TESTS",
            Self::Slow => "RUN_SLOW_TESTS",
        }
    }

    fn reason(self) -> &'static str {
        match self {
            Self::Interop => "needs Python and packages from the registry",
            Self::Cluster => "needs a Kubernetes cluster with our image",
            Self::BuildKit => "needs root, and `buildkitd` and `buildctl` on the PATH",
            Self::Slow => "takes minutes or gigabytes",
        }
    }
}
