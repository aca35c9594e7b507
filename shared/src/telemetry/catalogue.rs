//! Every metric that Postern tells, in one table: what it counts, in which unit, by which dimensions. The lines for
//! CloudWatch, the local `/metrics`, docs/OPERATIONS.md and the alarms and dashboard of `template.yaml` are held
//! against it.
//!
//! CloudWatch bills each name for each combination of dimensions, so there are few: door and outcome for what comes in,
//! mailbox for failures only, door for freshness only.

/// A way in.
pub const DOOR: &str = "Door";
/// How a copy ended.
pub const OUTCOME: &str = "Outcome";
/// Why it is held.
pub const CAUSE: &str = "Cause";
/// What it was written to.
pub const MAILBOX: &str = "Mailbox";

/// In what a metric is told, in CloudWatch's words (Amazon CloudWatch API Reference, `StandardUnit`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// How many.
    Count,
    /// Milliseconds.
    Milliseconds,
    /// Seconds.
    Seconds,
    /// Octets.
    Bytes,
    /// CloudWatch has no word for it; the name says it.
    None,
}

impl Unit {
    /// CloudWatch's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Count => "Count",
            Self::Milliseconds => "Milliseconds",
            Self::Seconds => "Seconds",
            Self::Bytes => "Bytes",
            Self::None => "None",
        }
    }
}

/// How values of one metric go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// They add up.
    Counter,
    /// The last one counts.
    Gauge,
    /// Their distribution counts.
    Distribution,
}

/// Sets of dimensions; each is a CloudWatch metric of its own for each combination of values.
type Sets = &'static [&'static [&'static str]];

/// Nothing but the stack.
const WHOLE: Sets = &[&[]];

macro_rules! metrics {
    ($($(#[doc = $meaning:literal])+ $name:ident: $kind:ident, $unit:ident, $sets:expr;)+) => {
        /// The metrics.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Metric {
            $($(#[doc = $meaning])+ $name,)+
        }

        impl Metric {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// Its name in CloudWatch.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)+ }
            }

            /// What it says, in words.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$name => concat!($($meaning),+),)+ }
            }

            /// How its values go together.
            #[must_use]
            pub const fn kind(self) -> Kind {
                match self { $(Self::$name => Kind::$kind,)+ }
            }

            /// In what it is told.
            #[must_use]
            pub const fn unit(self) -> Unit {
                match self { $(Self::$name => Unit::$unit,)+ }
            }

            /// By what it is told apart; the stack stands in front of each set.
            #[must_use]
            pub const fn sets(self) -> Sets {
                match self { $(Self::$name => $sets,)+ }
            }
        }
    };
}

metrics! {
    /// Deliveries that a door handed over and that were taken, a provider's retries included.
    Inbound: Counter, Count, &[&[], &[DOOR]];
    /// Copies of mail that came to an end: created, matched, duplicate, held, ignored, failed.
    Mails: Counter, Count, &[&[], &[DOOR, OUTCOME]];
    /// Copies that are safe and were handed to the retry queue.
    Queued: Counter, Count, WHOLE;
    /// Copies that are held, by cause.
    Held: Counter, Count, &[&[CAUSE]];
    /// Copies that ended as failed.
    Failed: Counter, Count, &[&[], &[MAILBOX]];
    /// Mails that reached a ticket later than 60 seconds after the transport took them; polled ones, than 120.
    Late: Counter, Count, WHOLE;
    /// Mails and payloads that could not be read.
    ParseFailures: Counter, Count, WHOLE;
    /// What was wrong with the form of mails that were read all the same.
    ParseDefects: Counter, Count, WHOLE;
    /// From the hand-over of a delivery to its answer.
    ProcessingTime: Distribution, Milliseconds, WHOLE;
    /// From the transport to the commit of the ticket or entry.
    TimeToTicket: Distribution, Milliseconds, WHOLE;
    /// Octets of a mail's attachments, of mails that have some.
    AttachmentBytes: Distribution, Bytes, WHOLE;
    /// Attachments that are not taken out of the raw mail: dangerous, too large, too many.
    AttachmentsRefused: Counter, Count, WHOLE;
    /// Since the last good poll of a mailbox elsewhere, of its folder that is worst off.
    Freshness: Gauge, Seconds, &[&[], &[DOOR]];
    /// Hours since the oldest held mail came.
    OldestHeldHours: Gauge, None, WHOLE;
    /// Raw objects that nobody had accounted for after 15 minutes.
    Unaccounted: Counter, Count, WHOLE;
    /// Since a letter of a queue was first taken, of one that comes again.
    Waiting: Gauge, Seconds, WHOLE;
    /// Ticket events that were still due after 10 minutes.
    OutboxSwept: Counter, Count, WHOLE;
    /// Letters written again for mail that waits at its provider.
    FetchesRetold: Counter, Count, WHOLE;
    /// Fetches that a provider refused for want of a right key.
    FetchUnauthorized: Counter, Count, WHOLE;
    /// Stored mail that no webhook had told of.
    Reconciled: Counter, Count, WHOLE;
    /// Failed mail that its provider was asked to deliver again.
    Redriven: Counter, Count, WHOLE;
    /// Tickets that stand for a mail too large to come.
    Stubs: Counter, Count, WHOLE;
    /// Looks at a provider's list that broke off.
    ReconcileBroken: Counter, Count, WHOLE;
    /// Tickets closed by the schedule.
    TicketsAutoClosed: Counter, Count, WHOLE;
    /// Messages that polls brought in.
    Polled: Counter, Count, WHOLE;
    /// Polls that came to no good end.
    PollTrouble: Counter, Count, WHOLE;
    /// Messages that were gone when a poll came to them.
    PollVanished: Counter, Count, WHOLE;
    /// Messages that polls left aside.
    PollParked: Counter, Count, WHOLE;
    /// Polled folders whose messages were numbered anew.
    PollResync: Counter, Count, WHOLE;
    /// Polled doors whose credentials were refused three times.
    DoorPaused: Counter, Count, WHOLE;
}
