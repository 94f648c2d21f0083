//! What an answer of S3 means: decided by its status and a few words, without touching anything.

use super::trouble::{Action, Said, Trouble};

/// Longest message of a keeper that is repeated, in characters.
const MESSAGE_MAX: usize = 200;

/// What becomes of a request after an answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is answered, with success or with one of the refusals that a store is made for: absent, there already.
    Answered,
    /// It is not.
    Trouble {
        /// Why.
        trouble: Trouble,
        /// Whether the same request may be answered a moment later, and does no harm then.
        may_pass: bool,
    },
}

/// An answer as far as it matters. Of an object, the bytes do not.
#[derive(Debug)]
pub(super) struct Answer<'a> {
    pub(super) action: Action,
    pub(super) status: u16,
    /// The region in which the keeper says that the bucket is.
    pub(super) region: Option<&'a str>,
    /// An error, or a listing.
    pub(super) text: &'a str,
}

impl Answer<'_> {
    /// What it means to somebody who believes the bucket in `region`.
    pub(super) fn verdict(&self, region: &str) -> Verdict {
        let said = said(self.text);
        let for_good = |trouble| Verdict::Trouble {
            trouble,
            may_pass: false,
        };
        let passing = |may_pass, said| Verdict::Trouble {
            trouble: Trouble::Failed {
                status: self.status,
                said,
            },
            may_pass,
        };
        let is_s3 = !said.code.is_empty();
        let elsewhere = self.other_region(&said);
        match (self.action, self.status) {
            (Action::List, 200) if !self.text.contains("<ListBucketResult") => for_good(Trouble::NotS3 { status: 200 }),
            (_, 200..=299) => Verdict::Answered,
            (_, 404) if said.code == "NoSuchBucket" => for_good(Trouble::NoBucket),
            (Action::Read, 404) if is_s3 => Verdict::Answered,
            // Some say 304 where 412 is right.
            (Action::Create, 304 | 412) => Verdict::Answered,
            // Somebody else creates the same key at this moment, and who of us did is not decided: neither "done" nor
            // "taken" would be true.
            (Action::Create, 409) => passing(true, said),
            (_, 301 | 307 | 400) if elsewhere.is_some() => for_good(Trouble::OtherRegion {
                expected: region.to_owned(),
                found: elsewhere.unwrap_or_default(),
            }),
            (_, 401 | 403) if is_s3 => for_good(Trouble::Refused { said }),
            // Turned away at the door: nothing has happened.
            (_, 429 | 503) => passing(true, said),
            // Something may have happened. Whoever creates and asks once more would find its own object, and take it
            // for that of another; so that is left to those who know what they publish.
            (Action::Read | Action::List, 408 | 500..=599) => passing(true, said),
            (_, 500..=599) => passing(false, said),
            _ if is_s3 => passing(false, said),
            (_, status) => for_good(Trouble::NotS3 { status }),
        }
    }

    /// Where the bucket is, if this answer says that it is elsewhere.
    fn other_region(&self, said: &Said) -> Option<String> {
        let names_region = matches!(
            said.code.as_str(),
            "PermanentRedirect"
                | "TemporaryRedirect"
                | "AuthorizationHeaderMalformed"
                | "IllegalLocationConstraintException"
        );
        let region = self.region.or_else(|| element(self.text, "Region"));
        let found = region.map(|region| format!("`{}`", visible(region)));
        names_region.then(|| found.unwrap_or_else(|| "another one".to_owned()))
    }
}

/// The error that a text describes; an empty one where it describes none.
fn said(text: &str) -> Said {
    let part = |name| element(text, name).map(visible).unwrap_or_default();
    Said {
        code: part("Code"),
        message: part("Message"),
    }
}

/// What stands in the first element of this name. An error of S3 is flat, so this is all that has to be understood of XML.
fn element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(inner, _)| inner)
}

/// One short line, whatever a stranger wrote.
fn visible(text: &str) -> String {
    let line = text.chars().filter(|character| !character.is_control());
    line.take(MESSAGE_MAX).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(code: &str) -> String {
        format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>in words</Message></Error>")
    }

    fn verdict(action: Action, status: u16, text: &str) -> Verdict {
        let answer = Answer {
            action,
            status,
            region: None,
            text,
        };
        answer.verdict("eu-west-1")
    }

    /// The trouble in words, and whether it may pass.
    fn trouble(action: Action, status: u16, text: &str) -> (String, bool) {
        match verdict(action, status, text) {
            Verdict::Trouble { trouble, may_pass } => (trouble.to_string(), may_pass),
            Verdict::Answered => panic!("{action} {status} is answered"),
        }
    }

    #[test]
    fn success_absence_and_presence_are_answers() {
        assert_eq!(verdict(Action::Read, 200, ""), Verdict::Answered);
        assert_eq!(verdict(Action::Read, 206, ""), Verdict::Answered);
        assert_eq!(verdict(Action::Create, 200, ""), Verdict::Answered);
        let listing = "<?xml version=\"1.0\"?><ListBucketResult xmlns=\"x\"></ListBucketResult>";
        assert_eq!(verdict(Action::List, 200, listing), Verdict::Answered);
        assert_eq!(verdict(Action::Read, 404, &error("NoSuchKey")), Verdict::Answered);
        assert_eq!(
            verdict(Action::Create, 412, &error("PreconditionFailed")),
            Verdict::Answered
        );
        assert_eq!(verdict(Action::Create, 304, ""), Verdict::Answered);
    }

    #[test]
    fn a_conflict_is_neither_done_nor_taken() {
        let (text, may_pass) = trouble(Action::Create, 409, &error("ConditionalRequestConflict"));
        assert_eq!(
            text,
            "expected success, found status 409: `ConditionalRequestConflict` (in words)"
        );
        assert!(may_pass);
    }

    #[test]
    fn only_what_did_nothing_is_created_once_more() {
        for status in [429, 503] {
            assert!(trouble(Action::Create, status, &error("SlowDown")).1, "{status}");
        }
        for status in [500, 502, 504] {
            assert!(!trouble(Action::Create, status, &error("InternalError")).1, "{status}");
            assert!(trouble(Action::Read, status, "").1, "{status}");
            assert!(trouble(Action::List, status, "").1, "{status}");
        }
    }

    #[test]
    fn what_somebody_has_to_repair_is_told_at_once() {
        for (action, status, code, expected) in [
            (
                Action::Read,
                404,
                "NoSuchBucket",
                "expected a bucket of this name, found none",
            ),
            (
                Action::List,
                403,
                "InvalidAccessKeyId",
                "expected credentials that may do this, found `InvalidAccessKeyId` (in words)",
            ),
            (
                Action::Create,
                403,
                "AccessDenied",
                "expected credentials that may do this, found `AccessDenied` (in words)",
            ),
            (
                Action::Read,
                400,
                "AuthorizationHeaderMalformed",
                "expected the bucket in region `eu-west-1`, found it in another one",
            ),
            (
                Action::Create,
                400,
                "EntityTooLarge",
                "expected success, found status 400: `EntityTooLarge` (in words)",
            ),
        ] {
            assert_eq!(trouble(action, status, &error(code)), (expected.to_owned(), false));
        }
        let answer = Answer {
            action: Action::List,
            status: 301,
            region: Some("us-east-2"),
            text: &error("PermanentRedirect"),
        };
        let Verdict::Trouble { trouble, .. } = answer.verdict("eu-west-1") else {
            panic!("a redirection is no answer");
        };
        assert_eq!(
            trouble.to_string(),
            "expected the bucket in region `eu-west-1`, found it in `us-east-2`"
        );
    }

    #[test]
    fn somebody_who_does_not_speak_s3_is_told_so() {
        let page = "<html><body>welcome</body></html>";
        for (action, status) in [
            (Action::List, 200),
            (Action::Read, 404),
            (Action::List, 404),
            (Action::Read, 403),
            (Action::Create, 405),
        ] {
            let expected =
                format!("expected an answer of S3, found status {status} without one: is the endpoint right?");
            assert_eq!(trouble(action, status, page), (expected, false));
        }
    }

    #[test]
    fn a_message_is_one_short_line() {
        let text = format!("<Code>Bad\u{1b}[2J</Code><Message>{}\nrest</Message>", "x".repeat(500));
        let Said { code, message } = said(&text);
        assert_eq!(code, "Bad[2J");
        assert_eq!(message, "x".repeat(MESSAGE_MAX));
        assert_eq!(said("<Code>half"), Said::default());
    }
}
