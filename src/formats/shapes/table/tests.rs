use super::*;

// The first of two columns counted, whatever the second said.
#[test]
fn of_two_columns_the_one_that_may_be_usage_counts() {
    let header = "Id,CreatedDateTime,UserPrincipalName,ClientAppUsed,ClientAppUsed,ErrorCode,ErrorCode,UserAgent,UserAgent";
    let reader = RecordReader::csv(header).expect("a header");
    for (row, client, code, agent) in [
        ("Browser,IMAP4,50126,0,Mozilla/5.0,BAV2ROPC", "IMAP4", 0, "BAV2ROPC"),
        ("IMAP4,Browser,0,50126,BAV2ROPC,Mozilla/5.0", "IMAP4", 0, "BAV2ROPC"),
        ("Browser,Mobile Apps and Desktop clients,50126,1,a,b", "Browser", 50126, "a"),
        (",Browser,,1,,b", "Browser", 1, "b"),
        ("IMAP4,Unknown,0,0,a,a", "IMAP4", 0, "a"),
    ] {
        let row = format!("1,2026-10-20T08:00:00Z,ann@example.com,{row}");
        let ends: Vec<u32> = (0..row.len())
            .filter(|at| row.as_bytes()[*at] == b',')
            .chain([row.len()])
            .map(|at| u32::try_from(at).expect("short"))
            .collect();
        for parsed in [reader.parse(&row), reader.parse_row(&row, 0..row.len(), &ends)] {
            let Ok(Parsed::SignIn(sign_in)) = parsed else { panic!("a sign-in: {row}") };
            assert_eq!(sign_in.client_app.as_deref(), Some(client), "{row}");
            assert_eq!(sign_in.error_code, Some(code), "{row}");
            assert_eq!(sign_in.user_agent.as_deref(), Some(agent), "{row}");
        }
    }
    let row = "1,2026-10-20T08:00:00Z,ann@example.com,IMAP4,POP3,0,0,a,a";
    assert_eq!(reader.parse(row).expect_err("two protocols").code(), "member_twice");
}

// A stray quote swallowed the rows up to the next one, an IMAP4 sign-in among them, into one cell.
#[test]
fn rows_that_a_stray_quote_swallowed_are_no_cell() {
    let header = "Id,CreatedDateTime,UserPrincipalName,UserDisplayName,ClientAppUsed,ErrorCode";
    let reader = RecordReader::csv(header).expect("a header");
    let swallowed = "1,2026-10-20T08:00:00Z,ann@example.com,\"Ann,Browser,0\n\
                     2,2026-10-20T08:01:00Z,scan@example.com,Scan,IMAP4,0\n\
                     3,2026-10-20T08:02:00Z,ann@example.com,Ann\",Browser,0";
    let reason = reader.parse(swallowed).expect_err("three rows");
    assert_eq!(reason.code(), "invalid_csv");
    for cell in [
        "\"Ann\nBerg, Sales, Example\"",
        "\"{\"\"a\"\":1,\n\"\"b\"\":2,\"\"c\"\":3,\"\"d\"\":4,\"\"e\"\":5,\"\"f\"\":6}\"",
    ] {
        let row = format!("1,2026-10-20T08:00:00Z,ann@example.com,{cell},Browser,0");
        assert!(matches!(reader.parse(&row), Ok(Parsed::SignIn(_))), "{row}");
    }
}

// Data Explorer writes a diagnostic record as a row, with its properties as JSON text.
#[test]
fn columns_may_be_the_members_of_a_diagnostic_record() {
    let header = "time,category,operationName,tenantId,resultType,properties";
    let reader = RecordReader::csv(header).expect("a header");
    let row = r#"2026-10-05T08:20:00Z,SignInLogs,Sign-in activity,7a1f3c52-0b1d-4e6a-9c2f-5d8e0f1a2b3c,0,"{""id"":""1"",""createdDateTime"":""2026-10-05T08:15:00Z"",""clientAppUsed"":""IMAP4""}""#;
    let Ok(Parsed::SignIn(sign_in)) = reader.parse(row) else { panic!("a sign-in: {:?}", reader.parse(row)) };
    assert_eq!(sign_in.client_app.as_deref(), Some("IMAP4"));
    assert_eq!(sign_in.tenant_id.as_deref(), Some("7a1f3c52-0b1d-4e6a-9c2f-5d8e0f1a2b3c"));
}
