//! How many records answers say that there are, against those that a file has. A file may have several pages of one
//! answer, and pages of several answers.

use serde_json::Value;

/// Answers that are followed at once; a file with more of them is short.
const OPEN_MAX: usize = 64;

/// The member in which Defender's advanced hunting counts the rows that a query has found.
pub(super) const ROW_COUNT: &str = "table_row_count";

/// What an answer says of the number of its records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Total {
    /// Graph: all pages together, said on the first one.
    OfPages(u64),
    /// All pages together, said on each.
    Exactly(u64),
    /// Elasticsearch, which counts no further: as many or more.
    AtLeast(u64),
}

/// The total that a member beside the records states. `value` starts with the member's value.
pub(super) fn stated(key: &[u8], value: &[u8]) -> Option<Total> {
    let is_known =
        matches!(key, b"@odata.count" | b"total" | b"totalCount" | b"total_results" | b"Stats" | b"stats");
    if !is_known {
        return None;
    }
    let value = serde_json::Deserializer::from_slice(value).into_iter::<Value>().next()?.ok()?;
    let number = |value: &Value| value.as_u64().or_else(|| value.as_str()?.trim().parse().ok());
    match key {
        b"@odata.count" => number(&value).map(Total::OfPages),
        b"Stats" | b"stats" => {
            let counted = value.get("dataset_statistics")?.get(0)?.get(ROW_COUNT)?;
            number(counted).map(Total::Exactly)
        }
        _ => match value.get("value") {
            None => number(&value).map(Total::Exactly),
            Some(counted) if value.get("relation").and_then(Value::as_str) == Some("gte") => {
                number(counted).map(Total::AtLeast)
            }
            Some(counted) => number(counted).map(Total::Exactly),
        },
    }
}

/// One answer, or one page of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Page {
    pub(crate) total: Option<Total>,
    /// The records that it has.
    pub(crate) held: u64,
    /// A link leads to a next one.
    pub(crate) is_linked: bool,
    /// Its records are in the array `value`, as Graph's are.
    pub(crate) is_value: bool,
}

/// Pages of one answer.
#[derive(Debug, Clone, Copy)]
struct Pages {
    total: Total,
    held: u64,
    first: u64,
    last: u64,
}

/// A chain of Graph's pages.
#[derive(Debug, Clone, Copy)]
struct Chain {
    total: u64,
    held: u64,
    /// It has the page that links to no other: nothing of it is in other files.
    has_last: bool,
}

/// The answers of one file.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    chain: Option<Chain>,
    open: Vec<Pages>,
    /// Totals that were reached; an empty page may follow, by which a reader knows that there are no more.
    reached: Vec<Total>,
    is_short: bool,
}

impl Totals {
    /// Takes in a page, all of which was read.
    pub(crate) fn add(&mut self, page: Page) {
        match page.total {
            None => self.follow(page),
            Some(Total::OfPages(total)) => self.begin(total, page),
            Some(total) => self.count(total, page),
        }
    }

    /// Takes in an answer that is no page of another one of the file.
    pub(crate) fn add_alone(&mut self, page: Page) {
        match page.total {
            None | Some(Total::OfPages(_)) => self.add(page),
            Some(total) => {
                let mut alone = Self::default();
                alone.count(total, page);
                self.is_short |= alone.is_short();
            }
        }
    }

    /// Whether some answer says that there are more records than the file has.
    pub(crate) fn is_short(&self) -> bool {
        self.is_short || self.chain.is_some_and(Chain::is_short) || self.open.iter().any(Pages::is_short)
    }

    /// A page that does not count.
    fn follow(&mut self, page: Page) {
        if let Some(chain) = self.chain.as_mut().filter(|_| page.is_value) {
            chain.held += page.held;
            chain.has_last |= !page.is_linked;
        }
    }

    /// A page of Graph that counts: the first of a chain, as a rule.
    fn begin(&mut self, total: u64, page: Page) {
        let next = Chain { total, held: page.held, has_last: !page.is_linked };
        let chain = match self.chain {
            // Sign-ins are added while a chain is read.
            Some(chain) if !chain.has_last || chain.total == total && chain.is_short() => Chain {
                total: chain.total.min(total),
                held: chain.held + page.held,
                has_last: next.has_last || chain.has_last,
            },
            Some(chain) => {
                self.is_short |= chain.is_short();
                next
            }
            None => next,
        };
        self.chain = Some(chain);
    }

    /// A page that says the same total as the other pages of its answer.
    fn count(&mut self, total: Total, page: Page) {
        let at = self.open.iter().position(|pages| pages.total == total);
        let at = match at {
            Some(at) => at,
            None if page.held == 0 && self.reached.contains(&total) => return,
            None if self.open.len() == OPEN_MAX => {
                self.is_short = true;
                return;
            }
            None => {
                self.open.push(Pages { total, held: 0, first: page.held, last: 0 });
                self.open.len() - 1
            }
        };
        let pages = &mut self.open[at];
        pages.held += page.held;
        pages.last = page.held;
        if matches!(total, Total::Exactly(_)) && !pages.is_short() {
            self.open.swap_remove(at);
            if self.reached.len() < OPEN_MAX && !self.reached.contains(&total) {
                self.reached.push(total);
            }
        }
    }
}

impl Chain {
    fn is_short(self) -> bool {
        self.has_last && self.held < self.total
    }
}

impl Pages {
    fn is_short(&self) -> bool {
        match self.total {
            Total::OfPages(total) | Total::Exactly(total) => self.held < total,
            // Only a page that is not full shows that none follows.
            Total::AtLeast(total) => self.held <= total || self.last >= self.first,
        }
    }
}
