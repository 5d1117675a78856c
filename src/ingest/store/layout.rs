//! What a path of the storage layout says of days, as far as it goes: `…/y=2026/m=10/d=05/…`.

use chrono::{Datelike as _, NaiveDate};

/// When the blobs below a path are of, beside a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Age {
    /// All are of earlier days.
    Before,
    /// None is of an earlier day.
    Since,
    /// The path does not say it.
    Unknown,
}

/// Compares what a path says with a day.
pub(super) fn age(path: &str, since: NaiveDate) -> Age {
    let (mut year, mut month, mut day) = (None, None, None);
    for part in path.split('/') {
        let Some((key, value)) = part.split_once('=') else { continue };
        let number = value.parse::<u32>().ok();
        match key.to_ascii_lowercase().as_str() {
            "y" if year.is_none() => year = number,
            "m" if month.is_none() => month = number,
            "d" if day.is_none() => day = number,
            _ => {}
        }
    }
    let bounds = [(year, since.year_ce().1), (month, since.month()), (day, since.day())];
    for (said, bound) in bounds {
        match said {
            None => return Age::Unknown,
            Some(said) if said < bound => return Age::Before,
            Some(said) if said > bound => return Age::Since,
            Some(_) => {}
        }
    }
    Age::Since
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_compared_as_far_as_it_goes() {
        let since = NaiveDate::from_ymd_opt(2026, 10, 5).expect("a day");
        for (path, expected) in [
            ("tenantId=x", Age::Unknown),
            ("tenantId=x/y=2025", Age::Before),
            ("tenantId=x/y=2026", Age::Unknown),
            ("tenantId=x/y=2027", Age::Since),
            ("x/y=2026/m=09", Age::Before),
            ("x/y=2026/m=10", Age::Unknown),
            ("x/y=2026/m=11", Age::Since),
            ("x/y=2026/m=10/d=04/h=23/m=00/PT1H.json", Age::Before),
            ("x/y=2026/m=10/d=05/h=00/m=00/PT1H.json", Age::Since),
            ("x/Y=2026/M=10/D=06", Age::Since),
            ("x/m=09/d=04/export.json", Age::Unknown),
        ] {
            assert_eq!(age(path, since), expected, "{path}");
        }
    }
}
