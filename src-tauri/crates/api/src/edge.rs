//! The real clock and fresh ids. Everything else asks through the trait.

use cairn_core::edge::Edge;

/// This computer's clock and time zone, and UUID v7.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemEdge;

impl Edge for SystemEdge {
    fn now_ms(&self) -> i64 {
        jiff::Timestamp::now().as_millisecond()
    }
    fn tz_minutes(&self) -> i16 {
        let seconds = jiff::Zoned::now().offset().seconds();
        i16::try_from(seconds / 60).unwrap_or(0)
    }
    fn new_id(&self) -> String {
        uuid::Uuid::now_v7().to_string()
    }
}

/// Milliseconds since 1970 as RFC 3339 in UTC.
pub fn rfc3339(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).map_or_else(|_| format!("{ms} ms"), |t| t.to_string())
}

/// The day as people write it, such as 21 November 2026.
pub fn day(ms: i64, tz_minutes: i16) -> String {
    let local = jiff::Timestamp::from_millisecond(ms + i64::from(tz_minutes) * 60_000).map(|t| t.to_zoned(jiff::tz::TimeZone::UTC));
    local.map_or_else(|_| String::new(), |t| t.strftime("%-d %B %Y").to_string())
}

/// Milliseconds since 1970 as RFC 3339 at an offset of some minutes.
pub fn rfc3339_at(ms: i64, tz_minutes: i16) -> String {
    let offset = jiff::tz::Offset::from_seconds(i32::from(tz_minutes) * 60);
    match (jiff::Timestamp::from_millisecond(ms), offset) {
        (Ok(at), Ok(offset)) => at.display_with_offset(offset).to_string(),
        _ => rfc3339(ms),
    }
}
