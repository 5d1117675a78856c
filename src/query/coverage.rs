//! What the lake has seen of each tenant, gathered from the summaries of its sources. There is an entry for
//! each source, tenant, category and run of days, far more than a tenant's runs in the end, so they are
//! joined as they come and none is kept.

use std::collections::HashMap;

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::Date32Type;
use chrono::NaiveDate;

use super::Queries;
use super::cells::{Cells, word};
use crate::error::Result;
use crate::evidence::{CategoryCoverage, DayRange, TenantEvidence, merge_days};
use crate::sign_in::Category;

/// The query that gives the entries.
pub(super) const NAME: &str = "coverage_entries";

impl Queries {
    /// Coverage alone, one entry per tenant of the lake, sorted by tenant id: what `default_as_of` needs,
    /// and what the evidence of any window starts with.
    pub async fn coverage(&self) -> Result<Vec<TenantEvidence>> {
        let mut gathered = Gathered::default();
        self.each(NAME, &format!("SELECT * FROM {NAME}"), &[], |batch| gathered.add(batch)).await?;
        Ok(gathered.finish())
    }
}

/// The kind of what a person said; the other kinds are what was seen.
const DECLARED: &str = "declared";

/// Ranges of a category that are not merged yet, at most.
const LOOSE_MAX: usize = 64;

/// Days of one category, joined where they touch the range that came before them.
#[derive(Default)]
struct Days {
    ranges: Vec<DayRange>,
    merged: usize,
}

impl Days {
    fn add(&mut self, range: DayRange) {
        if let Some(last) = self.ranges.last_mut()
            && range.first <= range.last
            && last.first <= range.first
            && last.last.succ_opt().is_none_or(|next| range.first <= next)
        {
            last.last = last.last.max(range.last);
            return;
        }
        self.ranges.push(range);
        if self.ranges.len() > self.merged * 2 + LOOSE_MAX {
            self.ranges = merge_days(std::mem::take(&mut self.ranges));
            self.merged = self.ranges.len();
        }
    }

    fn finish(self) -> Vec<DayRange> {
        merge_days(self.ranges)
    }
}

#[derive(Default)]
struct CategoryDays {
    covered: Days,
    incomplete: Days,
    missing_columns: Vec<String>,
}

#[derive(Default)]
struct Tenant {
    evidence: TenantEvidence,
    categories: [Option<CategoryDays>; Category::ALL.len()],
}

#[derive(Default)]
struct Gathered {
    places: HashMap<String, usize>,
    tenants: Vec<Tenant>,
}

impl Gathered {
    /// Where a tenant is kept.
    fn place(&mut self, tenant_id: &str) -> usize {
        if let Some(place) = self.places.get(tenant_id) {
            return *place;
        }
        let place = self.tenants.len();
        self.places.insert(tenant_id.to_owned(), place);
        let evidence = TenantEvidence { tenant_id: tenant_id.to_owned(), ..TenantEvidence::default() };
        self.tenants.push(Tenant { evidence, ..Tenant::default() });
        place
    }

    fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        let cells = Cells { batch, query: NAME };
        let (tenant_ids, categories, kinds) =
            (cells.text("tenant_id")?, cells.text("category")?, cells.text("kind")?);
        let missing = cells.text("missing_columns")?;
        let days = |name: &str| cells.primitive::<Date32Type>(name);
        let (first_days, last_days) = (days("first_day")?, days("last_day")?);
        let (latest_at, records) = (cells.times("latest_at")?, cells.counts("records")?);
        let day = |day: i32| NaiveDate::from_epoch_days(day).unwrap_or_default();
        // A source tells of one tenant after the other.
        let mut before: Option<(&str, usize)> = None;
        for at in 0..batch.num_rows() {
            let id = tenant_ids.value(at);
            let place = match before {
                Some((same, place)) if same == id => place,
                _ => self.place(id),
            };
            before = Some((id, place));
            let Tenant { evidence, categories: seen } = &mut self.tenants[place];
            let range = DayRange { first: day(first_days.value(at)), last: day(last_days.value(at)) };
            evidence.records += records(at);
            if kinds.value(at) == DECLARED {
                evidence.declared_until = evidence.declared_until.max(Some(range.last));
            } else {
                evidence.latest_at = evidence.latest_at.max(latest_at(at));
            }
            let Some(category) = word::<Category>(categories, at)?.filter(|category| category.is_user())
            else {
                continue;
            };
            let seen = seen[category as usize].get_or_insert_default();
            if missing.is_null(at) {
                seen.covered.add(range);
            } else {
                // A range declared for a file that lacks a column proves as little as the file.
                seen.incomplete.add(range);
                for column in missing.value(at).split(';') {
                    if !seen.missing_columns.iter().any(|known| known == column) {
                        seen.missing_columns.push(column.to_owned());
                    }
                }
            }
        }
        Ok(())
    }

    fn finish(self) -> Vec<TenantEvidence> {
        let mut tenants: Vec<TenantEvidence> = self.tenants.into_iter().map(Tenant::finish).collect();
        tenants.sort_unstable_by(|a, b| a.tenant_id.cmp(&b.tenant_id));
        tenants
    }
}

impl Tenant {
    fn finish(mut self) -> TenantEvidence {
        for (category, seen) in Category::ALL.into_iter().zip(self.categories) {
            let Some(CategoryDays { covered, incomplete, mut missing_columns }) = seen else { continue };
            missing_columns.sort_unstable();
            let (covered, incomplete) = (covered.finish(), incomplete.finish());
            self.evidence
                .coverage
                .insert(category, CategoryCoverage { covered, incomplete, missing_columns });
        }
        self.evidence
    }
}
