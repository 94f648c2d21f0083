//! From replies to figures: pure arithmetic.

use std::collections::{BTreeMap, BTreeSet};

use formats::{
    report::{Accuracy, TestScore},
    version::ModelVersion,
};

use crate::probe::Reply;

/// The figures of one set of images.
pub(crate) fn score(replies: &[Reply], accuracy_min: Option<f64>) -> TestScore {
    let answers: Vec<_> = replies.iter().filter_map(|reply| reply.answer.as_ref().ok()).collect();
    let mut times: Vec<u64> = replies
        .iter()
        .filter(|reply| reply.answer.is_ok())
        .map(|reply| u64::try_from(reply.took.as_micros()).unwrap_or(u64::MAX))
        .collect();
    times.sort_unstable();
    TestScore {
        requests: replies.len() as u64,
        failures: (replies.len() - answers.len()) as u64,
        accuracy: Accuracy {
            correct: answers.iter().filter(|answer| answer.is_right).count() as u64,
            total: answers.len() as u64,
        },
        accuracy_min,
        p50_us: percentile(&times, 50),
        p99_us: percentile(&times, 99),
    }
}

/// Whether every request was answered and the threshold, if there is one, is met.
pub(crate) fn passes(score: &TestScore) -> bool {
    let least = score.accuracy_min.unwrap_or(0.0);
    score.failures == 0 && score.accuracy.fraction() >= least
}

/// Every version that answered, once.
pub(crate) fn versions(sets: &[&[Reply]]) -> Vec<ModelVersion> {
    let answers = sets
        .iter()
        .copied()
        .flatten()
        .filter_map(|reply| reply.answer.as_ref().ok());
    let versions: BTreeSet<_> = answers.map(|answer| answer.version.clone()).collect();
    versions.into_iter().collect()
}

/// Why requests failed, with how many did so, the most frequent first.
pub(crate) fn reasons(sets: &[&Vec<Reply>]) -> Vec<(String, usize)> {
    let mut counts: BTreeMap<&String, usize> = BTreeMap::new();
    for reply in sets.iter().copied().flatten() {
        if let Err(reason) = &reply.answer {
            *counts.entry(reason).or_default() += 1;
        }
    }
    let mut reasons: Vec<_> = counts
        .into_iter()
        .map(|(reason, count)| (reason.clone(), count))
        .collect();
    reasons.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    reasons
}

/// The least time that `percent` of all requests did not exceed (nearest rank).
fn percentile(sorted: &[u64], percent: usize) -> u64 {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::probe::Answer;

    fn reply(is_right: bool, us: u64) -> Reply {
        Reply {
            answer: Ok(Answer {
                is_right,
                version: "mnist:3".parse().unwrap(),
            }),
            took: Duration::from_micros(us),
        }
    }

    fn failure(reason: &str) -> Reply {
        Reply {
            answer: Err(reason.to_owned()),
            took: Duration::from_secs(9),
        }
    }

    #[test]
    fn failures_are_no_wrong_answers_and_their_times_do_not_count() {
        let replies = [reply(true, 10), reply(false, 30), reply(true, 20), failure("no answer")];
        let score = score(&replies, Some(0.6));
        assert_eq!((score.requests, score.failures), (4, 1));
        assert_eq!(score.accuracy, Accuracy { correct: 2, total: 3 });
        assert_eq!((score.p50_us, score.p99_us), (20, 30));
    }

    #[test]
    fn a_threshold_can_fail_and_so_can_a_single_request() {
        let good = [reply(true, 1), reply(true, 1), reply(false, 1), reply(true, 1)];
        assert!(passes(&score(&good, Some(0.75))));
        assert!(!passes(&score(&good, Some(0.76))));
        assert!(passes(&score(&good, None)));
        let with_failure = [reply(true, 1), failure("no answer")];
        assert!(!passes(&score(&with_failure, None)));
    }

    #[test]
    fn nothing_answered_meets_no_threshold() {
        assert!(!passes(&score(&[], Some(0.1))));
    }

    #[test]
    fn reasons_are_counted_and_versions_named_once() {
        let replies = vec![
            reply(true, 1),
            failure("b"),
            failure("a"),
            failure("b"),
            reply(false, 1),
        ];
        assert_eq!(reasons(&[&replies]), [("b".to_owned(), 2), ("a".to_owned(), 1)]);
        assert_eq!(versions(&[&replies]), ["mnist:3".parse().unwrap()]);
    }
}
