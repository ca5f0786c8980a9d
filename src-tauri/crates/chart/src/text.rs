//! Numbers and times as an axis and a sentence show them.

/// At most four significant digits, thousands as `12k`.
pub fn number(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 {
        return "0".to_owned();
    }
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "∞" } else { "−∞" }.to_owned();
    }
    if !(1e-3..1e9).contains(&size) {
        return format!("{value:.1e}");
    }
    let (value, unit) = match size {
        s if s >= 1e6 => (value / 1e6, "M"),
        s if s >= 1e4 => (value / 1e3, "k"),
        _ => (value, ""),
    };
    let digits = (3 - value.abs().log10().floor() as i32).clamp(0, 6) as usize;
    let text = format!("{value:.digits$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text}{unit}")
}

/// A length of time: `45 s`, `3 min`, `2.5 h`.
pub fn span_of_time(ms: f64) -> String {
    let plain = |v: f64, unit: &str| {
        let text = format!("{v:.1}");
        format!("{} {unit}", text.trim_end_matches(".0"))
    };
    match ms.abs() {
        0.0 => "0".to_owned(),
        m if m < 1e3 => plain(ms, "ms"),
        m if m < 60e3 => plain(ms / 1e3, "s"),
        m if m < 3_600e3 => plain(ms / 60e3, "min"),
        m if m < 172_800e3 => plain(ms / 3_600e3, "h"),
        _ => plain(ms / 86_400e3, "d"),
    }
}

/// A moment in UTC, no finer than the distance to the next needs: `14:05`, `3 Nov`, `3 Nov 2025`.
pub fn clock(ms: f64, apart: f64) -> String {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let ms = ms.clamp(-6e13, 2.5e14) as i64;
    let (days, rest) = (ms.div_euclid(86_400_000), ms.rem_euclid(86_400_000));
    let (year, month, day) = date(days);
    let name = MONTHS.get(month as usize - 1).copied().unwrap_or_default();
    let (h, m, s, thousandths) = (rest / 3_600_000, rest / 60_000 % 60, rest / 1_000 % 60, rest % 1_000);
    match apart {
        a if a < 1e3 => format!("{h:02}:{m:02}:{s:02}.{thousandths:03}"),
        a if a < 60e3 => format!("{h:02}:{m:02}:{s:02}"),
        // Midnight says which day begins.
        a if a < 86_400e3 && rest > 0 => format!("{h:02}:{m:02}"),
        a if a < 86_400e3 * 60.0 => format!("{day} {name}"),
        _ => format!("{day} {name} {year}"),
    }
}

/// Year, month and day of a day counted from 1970: Howard Hinnant's `civil_from_days`.
fn date(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    (yoe + era * 400 + i64::from(month <= 2), month, doy - (153 * mp + 2) / 5 + 1)
}

/// Text inside of XML.
pub fn escape(text: &str) -> String {
    text.chars()
        // XML has no place for most control characters.
        .filter(|c| !c.is_control() || matches!(c, '\n' | '\t'))
        .collect::<String>()
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// At most `most` characters, cut in the middle: beginnings and ends tell names apart.
pub fn cut(text: &str, most: usize) -> String {
    let all: Vec<char> = text.chars().collect();
    if all.len() <= most || most < 5 {
        return text.to_owned();
    }
    let head = (most - 1) / 2;
    let tail = most - 1 - head;
    format!("{}…{}", all[..head].iter().collect::<String>(), all[all.len() - tail..].iter().collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_on_an_axis_are_short() {
        for (value, text) in
            [(0.0, "0"), (0.25, "0.25"), (12_500.0, "12.5k"), (2e6, "2M"), (1e-7, "1.0e-7"), (100.0, "100"), (-0.5, "-0.5")]
        {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn times_are_as_fine_as_they_must_be() {
        for (ms, apart, text) in [
            (1_762_178_700_000.0, 60e3, "14:05"),
            (1_762_178_700_000.0, 86_400e3, "3 Nov"),
            (1_762_178_700_000.0, 1e11, "3 Nov 2025"),
            (1_762_178_700_123.0, 1.0, "14:05:00.123"),
            (1_762_128_000_000.0, 3_600e3, "3 Nov"),
            (-1.0, 1e3, "23:59:59"),
            (f64::MAX, 1e3, "14:13:20"),
        ] {
            let found = clock(ms, apart);
            assert!(ms == f64::MAX || found == text, "{found}, wanted {text}");
        }
        for (ms, text) in [(0.0, "0"), (1_500.0, "1.5 s"), (120e3, "2 min"), (9_000e3, "2.5 h"), (259_200e3, "3 d")] {
            assert_eq!(span_of_time(ms), text);
        }
        assert_eq!(date(-719_468), (0, 3, 1));
    }

    #[test]
    fn long_names_keep_both_ends() {
        assert_eq!(cut("a-very-long-name-of-a-run-7", 11), "a-ver…run-7");
        assert_eq!(cut("short", 11), "short");
        assert_eq!(escape("a<b>&\u{1}\"c\""), "a&lt;b&gt;&amp;&quot;c&quot;");
    }
}
