//! What the domain may never ask of the world itself, as a trait that callers pass in.

/// The clock, the time zone and fresh identifiers. The program has one; tests have a fixed one.
pub trait Edge: Send + Sync {
    /// Milliseconds since 1970-01-01 UTC.
    fn now_ms(&self) -> i64;
    /// Minutes east of UTC, -840 to 840: an audit entry tells the wall clock of who acted.
    fn tz_minutes(&self) -> i16;
    /// A new UUID v7 as text. Unique; sorts by time.
    fn new_id(&self) -> String;
}
