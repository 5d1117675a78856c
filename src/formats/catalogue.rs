//! The list of everything that is read, for people: each shape with how it is recognised, what it proves and where it
//! comes from; the envelopes; what files may be packed and encoded in; and what is refused.

use serde::Serialize;

use crate::encoding::Encoding;
use crate::shapes::Shape;
use crate::shapes::envelope::{DEPTH_MAX, ENVELOPES};

/// One shape, in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// The word in the `sources` table.
    pub name: &'static str,
    pub known_by: &'static str,
    pub comes_from: &'static str,
    pub proves: &'static str,
    pub cannot_prove: &'static str,
}

/// One envelope, in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EnvelopeEntry {
    pub path: String,
    pub payload: &'static str,
    pub written_by: &'static str,
}

/// All of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Catalogue {
    pub shapes: Vec<Entry>,
    pub envelopes: Vec<EnvelopeEntry>,
    pub envelopes_deep: u8,
    pub encodings: Vec<&'static str>,
    pub packed: &'static str,
    pub refused: &'static str,
}

/// Everything that is read.
#[must_use]
pub fn catalogue() -> Catalogue {
    let envelopes = ENVELOPES.iter().map(|envelope| EnvelopeEntry {
        path: envelope.path.join("."),
        payload: envelope.payload.as_str(),
        written_by: envelope.written_by,
    });
    Catalogue {
        shapes: Shape::ALL.into_iter().map(entry).collect(),
        envelopes: envelopes.collect(),
        envelopes_deep: DEPTH_MAX,
        encodings: Encoding::ALL.into_iter().map(Encoding::as_str).collect(),
        packed: "gzip, zstd, zip, tar, tar.gz; Avro (Event Hubs Capture), Parquet; archives in archives",
        refused: "recognised and refused with advice: .xlsx, .xls, .ods, .7z, .rar, xz, bzip2, lz4, ORC, SQLite, .evtx",
    }
}

const fn entry(shape: Shape) -> Entry {
    let name = shape.as_str();
    match shape {
        Shape::Diagnostic => Entry {
            name,
            known_by: "JSON with category or operationName, and properties",
            comes_from: "diagnostic settings of Entra ID: storage account (insights-logs-*), Event Hubs, SIEM forwarders",
            proves: "usage, its method and result, and the days of each log; the tenant is in the record",
            cannot_prove: "no limits, if both SignInLogs and NonInteractiveUserSignInLogs are exported",
        },
        Shape::LogAnalytics => Entry {
            name,
            known_by: "JSON with TimeGenerated or CreatedDateTime, and AADTenantId, Category or ResultType",
            comes_from: "Log Analytics, Sentinel and advanced hunting over SigninLogs and AADNonInteractiveUserSignInLogs: data export, query API",
            proves: "as diagnostic",
            cannot_prove: "days beyond the table's retention, or beyond the query's limit of rows",
        },
        Shape::Graph => Entry {
            name,
            known_by: "JSON with createdDateTime, a user or service principal, and clientAppUsed, status or appId; names may have underscores",
            comes_from: "Graph auditLogs/signIns, lightsout collect script, Get-MgAuditLogSignIn | ConvertTo-Json, the portal's JSON download, Steampipe",
            proves: "usage; with the beta endpoint its method too",
            cannot_prove: "the tenant (give --tenant, or a folder tenantId=ID); non-interactive sign-ins, if only version 1.0 was queried",
        },
        Shape::Audit => Entry {
            name,
            known_by: "JSON with CreationTime, Operation and RecordType or Workload",
            comes_from: "Unified Audit Log: Management Activity API, Purview; Hawk and other collectors that flatten it",
            proves: "usage by the user agents of Basic Authentication",
            cannot_prove: "which protocol: the audit log names no client app; so it never clears a tenant",
        },
        Shape::PortalCsv => Entry {
            name,
            known_by: "CSV with Date (UTC), Request ID and Client app",
            comes_from: "Entra admin center, Sign-in logs, Download: InteractiveSignIns_*, NonInteractiveSignIns_*",
            proves: "usage and its result; the file's name says which log and which days",
            cannot_prove: "the tenant (--tenant); which log, if the file was renamed (--category); more than 100,000 rows",
        },
        Shape::PowershellCsv => Entry {
            name,
            known_by: "CSV with CreatedDateTime, a user, and ClientAppUsed, Status or AppDisplayName",
            comes_from: "Get-MgAuditLogSignIn or Get-AzureADAuditSignInLogs | Export-Csv",
            proves: "usage, as far as the columns were selected",
            cannot_prove: "the tenant (--tenant); the order of day and month in some dates (--date-order)",
        },
        Shape::LogAnalyticsCsv => Entry {
            name,
            known_by: "CSV with TimeGenerated, ResultType and a user",
            comes_from: "Log Analytics and Sentinel, Export to CSV of a KQL query; custom logs",
            proves: "as log_analytics",
            cannot_prove: "more than the portal's limit of 30,000 rows; local times are refused",
        },
        Shape::AuditCsv => Entry {
            name,
            known_by: "CSV with a record as JSON in AuditData, _raw, message, event.original, payload or the like, or with CreationTime, Operation and UserId",
            comes_from: "Search-UnifiedAuditLog | Export-Csv, Purview; Splunk and Kibana exports of any record; Hawk",
            proves: "what the record in the column proves",
            cannot_prove: "as audit, if they are audit records",
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_and_every_envelope_is_listed_once() {
        let catalogue = catalogue();
        assert_eq!(catalogue.shapes.len(), Shape::ALL.len());
        let mut paths: Vec<&str> =
            catalogue.envelopes.iter().map(|envelope| envelope.path.as_str()).collect();
        assert!(paths.len() >= 40);
        paths.sort_unstable();
        paths.dedup();
        // `event.original` is there as a member of a member and as a name with a dot.
        assert_eq!(paths.len(), catalogue.envelopes.len() - 1);
    }
}
