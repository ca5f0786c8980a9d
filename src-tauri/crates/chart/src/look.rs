//! How lines are told apart: a colour, and beyond eight a dash and a marker. A run keeps its look wherever it is drawn
//! with the same others, and mostly also among different ones.

/// Dashes, in CSS pixels; the first is a whole line.
pub const DASHES: [&[u32]; 4] = [&[], &[8, 4], &[2, 3], &[10, 3, 2, 3]];
/// Colours of a theme.
pub const COLOURS: usize = 8;

/// What a line looks like: a place in the palette, in [`DASHES`] and among the markers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Look {
    pub colour: usize,
    pub dash: usize,
}

impl Look {
    pub const ALL: usize = COLOURS * DASHES.len();

    fn nth(n: usize) -> Self {
        Self { colour: n % COLOURS, dash: n / COLOURS % DASHES.len() }
    }
}

/// Looks for some names, each different while there are enough. A name has its favourite by its own letters (FNV-1a) and
/// gets it unless one that comes before it in the alphabet has it: so neither order nor neighbours change much.
pub fn assign<S: AsRef<str>>(names: &[S]) -> Vec<Look> {
    let mut order: Vec<usize> = (0..names.len()).collect();
    order.sort_by(|a, b| names[*a].as_ref().cmp(names[*b].as_ref()));
    let mut out = vec![Look::default(); names.len()];
    let mut taken = [false; Look::ALL];
    let mut round = 0;
    for (n, i) in order.into_iter().enumerate() {
        if n / Look::ALL > round {
            round = n / Look::ALL;
            taken = [false; Look::ALL];
        }
        let favourite = hash(names[i].as_ref()) as usize % COLOURS;
        // Other colours first, then other dashes.
        let free = (0..Look::ALL).map(|k| (favourite + k) % COLOURS + k / COLOURS * COLOURS).find(|n| !taken[*n]).unwrap_or(favourite);
        taken[free] = true;
        out[i] = Look::nth(free);
    }
    out
}

fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3)) >> 7
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_told_apart_and_keep_their_look() {
        let names: Vec<String> = (0..32).map(|i| format!("run-{i}")).collect();
        let looks = assign(&names);
        let mut seen: Vec<(usize, usize)> = looks.iter().map(|l| (l.colour, l.dash)).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 32, "thirty-two lines are all different");
        let mut turned = names.clone();
        turned.reverse();
        let mut other = assign(&turned);
        other.reverse();
        assert_eq!(other, looks, "the order in which they come changes nothing");
        assert!(assign(&names[..8]).iter().all(|l| l.dash == 0), "eight need no dashes");
        assert_eq!(assign(&["run-3"])[0].dash, 0);
        assert_eq!(assign(&(0..100).map(|i| i.to_string()).collect::<Vec<_>>()).len(), 100);
        assert!(assign::<&str>(&[]).is_empty());
    }
}
