use super::*;

const TENANT: &str = "7a1f3c52-0b1d-4e6a-9c2f-5d8e0f1a2b3c";
const NOW: i64 = 1_793_000_000_000_000;

fn json(raw: &[u8]) -> Lenient {
    read(raw, &RecordReader::json(Shape::Diagnostic), Known::default(), NOW)
}

fn record(client: &str, agent: &str) -> String {
    format!(
        r#"{{"time":"2026-10-06T08:15:30Z","category":"NonInteractiveUserSignInLogs","tenantId":"{TENANT}","properties":{{"id":"DEADBEEF-0000-4000-8000-000000000002","createdDateTime":"2026-10-05T08:15:30Z","userPrincipalName":"anna@example.com","clientAppUsed":"{client}","userAgent":"{agent}","status":{{"errorCode":0}},"deviceDetail":{{}}}}}}"#
    )
}

#[test]
fn a_cut_record_tells_what_stands_before_the_cut() {
    let whole = record("Browser", "Mozilla/5.0");
    let cut = &whole[..whole.find("deviceDetail").expect("a member")];
    let read = json(cut.as_bytes());
    assert_eq!(read.tenant_id.as_deref(), Some(TENANT));
    assert_eq!(read.category, Some(Category::NonInteractive));
    assert_eq!(read.sign_in_id.as_deref(), Some("deadbeef-0000-4000-8000-000000000002"));
    assert_eq!(read.signed_in_at.map(time::format).as_deref(), Some("2026-10-05T08:15:30.000000Z"));
    assert_eq!(read.reads_as, ReadsAs::ModernClient);
    let before_client = &whole[..whole.find("rowser").expect("a client")];
    assert_eq!(
        json(before_client.as_bytes()).reads_as,
        ReadsAs::Unclear,
        "the client is not there to its end"
    );
    let legacy = record("IMAP4", "x");
    assert_eq!(json(&legacy.as_bytes()[..legacy.len() - 9]).reads_as, ReadsAs::Unclear);
}

#[test]
fn what_may_be_parts_of_two_records_tells_nothing() {
    let modern = record("Browser", "Mozilla/5.0");
    let legacy = record("IMAP4", "BAV2ROPC");
    let at = |text: &str, mark: &str| text.find(mark).expect("a mark");
    for glued in [
        format!("{}{}", &modern[..at(&modern, "status")], &legacy[at(&legacy, "rincipalName")..]),
        format!("{},{}", &modern[..at(&modern, "userAgent")], &legacy[at(&legacy, "errorCode")..]),
        format!("{modern}{}", &legacy[at(&legacy, "errorCode")..]),
        format!("{modern}{}", &legacy[..40]),
        format!("{modern}\0\0\0\0"),
        format!("{}{legacy}", &modern[..at(&modern, "status")]),
        String::new(),
        "garbage".to_owned(),
    ] {
        let read = json(glued.as_bytes());
        assert_eq!((read.reads_as, read.sign_in_id), (ReadsAs::Unclear, None), "{glued}");
    }
}

#[test]
fn a_whole_record_in_another_encoding_is_read_as_it_is() {
    let mut bytes = record("Mobile Apps and Desktop clients", "M?xilla").into_bytes();
    let at = bytes.iter().position(|byte| *byte == b'?').expect("a place");
    bytes[at] = 0xfc;
    assert_eq!(json(&bytes).reads_as, ReadsAs::ModernClient);
    let mut bytes = record("Mobile Apps and Desktop clients", "BAV2ROPC?").into_bytes();
    let at = bytes.iter().position(|byte| *byte == b'?').expect("a place");
    bytes[at] = 0xfc;
    assert_eq!(json(&bytes).reads_as, ReadsAs::Unclear, "the agent of the rewrite");
}

#[test]
fn records_of_other_logs_are_no_sign_ins_of_users() {
    let of = |category: &str| record("IMAP4", "x").replace("NonInteractiveUserSignInLogs", category);
    for category in ["ServicePrincipalSignInLogs", "ADFSSignInLogs", "AuditLogs"] {
        let whole = of(category).replace("2026-10-05T", "1999-10-05T");
        assert_eq!(json(whole.as_bytes()).reads_as, ReadsAs::OtherCategory, "{category}");
        assert_eq!(
            json(&whole.as_bytes()[..whole.len() - 30]).reads_as,
            ReadsAs::OtherCategory,
            "{category}"
        );
    }
    assert_eq!(json(of("SignInLogs").as_bytes()).reads_as, ReadsAs::Unclear);
    assert_eq!(json(br#"{"index":{"_index":"logs"}}"#).reads_as, ReadsAs::OtherCategory);
    assert_eq!(
        json(br#"{"error":{"code":"TooManyRequests"}}"#).reads_as,
        ReadsAs::Unclear,
        "a page is missing"
    );
    let known = Known { tenant_id: Some(TENANT), category: Some(Category::ServicePrincipal) };
    let read = read(b"{\"ti", &RecordReader::json(Shape::Diagnostic), known, NOW);
    assert_eq!((read.reads_as, read.tenant_id.as_deref()), (ReadsAs::OtherCategory, Some(TENANT)));
}

#[test]
fn a_record_that_names_a_user_is_a_users_whatever_its_file_is_named_for() {
    let known = Known { tenant_id: Some(TENANT), category: Some(Category::ServicePrincipal) };
    let of = |text: &str| read(text.as_bytes(), &RecordReader::json(Shape::Diagnostic), known, NOW).reads_as;
    for text in [
        r#"{"properties":{"userPrincipalName":"scanner@example.com","clientAppU"#,
        r#"{"properties":{"userId":"40000000-0000-4000-8000-000000000001","clientAppU"#,
    ] {
        assert_eq!(of(text), ReadsAs::Unclear, "{text}");
    }
    let text =
        r#"{"@odata.context":"https://example.com","properties":{"userId":"","servicePrincipalId":"40"#;
    assert_eq!(of(text), ReadsAs::OtherCategory);
}

#[test]
fn an_impossible_time_is_none() {
    for time in ["1999-10-05T08:15:30Z", "2036-10-05T08:15:30Z", "yesterday"] {
        let read = json(record("IMAP4", "x").replace("2026-10-05T08:15:30Z", time).as_bytes());
        assert_eq!(read.signed_in_at, None, "{time}");
        assert!(read.tenant_id.is_some() && read.sign_in_id.is_some(), "{time}");
    }
}

#[test]
fn a_row_of_too_few_or_too_many_cells_tells_its_client() {
    let reader = RecordReader::csv("Date (UTC),Request ID,Username,Client app,User agent,Status,Location")
        .expect("a header");
    let row = |text: &str| read(text.as_bytes(), &reader, Known::default(), NOW);
    let cut = row("2026-10-05T08:15:30Z,r1,anna@example.com,Browser,Mozi");
    assert_eq!((cut.reads_as, cut.sign_in_id.as_deref()), (ReadsAs::ModernClient, Some("r1")));
    assert_eq!(cut.signed_in_at.map(time::format).as_deref(), Some("2026-10-05T08:15:30.000000Z"));
    for (text, expected) in [
        ("2026-10-05T08:15:30Z,r1,anna@example.com,Brow", ReadsAs::Unclear),
        ("2026-10-05T08:15:30Z,r1,anna@example.com,IMAP4,x", ReadsAs::Unclear),
        (
            "2026-10-05T08:15:30Z,r1,a@example.com,Browser,Mozilla (KHTML, like Gecko),Success,x",
            ReadsAs::ModernClient,
        ),
        (
            "2026-10-05T08:15:30Z,r1,a@example.com,Browser,Mo2026-10-05T08:15:30Z,r2,b@example.com,IMAP4,x,Success,y",
            ReadsAs::Unclear,
        ),
        (
            "2026-10-05T08:15:30Z,r1,a@example.com,Mobile Apps and Desktop clients,BAV2ROPC,x",
            ReadsAs::Unclear,
        ),
        ("\"2026-10-05T08:15:30Z,r1,a@example.com,\"Browser\",x", ReadsAs::ModernClient),
        ("(12 rows affected)", ReadsAs::Unclear),
    ] {
        assert_eq!(row(text).reads_as, expected, "{text}");
    }
}

// Its correlation id was taken for the tenant, so that the doubt was of nobody.
#[test]
fn a_row_below_another_header_names_no_tenant() {
    let header = "CreatedDateTime,TenantId,Id,UserPrincipalName,ClientAppUsed,ErrorCode";
    let reader = RecordReader::csv(header).expect("a header");
    let row = |client: &str| format!("2026-10-05T08:15:30Z,{TENANT},1,ann@example.com,{client},0");
    let of = |row: &str| read(row.as_bytes(), &reader, Known::default(), NOW);
    assert_eq!(of(&row("IMAP4")).tenant_id.as_deref(), Some(TENANT));
    let other =
        |row: &str| read_reject(row.as_bytes(), &RejectReason::OtherHeader, &reader, Known::default(), NOW);
    // With or without a line end, as the last row of a file.
    for (client, reads_as) in [("IMAP4", ReadsAs::Unclear), ("Browser", ReadsAs::ModernClient)] {
        for row in [row(client), format!("{}\r\n", row(client))] {
            assert_eq!(other(&row), Lenient { reads_as, ..Lenient::default() }, "{row}");
        }
    }
}

// The last of two was believed: a record that says IMAP4 too read as a browser's, and one of two tenants as the last one's.
#[test]
fn a_record_that_says_two_things_is_unclear() {
    let record = |members: &str| {
        format!(
            r#"{{"time":"2026-10-06T08:15:30Z","category":"SignInLogs","tenantId":"{TENANT}",{members},"properties":{{"id":"1","clientAppUsed":"Browser","status":{{"errorCode":0}}}}}}"#
        )
    };
    let text = r#""properties":"{\"id\":\"1\",\"clientAppUsed\":\"IMAP4\"}""#;
    for (members, tenant) in [
        (text, Some(TENANT)),
        (r#""category":"AuditLogs""#, Some(TENANT)),
        (r#""tenantId":"22222222-0000-4000-8000-000000000002""#, None),
    ] {
        let read = json(record(members).as_bytes());
        assert_eq!((read.reads_as, read.tenant_id.as_deref()), (ReadsAs::Unclear, tenant), "{members}");
        assert_eq!(read.signed_in_at, None, "{members}");
    }
}
