//! Sign-ins that were thought up, and writers of every shape that can carry them.

use serde_json::{Value, json};

pub(crate) const TENANT: &str = "11111111-bbbb-4000-8000-000000000001";
const OTHER_TENANT: &str = "11111111-bbbb-4000-8000-000000000002";
const WORKSPACE: &str = "99999999-9999-4000-8000-000000000009";
const EXCHANGE: &str = "00000002-0000-0ff1-ce00-000000000000";
const EMITTED: &str = "2026-10-16T00:10:00Z";

/// A sign-in before any shape.
#[derive(Clone)]
pub(crate) struct SignIn {
    id: String,
    at: String,
    pub(crate) interactive: bool,
    user: u32,
    user_type: &'static str,
    client_app: &'static str,
    protocol: &'static str,
    agent: &'static str,
    code: i64,
    reason: &'static str,
    access: &'static str,
    resource_tenant: &'static str,
    /// How the user proved who they are, where a shape with authentication details is needed to say it.
    pub(crate) method: Option<&'static str>,
}

impl SignIn {
    fn user_id(&self) -> String {
        format!("05e40000-0000-4000-8000-{:012}", self.user)
    }

    fn user_name(&self) -> String {
        format!("user{}@example.com", self.user)
    }

    fn home_tenant(&self) -> &'static str {
        if self.user_type == "Guest" { OTHER_TENANT } else { TENANT }
    }

    fn correlation(&self) -> String {
        self.id.replace("5160", "c044")
    }

    fn details(&self) -> Value {
        json!([{"authenticationMethod": self.method.unwrap_or("Password"), "succeeded": self.code == 0}])
    }
}

/// One of each kind.
pub(crate) fn sign_ins() -> Vec<SignIn> {
    let usual = SignIn {
        id: String::new(),
        at: String::new(),
        interactive: true,
        user: 1,
        user_type: "Member",
        client_app: "IMAP4",
        protocol: "none",
        agent: "Mail/1.0",
        code: 0,
        reason: "Other.",
        access: "notApplied",
        resource_tenant: TENANT,
        method: None,
    };
    let named = |client_app| SignIn { client_app, ..usual.clone() };
    let list = vec![
        SignIn { protocol: "ropc", agent: "BAV2ROPC", ..named("IMAP4") },
        SignIn { interactive: false, agent: "CBAinPROD", user: 2, ..named("Other clients; POP") },
        named("Authenticated SMTP"),
        SignIn { interactive: false, protocol: "ropc", ..named("Exchange Web Services") },
        SignIn { code: 50126, reason: "Invalid username or password.", ..named("Exchange ActiveSync") },
        SignIn { method: Some("X.509 Certificate"), user: 3, ..named("Exchange ActiveSync") },
        SignIn { code: 53003, reason: "Blocked, by policy.", access: "failure", ..named("MAPI Over HTTP") },
        SignIn { agent: "Mozilla/5.0 (X11), \"Gecko\" für Jörg", ..named("Browser") },
        SignIn {
            interactive: false,
            code: 50076,
            reason: "Multifactor authentication is required.",
            ..named("Mobile Apps and Desktop clients")
        },
        SignIn { user_type: "Guest", user: 4, resource_tenant: OTHER_TENANT, ..named("") },
        SignIn { user: 5, ..named("Holographic Mail") },
        SignIn { agent: "BAV2ROPC", user: 6, ..named("") },
        SignIn {
            agent: "Microsoft WinRM Client",
            code: 50140,
            reason: "Keep me signed in.",
            ..named("Exchange Online PowerShell")
        },
        SignIn { agent: "CBAInTAR", interactive: false, ..named("Browser") },
    ];
    let numbered = list.into_iter().enumerate().map(|(at, sign_in)| SignIn {
        id: format!("5160bbbb-0000-4000-8000-{at:012}"),
        at: format!("2026-10-15T08:{:02}:30Z", at + 10),
        ..sign_in
    });
    numbered.collect()
}

/// A shape: the name of its file, what it writes, and the columns that it cannot say.
pub(crate) struct Shape {
    pub(crate) file: &'static str,
    pub(crate) write: fn(&[SignIn]) -> String,
    pub(crate) carries: fn(&SignIn) -> bool,
    pub(crate) silent: &'static [&'static str],
}

const EVERY: fn(&SignIn) -> bool = |_| true;
/// What the classifier concludes from a user agent, a protocol or a client app.
pub(crate) const CONCLUDED: [&str; 3] = ["protocol", "auth_method", "auth_evidence"];

/// Every shape that can carry sign-ins of users.
pub(crate) const SHAPES: [Shape; 11] = [
    Shape { file: "diagnostic.json", write: diagnostic, carries: EVERY, silent: &[] },
    Shape { file: "lower-case.json", write: lower_case, carries: EVERY, silent: &[] },
    Shape { file: "log-analytics.json", write: log_analytics, carries: EVERY, silent: &[] },
    Shape { file: "log-analytics.csv", write: log_analytics_csv, carries: EVERY, silent: &[] },
    Shape { file: "graph-beta.json", write: graph_beta, carries: EVERY, silent: &["emitted_at"] },
    Shape {
        file: "InteractiveSignIns_2026-10-15.json",
        write: portal_json,
        carries: |sign_in| sign_in.interactive,
        silent: &["emitted_at"],
    },
    Shape {
        file: "NonInteractiveSignIns_2026-10-15.csv",
        write: portal_csv,
        carries: |sign_in| !sign_in.interactive,
        silent: &["emitted_at", "is_interactive"],
    },
    Shape {
        file: "InteractiveSignIns_2026-10-15.csv",
        write: portal_csv,
        carries: |sign_in| sign_in.interactive && sign_in.method.is_none(),
        silent: &["emitted_at", "is_interactive"],
    },
    Shape {
        file: "powershell.csv",
        write: powershell_csv,
        carries: |sign_in| sign_in.method.is_none(),
        silent: &[
            "emitted_at",
            "user_type",
            "user_agent",
            "home_tenant_id",
            "resource_tenant_id",
            CONCLUDED[0],
            CONCLUDED[1],
            CONCLUDED[2],
        ],
    },
    Shape { file: "audit.json", write: audit, carries: EVERY, silent: &AUDIT_SILENT },
    Shape { file: "audit.csv", write: audit_csv, carries: EVERY, silent: &AUDIT_SILENT },
];

const AUDIT_SILENT: [&str; 13] = [
    "category",
    "emitted_at",
    "user_type",
    "app_name",
    "resource_name",
    "client_app",
    "failure_reason",
    "conditional_access",
    "country",
    "is_interactive",
    CONCLUDED[0],
    CONCLUDED[1],
    CONCLUDED[2],
];

fn lines(records: impl Iterator<Item = Value>) -> String {
    records.map(|record| record.to_string() + "\n").collect()
}

/// A table; every cell quoted.
fn table(columns: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut writer = csv::WriterBuilder::new().quote_style(csv::QuoteStyle::Always).from_writer(Vec::new());
    writer.write_record(columns).expect("memory");
    for row in rows {
        writer.write_record(row).expect("memory");
    }
    String::from_utf8(writer.into_inner().expect("memory")).expect("text")
}

/// The object that Graph and the portal give, and that diagnostic records have as properties.
fn graph(sign_in: &SignIn) -> Value {
    json!({
        "id": sign_in.id,
        "createdDateTime": sign_in.at,
        "userDisplayName": "A user",
        "userPrincipalName": sign_in.user_name(),
        "userId": sign_in.user_id(),
        "userType": sign_in.user_type,
        "appId": "a9900000-0000-4000-8000-000000000001",
        "appDisplayName": "An application",
        "ipAddress": "192.0.2.1",
        "clientAppUsed": sign_in.client_app,
        "userAgent": sign_in.agent,
        "authenticationProtocol": sign_in.protocol,
        "authenticationDetails": sign_in.details(),
        "correlationId": sign_in.correlation(),
        "conditionalAccessStatus": sign_in.access,
        "isInteractive": sign_in.interactive,
        "resourceDisplayName": "Office 365 Exchange Online",
        "resourceId": EXCHANGE,
        "resourceTenantId": sign_in.resource_tenant,
        "homeTenantId": sign_in.home_tenant(),
        "status": {"errorCode": sign_in.code, "failureReason": sign_in.reason},
        "location": {"city": "Ghent", "state": "Oost-Vlaanderen", "countryOrRegion": "BE"},
    })
}

fn category(sign_in: &SignIn) -> &'static str {
    if sign_in.interactive { "SignInLogs" } else { "NonInteractiveUserSignInLogs" }
}

fn diagnostic_record(sign_in: &SignIn) -> Value {
    json!({
        "time": EMITTED,
        "resourceId": format!("/tenants/{TENANT}/providers/Microsoft.aadiam"),
        "operationName": "Sign-in activity",
        "category": category(sign_in),
        "tenantId": TENANT,
        "resultType": sign_in.code.to_string(),
        "callerIpAddress": "192.0.2.1",
        "correlationId": sign_in.correlation(),
        "Level": 4,
        "properties": graph(sign_in),
    })
}

fn diagnostic(sign_ins: &[SignIn]) -> String {
    lines(sign_ins.iter().map(diagnostic_record))
}

fn lower_case(sign_ins: &[SignIn]) -> String {
    lines(sign_ins.iter().map(|sign_in| {
        let record = diagnostic_record(sign_in);
        let members = record.as_object().expect("an object").iter();
        Value::Object(members.map(|(key, value)| (key.to_lowercase(), value.clone())).collect())
    }))
}

fn log_analytics_record(sign_in: &SignIn) -> Value {
    json!({
        "TenantId": WORKSPACE,
        "TimeGenerated": EMITTED,
        "OperationName": "Sign-in activity",
        "Category": category(sign_in),
        "ResultType": sign_in.code.to_string(),
        "CorrelationId": sign_in.correlation(),
        "Location": "BE",
        "AppDisplayName": "An application",
        "AppId": "a9900000-0000-4000-8000-000000000001",
        "AuthenticationDetails": sign_in.details().to_string(),
        "AuthenticationProtocol": sign_in.protocol,
        "ClientAppUsed": sign_in.client_app,
        "ConditionalAccessStatus": sign_in.access,
        "CreatedDateTime": sign_in.at,
        "Id": sign_in.id,
        "IPAddress": "192.0.2.1",
        "IsInteractive": sign_in.interactive,
        "LocationDetails": {"city": "Ghent", "countryOrRegion": "BE"},
        "ResourceDisplayName": "Office 365 Exchange Online",
        "ResourceIdentity": EXCHANGE,
        "Status": json!({"errorCode": sign_in.code, "failureReason": sign_in.reason}).to_string(),
        "UserAgent": sign_in.agent,
        "UserId": sign_in.user_id(),
        "UserPrincipalName": sign_in.user_name(),
        "AADTenantId": TENANT,
        "UserType": sign_in.user_type,
        "ResourceTenantId": sign_in.resource_tenant,
        "HomeTenantId": sign_in.home_tenant(),
        "Type": if sign_in.interactive { "SigninLogs" } else { "AADNonInteractiveUserSignInLogs" },
    })
}

fn log_analytics(sign_ins: &[SignIn]) -> String {
    Value::Array(sign_ins.iter().map(log_analytics_record).collect()).to_string()
}

fn log_analytics_csv(sign_ins: &[SignIn]) -> String {
    let first = log_analytics_record(&sign_ins[0]);
    let keys: Vec<&String> = first.as_object().expect("an object").keys().collect();
    let columns: Vec<String> = keys
        .iter()
        .map(|key| match key.as_str() {
            time @ ("TimeGenerated" | "CreatedDateTime") => format!("{time} [UTC]"),
            other => other.to_owned(),
        })
        .collect();
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    let rows = sign_ins.iter().map(|sign_in| {
        let record = log_analytics_record(sign_in);
        let cell = |key: &&String| match &record[key.as_str()] {
            Value::String(text) if text == EMITTED => "10/16/2026, 12:10:00.000 AM".to_owned(),
            Value::String(text) => text.clone(),
            value => format!("{value:#}"),
        };
        keys.iter().map(cell).collect()
    });
    table(&columns, rows)
}

fn graph_beta(sign_ins: &[SignIn]) -> String {
    let page = |sign_ins: &[SignIn]| {
        let value: Vec<Value> = sign_ins
            .iter()
            .map(|sign_in| {
                let mut object = graph(sign_in);
                let kind = if sign_in.interactive { "interactiveUser" } else { "nonInteractiveUser" };
                object["signInEventTypes"] = json!([kind]);
                object
            })
            .collect();
        format!(
            "{:#}\n",
            json!({"@odata.context": "https://example.com/$metadata#auditLogs/signIns", "value": value})
        )
    };
    sign_ins.chunks(5).map(page).collect()
}

fn portal_json(sign_ins: &[SignIn]) -> String {
    format!("{:#}", Value::Array(sign_ins.iter().map(graph).collect()))
}

fn portal_csv(sign_ins: &[SignIn]) -> String {
    let columns = [
        "Date (UTC)",
        "Request ID",
        "User agent",
        "Correlation ID",
        "User ID",
        "User",
        "Username",
        "User type",
        "Incoming token type",
        "Authentication Protocol",
        "Application",
        "Application ID ",
        "Resource",
        "Resource ID ",
        "Resource tenant ID",
        "Home tenant ID",
        "IP address",
        "Location",
        "Status",
        "Sign-in error code",
        "Failure reason",
        "Client app",
        "Incoming token type",
        "Conditional Access",
    ];
    let rows = sign_ins.iter().map(|sign_in| {
        let status = match sign_in.code {
            0 => "Success",
            50076 | 50140 => "Interrupted",
            _ => "Failure",
        };
        let access = if sign_in.access == "failure" { "Failure" } else { "Not applied" };
        let code = sign_in.code.to_string();
        let (user_id, user_name) = (sign_in.user_id(), sign_in.user_name());
        let correlation = sign_in.correlation();
        let cells = [
            sign_in.at.as_str(),
            &sign_in.id,
            sign_in.agent,
            &correlation,
            &user_id,
            "A user",
            &user_name,
            sign_in.user_type,
            "None",
            if sign_in.protocol == "ropc" { "ROPC" } else { "None" },
            "An application",
            "a9900000-0000-4000-8000-000000000001",
            "Office 365 Exchange Online",
            EXCHANGE,
            sign_in.resource_tenant,
            sign_in.home_tenant(),
            "192.0.2.1",
            "Ghent, Oost-Vlaanderen, BE",
            status,
            &code,
            sign_in.reason,
            sign_in.client_app,
            "None",
            access,
        ];
        cells.map(str::to_owned).to_vec()
    });
    table(&columns, rows)
}

fn powershell_csv(sign_ins: &[SignIn]) -> String {
    let columns = [
        "AppDisplayName",
        "AppId",
        "ClientAppUsed",
        "ConditionalAccessStatus",
        "CorrelationId",
        "CreatedDateTime",
        "IPAddress",
        "Id",
        "IsInteractive",
        "Location",
        "ResourceDisplayName",
        "ResourceId",
        "Status",
        "UserId",
        "UserPrincipalName",
    ];
    let rows = sign_ins.iter().map(|sign_in| {
        let time = format!("10/15/2026 8:{} AM", &sign_in.at[14..19]);
        let cells = [
            "An application".to_owned(),
            "a9900000-0000-4000-8000-000000000001".to_owned(),
            sign_in.client_app.to_owned(),
            sign_in.access.to_owned(),
            sign_in.correlation(),
            time,
            "192.0.2.1".to_owned(),
            sign_in.id.clone(),
            if sign_in.interactive { "True" } else { "False" }.to_owned(),
            "class SignInLocation {\n  City: Ghent\n  CountryOrRegion: BE\n}\n".to_owned(),
            "Office 365 Exchange Online".to_owned(),
            EXCHANGE.to_owned(),
            format!(
                "class SignInStatus {{\n  ErrorCode: {}\n  FailureReason: {}\n}}\n",
                sign_in.code, sign_in.reason
            ),
            sign_in.user_id(),
            sign_in.user_name(),
        ];
        cells.to_vec()
    });
    table(&columns, rows)
}

fn audit_record(sign_in: &SignIn) -> Value {
    // Prompts after a right password are logged as logged in.
    let failed = !matches!(sign_in.code, 0 | 50140);
    json!({
        "CreationTime": sign_in.at.trim_end_matches('Z'),
        "Id": sign_in.id.replace("5160", "a0d1"),
        "Operation": if failed { "UserLoginFailed" } else { "UserLoggedIn" },
        "OrganizationId": TENANT,
        "RecordType": 15,
        "ResultStatus": "Success",
        "UserKey": sign_in.user_id(),
        "UserType": 0,
        "Workload": "AzureActiveDirectory",
        "ClientIP": "192.0.2.1:8080",
        "ObjectId": EXCHANGE,
        "UserId": sign_in.user_name(),
        "ExtendedProperties": [
            {"Name": "ResultStatusDetail", "Value": "Success"},
            {"Name": "UserAgent", "Value": sign_in.agent},
        ],
        "ActorContextId": sign_in.home_tenant(),
        "InterSystemsId": sign_in.correlation(),
        "IntraSystemId": sign_in.id,
        "Target": [{"ID": EXCHANGE, "Type": 0}],
        "TargetContextId": sign_in.resource_tenant,
        "ApplicationId": "a9900000-0000-4000-8000-000000000001",
        "ErrorNumber": sign_in.code.to_string(),
    })
}

fn audit(sign_ins: &[SignIn]) -> String {
    lines(sign_ins.iter().map(audit_record))
}

fn audit_csv(sign_ins: &[SignIn]) -> String {
    let rows = sign_ins.iter().map(|sign_in| {
        let record = audit_record(sign_in);
        let operation = record["Operation"].as_str().expect("text").to_owned();
        vec!["10/15/2026 8:15:30 AM".to_owned(), sign_in.user_name(), operation, record.to_string()]
    });
    table(&["CreationDate", "UserIds", "Operations", "AuditData"], rows)
}
