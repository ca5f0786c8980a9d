//! Hybrid logical clock: only breaks ties between concurrent edits of one field.
//!
//! Authority never looks at it: whoever holds a key can write any time into an operation.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Milliseconds since 1970 and a counter within the millisecond.
/// Text form `{ms:012x}.{counter:08x}`, which sorts as the values do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hlc {
    pub ms: u64,
    pub counter: u32,
}

/// Why a text is no clock value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a clock value looks like 01977420dc00.00000003")]
pub struct BadHlc;

/// The latest time that a line may claim: 2200-01-01. A fixed bound, so that every computer refuses
/// the same lines whatever its own clock says.
pub const MS_MAX: u64 = 7_258_118_400_000;
/// The latest time of others that the own clock follows: 2100-01-01. Between the two nobody can push
/// a team against the bound, where no later value would be left.
pub const FOLLOW_MAX: u64 = 4_102_444_800_000;

impl Hlc {
    pub const ZERO: Self = Self { ms: 0, counter: 0 };

    /// The next value after `self` when the wall clock says `now_ms`. Always greater than `self`,
    /// even when the wall clock went backwards.
    pub fn tick(self, now_ms: i64) -> Self {
        let now = u64::try_from(now_ms).unwrap_or(0).min(MS_MAX);
        if now > self.ms {
            return Self { ms: now, counter: 0 };
        }
        match self.counter.checked_add(1) {
            Some(counter) => Self { ms: self.ms, counter },
            None => Self { ms: (self.ms + 1).min(MS_MAX), counter: 0 },
        }
    }
}

impl fmt::Display for Hlc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:012x}.{:08x}", self.ms, self.counter)
    }
}
impl From<Hlc> for String {
    fn from(hlc: Hlc) -> String {
        hlc.to_string()
    }
}
impl TryFrom<String> for Hlc {
    type Error = BadHlc;
    fn try_from(raw: String) -> Result<Self, BadHlc> {
        let (ms, counter) = raw.split_once('.').ok_or(BadHlc)?;
        if ms.len() != 12 || counter.len() != 8 {
            return Err(BadHlc);
        }
        let hlc =
            Self { ms: u64::from_str_radix(ms, 16).map_err(|_| BadHlc)?, counter: u32::from_str_radix(counter, 16).map_err(|_| BadHlc)? };
        // One value has one text: "+1" or upper case would give two.
        if hlc.to_string() == raw && hlc.ms <= MS_MAX { Ok(hlc) } else { Err(BadHlc) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_jumps_back_still_moves_forward() {
        let late = Hlc::ZERO.tick(1_000);
        let next = late.tick(5);
        assert!(next > late, "later writes must win over earlier ones of the same device");
        let full = Hlc { ms: 7, counter: u32::MAX };
        assert_eq!(full.tick(0), Hlc { ms: 8, counter: 0 }, "a full counter carries");
    }

    #[test]
    fn the_text_form_sorts_as_the_value_does() {
        let a = Hlc { ms: 255, counter: 9 };
        let b = Hlc { ms: 256, counter: 0 };
        assert!(a.to_string() < b.to_string());
        assert_eq!(Hlc::try_from(a.to_string()), Ok(a));
        assert_eq!(Hlc::try_from("0000000000FF.00000009".to_owned()), Err(BadHlc));
    }
}
