//! Dismissed doubts about sign-ins of the lake. A dismissal covers the sign-ins of the files that the lake had
//! then; a doubt is gone once all its sign-ins are covered. One that came later brings it back whole.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::Array as _;

use super::super::typed_columns::{TypedColumns, parse_word};
use super::super::{Parameter, Queries, timestamp};
use super::dismissals::{
    CLIENT_NOT_STATED, Dismissals, LEGACY_AGENT_ELSEWHERE, TENANT_MISMATCH, UNKNOWN_OUTCOME,
    UNRECOGNISED_CLIENT, USED_BEFORE_WINDOW,
};
use super::{Span, Tenants};
use crate::Result;
use lightsout_model::protocol::Protocol;

pub(in super::super) const NAME: &str = "doubtful_sign_ins";

const DOUBTS: [&str; 6] = [
    CLIENT_NOT_STATED,
    LEGACY_AGENT_ELSEWHERE,
    TENANT_MISMATCH,
    UNKNOWN_OUTCOME,
    UNRECOGNISED_CLIENT,
    USED_BEFORE_WINDOW,
];

/// Which files the sign-ins of each doubt came in, and when. What counts as a doubt is a little wider than in
/// the evidence, so that a dismissal never covers more than it names.
pub(in super::super) const SQL: &str = "WITH doubtful AS ( \
    SELECT tenant_id, protocol, source_id, \
        bool_or(in_window AND is_open AND protocol = 'unrecognised') AS unrecognised_client, \
        bool_or(in_window AND is_open AND protocol = 'not_stated') AS client_not_stated, \
        bool_or(in_window AND is_open AND auth_evidence = 'user_agent') AS legacy_agent_elsewhere, \
        bool_or(in_window AND is_open AND is_mismatch) AS tenant_mismatch, \
        bool_or(in_window AND outcome = 'unknown') AS unknown_outcome, \
        bool_or(NOT in_window AND outcome = 'success') AS used_before_window \
    FROM ( \
        SELECT *, signed_in_at >= $window_start AS in_window, outcome IN ('success', 'unknown') AS is_open \
        FROM legacy_sign_ins \
        WHERE signed_in_at >= $lookback_start AND signed_in_at < $window_end \
            AND array_has(string_to_array($tenants, ','), tenant_id) \
    ) AS placed \
    GROUP BY tenant_id, protocol, source_id \
), files AS ( \
    SELECT source_id, path, min(ingested_at) AS ingested_at FROM sources GROUP BY source_id, path \
) \
SELECT d.tenant_id, d.protocol, d.source_id, f.path, f.ingested_at, d.unrecognised_client, d.client_not_stated, \
    d.legacy_agent_elsewhere, d.tenant_mismatch, d.unknown_outcome, d.used_before_window \
FROM doubtful AS d LEFT JOIN files AS f ON d.source_id = f.source_id";

/// What is in doubt, and whose sign-ins of one file these are.
type DoubtKey = (String, &'static str, Option<Protocol>);

impl Queries {
    /// Takes dismissed doubts about sign-ins out of the evidence.
    pub(super) async fn apply_sign_in_dismissals(
        &self,
        tenants: &mut Tenants,
        window_start: chrono::DateTime<chrono::Utc>,
        span: Span,
        dismissals: &Dismissals,
    ) -> Result<()> {
        let names_one = |doubts: &[lightsout_model::evidence::Dismissal]| {
            doubts.iter().any(|dismissal| DOUBTS.contains(&dismissal.doubt.as_str()))
        };
        let of: Vec<&str> = dismissals
            .by_tenant
            .iter()
            .filter(|(tenant_id, dismissals)| tenants.contains_key(*tenant_id) && names_one(dismissals))
            .map(|(tenant_id, _)| tenant_id.as_str())
            .collect();
        if of.is_empty() {
            return Ok(());
        }
        let parameters: Vec<Parameter> = vec![
            ("window_start".to_owned(), timestamp(window_start)),
            ("window_end".to_owned(), timestamp(span.end)),
            ("lookback_start".to_owned(), timestamp(span.start)),
            ("tenants".to_owned(), datafusion::common::ScalarValue::Utf8(Some(of.join(",")))),
        ];
        // Of each doubt, the files of its sign-ins and whether one of their places is covered.
        let mut found: BTreeMap<DoubtKey, BTreeMap<String, bool>> = BTreeMap::new();
        self.each(NAME, SQL, &parameters, |batch| {
            let columns = TypedColumns { batch, query: NAME };
            let (ids, sources) = (columns.text("tenant_id")?, columns.text("source_id")?);
            let (protocols, paths) = (columns.text("protocol")?, columns.text("path")?);
            let times = columns.times("ingested_at")?;
            for doubt in DOUBTS {
                let is_one = batch.column_by_name(doubt).and_then(arrow::array::AsArray::as_boolean_opt);
                for at in 0..batch.num_rows() {
                    if !is_one.is_some_and(|column: &arrow::array::BooleanArray| {
                        column.is_valid(at) && column.value(at)
                    }) {
                        continue;
                    }
                    let is_of_protocol = matches!(doubt, UNKNOWN_OUTCOME | USED_BEFORE_WINDOW);
                    let protocol = if is_of_protocol { parse_word::<Protocol>(protocols, at)? } else { None };
                    let path = if paths.is_valid(at) { paths.value(at) } else { "" };
                    // A record of no known file is nothing that anybody could have looked into.
                    let covers = times(at)
                        .is_some_and(|time| dismissals.cover(ids.value(at), doubt, path, Some(time)));
                    let files = found.entry((ids.value(at).to_owned(), doubt, protocol)).or_default();
                    *files.entry(sources.value(at).to_owned()).or_default() |= covers;
                }
            }
            Ok(())
        })
        .await?;
        let settled: BTreeSet<DoubtKey> = found
            .into_iter()
            .filter(|(_, files)| files.values().all(|covered| *covered))
            .map(|(doubt_key, _)| doubt_key)
            .collect();
        for (tenant_id, doubt, protocol) in settled {
            let Some(tenant) = tenants.get_mut(&tenant_id) else { continue };
            match (doubt, protocol) {
                (UNRECOGNISED_CLIENT, _) => tenant.unrecognised_doubts = 0,
                (CLIENT_NOT_STATED, _) => tenant.not_stated_doubts = 0,
                (LEGACY_AGENT_ELSEWHERE, _) => tenant.legacy_agent_doubts = 0,
                (TENANT_MISMATCH, _) => tenant.tenant_mismatches = 0,
                (UNKNOWN_OUTCOME, Some(protocol)) => {
                    if let Some(found) = tenant.protocols.get_mut(&protocol) {
                        found.is_unknown_dismissed = true;
                    }
                }
                (USED_BEFORE_WINDOW, Some(protocol)) => {
                    if let Some(found) = tenant.protocols.get_mut(&protocol) {
                        found.is_past_dismissed = true;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}
