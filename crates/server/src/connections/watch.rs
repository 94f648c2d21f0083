//! Who watches the time of a connection, and ends it.
//!
//! One timer serves all limits of a connection. It is set when the connection opens, fires early rather than late, and is
//! only then set to what is left: a request neither makes, moves nor asks for it.

use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    task::{Context, Poll},
    time::Duration,
};

use hyper_util::server::graceful::GracefulConnection;
use tokio::{
    sync::futures::Notified,
    task::coop::unconstrained,
    time::{Instant, Sleep, sleep_until},
};

use crate::{
    connections::activity::{Activity, Moment, Phase},
    life::{Life, Stage},
    metrics::Reason,
    settings::ConnectionLimits,
};

/// Longest wait for the end of what a client sends and nobody reads.
const LINGER_MAX: Duration = Duration::from_secs(1);

/// How a connection ended.
#[derive(Debug)]
pub(super) enum End<T> {
    /// Both sides were done, or the client broke off.
    Done(T),
    /// By us, at a limit, or because the server ends.
    Cut(Option<Reason>),
}

/// What is watched, and against which limits.
pub(super) struct Watch<'a> {
    pub(super) activity: &'a Activity,
    pub(super) limits: &'a ConnectionLimits,
    pub(super) life: &'a Life,
    /// How long an idle connection stays once the server closes, in case its next request is on its way.
    pub(super) last_idle_max: Duration,
    pub(super) is_http2: bool,
}

/// The time of one connection.
struct Clock<'a, 'b> {
    watch: &'a Watch<'b>,
    timer: Pin<&'a mut Sleep>,
    is_set: bool,
    stage: Stage,
    /// What was going on at the last look.
    seen: Moment,
    /// Since when it was.
    since: Instant,
}

impl Watch<'_> {
    /// Waits for what comes before HTTP: a handshake, the first bytes.
    pub(super) async fn over<F: Future>(&self, opening: F, opened: Instant) -> End<F::Output> {
        self.drive(pin!(opening), |_| {}, opened).await
    }

    /// Waits for the end of an HTTP connection, and asks it to finish when the server does.
    pub(super) async fn over_http<C: GracefulConnection>(&self, connection: C, opened: Instant) -> End<C::Output> {
        self.drive(pin!(connection), C::graceful_shutdown, opened).await
    }

    async fn drive<F: Future>(
        &self,
        mut work: Pin<&mut F>,
        finish: impl Fn(Pin<&mut F>),
        opened: Instant,
    ) -> End<F::Output> {
        let mut changed = pin!(self.life.changed());
        let timer = pin!(sleep_until(opened + self.limits.header_timeout));
        let mut clock = Clock {
            watch: self,
            timer,
            is_set: false,
            stage: Stage::Running,
            seen: self.activity.moment(self.is_http2),
            since: opened,
        };
        let mut follows = false;
        poll_fn(move |context| {
            if let Poll::Ready(output) = work.as_mut().poll(context) {
                return Poll::Ready(End::Done(output));
            }
            // What is asked once wakes the task that asked, and that is always this one: no need to ask at each turn.
            if !follows || self.life.stage() != clock.stage {
                follows = true;
                let is_last = clock.follow(changed.as_mut(), context);
                if is_last {
                    finish(work.as_mut());
                    if let Poll::Ready(output) = work.as_mut().poll(context) {
                        return Poll::Ready(End::Done(output));
                    }
                }
            }
            clock.look(context)
        })
        .await
    }

    /// How long a phase may last, and why the connection is cut then.
    fn limit(&self, phase: Phase, stage: Stage) -> Option<(Duration, Option<Reason>)> {
        let limits = self.limits;
        Some(match phase {
            Phase::Silent | Phase::Idle if stage >= Stage::Closing => (self.last_idle_max, None),
            // It was told to leave, and has no request that it could lose.
            Phase::Head if stage >= Stage::Closing && self.is_http2 => (self.last_idle_max, None),
            Phase::Silent | Phase::Head => (limits.header_timeout, Some(Reason::HeaderTimeOut)),
            Phase::Working => return None,
            Phase::Answering | Phase::Blocked => (limits.write_timeout, Some(Reason::WriteTimeOut)),
            Phase::Idle => (limits.idle_timeout, Some(Reason::IdleTimeOut)),
            Phase::Lingering => (LINGER_MAX, None),
        })
    }
}

impl<'a> Clock<'_, 'a> {
    /// Takes note of the server's stage. `true`: the connection is to be asked to finish.
    ///
    /// An HTTP/1.1 client without a request may just be sending one. It is not cut off; the answer tells it to leave.
    fn follow(&mut self, mut changed: Pin<&mut Notified<'a>>, context: &mut Context<'_>) -> bool {
        let before = self.stage;
        loop {
            changed.set(self.watch.life.changed());
            self.stage = self.watch.life.stage();
            if pin!(unconstrained(changed.as_mut())).poll(context).is_pending() {
                break;
            }
        }
        let phase = self.watch.activity.moment(self.watch.is_http2).phase;
        let is_between = matches!(phase, Phase::Silent | Phase::Head | Phase::Idle);
        before < Stage::Closing && self.stage >= Stage::Closing && (self.watch.is_http2 || !is_between)
    }

    /// Whether the connection is to be cut now. If not, the timer is set, and its task is woken in time.
    fn look<T>(&mut self, context: &mut Context<'_>) -> Poll<End<T>> {
        let Watch {
            activity,
            limits,
            is_http2,
            ..
        } = *self.watch;
        if self.stage == Stage::Ended {
            return Poll::Ready(End::Cut(None));
        }
        if is_http2 && activity.n_resets() > limits.http2_resets_max {
            return Poll::Ready(End::Cut(Some(Reason::Resets)));
        }
        let moment = activity.moment(is_http2);
        if moment != self.seen {
            // The first byte alone buys no time.
            if self.seen.phase != Phase::Silent || moment.phase != Phase::Head {
                self.since = Instant::now();
            }
            self.seen = moment;
        }
        let Some((limit, reason)) = self.watch.limit(moment.phase, self.stage) else {
            return Poll::Pending;
        };
        let deadline = self.since + limit;
        if self.timer.is_elapsed() && Instant::now() >= deadline {
            return Poll::Ready(End::Cut(reason));
        }
        if !self.is_set || self.timer.is_elapsed() || self.timer.deadline() > deadline {
            self.is_set = true;
            self.timer.as_mut().reset(deadline);
            // It may be late already; then there is no need to wait for it.
            if pin!(unconstrained(self.timer.as_mut())).poll(context).is_ready() {
                return Poll::Ready(End::Cut(reason));
            }
        }
        Poll::Pending
    }
}
