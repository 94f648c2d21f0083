//! The end of a program: its exit code, or its error with every cause and one hint.

use std::{error::Error, fmt, process::ExitCode};

use crate::{exit, output};

/// Marks an error as one that may pass: the program ends with [`exit::TEMPORARY`] instead of [`exit::NO`].
///
/// Attach it with `.context(Temporary("the server does not answer"))`; its text is shown like any other context.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Temporary(pub &'static str);

impl fmt::Display for Temporary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)
    }
}

impl Error for Temporary {}

/// Ends a program: passes its exit code on, or reports its error with the program's own hint.
///
/// `hint` sees the whole error and returns what to type next, where there is something.
pub fn finish(result: anyhow::Result<ExitCode>, hint: fn(&anyhow::Error) -> Option<String>) -> ExitCode {
    match result {
        Ok(code) => code,
        Err(error) => {
            output::say(render(&error, hint(&error)).trim_end());
            ExitCode::from(code_of(&error))
        }
    }
}

fn code_of(error: &anyhow::Error) -> u8 {
    // `downcast_ref` also finds a `Temporary` that was attached as context, at any depth of contexts.
    if error.downcast_ref::<Temporary>().is_some() {
        exit::TEMPORARY
    } else {
        exit::NO
    }
}

fn render(error: &anyhow::Error, hint: Option<String>) -> String {
    let mut text = format!("error: {error}\n");
    for cause in error.chain().skip(1) {
        text += &format!("  because: {cause}\n");
    }
    if let Some(hint) = hint {
        text += &format!("\nhint: {hint}\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use anyhow::{Context, anyhow};
    use expect_test::expect;

    use super::*;

    #[test]
    fn a_report_names_every_cause_and_the_hint() {
        let error = anyhow!("entity not found")
            .context("cannot open `data/mnist/train-images-idx3-ubyte`")
            .context("cannot load the training set");
        expect![[r#"
            error: cannot load the training set
              because: cannot open `data/mnist/train-images-idx3-ubyte`
              because: entity not found

            hint: `mnist-data download` fetches the files
        "#]]
        .assert_eq(&render(
            &error,
            Some("`mnist-data download` fetches the files".to_owned()),
        ));
    }

    #[test]
    fn only_an_error_marked_as_temporary_is_worth_another_attempt() {
        let refused: anyhow::Result<()> = Err(anyhow!("connection refused"));
        let temporary = refused
            .context(Temporary("the server does not answer"))
            .context("cannot upload");
        assert_eq!(code_of(&temporary.unwrap_err()), exit::TEMPORARY);
        assert_eq!(code_of(&anyhow!("wrong digest")), exit::NO);
    }
}
