//! Why a request or a connection is turned away.

/// Gives each reason its name in the metrics, so that none can be without.
macro_rules! reasons {
    ($($(#[$doc:meta])* $reason:ident = $name:literal,)+) => {
        /// Why a request or a connection is turned away. Each limit has one.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Reason {
            $($(#[$doc])* $reason,)+
        }

        impl Reason {
            /// The values of the label `reason`, in the order of the reasons.
            pub(super) const NAMES: [&'static str; [$($name),+].len()] = [$($name),+];
        }
    };
}

reasons! {
    /// As many requests are worked on as may be.
    Overload = "overload",
    /// The applications are still being loaded.
    NotReady = "not_ready",
    /// A body longer than it may be.
    BodyTooLarge = "body_too_large",
    /// More images than one request may have.
    TooManyImages = "too_many_images",
    /// A request that took too long.
    TimeOut = "time_out",
    /// The server is about to end.
    Leaving = "leaving",
    /// A body that does not arrive in time.
    BodyTimeOut = "body_time_out",
    /// As many connections are open as may be.
    Connections = "connections",
    /// No whole head of a request in time.
    HeaderTimeOut = "header_time_out",
    /// A head that is longer, or has more headers, than it may.
    HeaderTooLarge = "header_too_large",
    /// No TLS, or one that cannot be agreed on.
    Handshake = "handshake",
    /// Bytes that are not HTTP.
    Malformed = "malformed",
    /// Nothing was taken of an answer in time.
    WriteTimeOut = "write_time_out",
    /// No further request in time.
    IdleTimeOut = "idle_time_out",
    /// Too many requests were given up.
    Resets = "http2_resets",
    /// A request without the token or key that it takes.
    Unauthorized = "unauthorized",
}
