//! Tables of the user's own, beside those of the lake.

use super::{asked, place, program, stderr, stdout};

fn write(name: &str, text: &str) -> String {
    std::fs::write(place().path(name), text).expect("a file");
    name.to_owned()
}

#[test]
fn a_file_is_a_table_in_sql_in_own_queries_and_only_if_it_is_named() {
    let lines =
        stdout(&asked(&["SELECT DISTINCT user_principal_name FROM legacy_sign_ins ORDER BY 1 LIMIT 1"]));
    let user = lines.lines().nth(1).expect("a user");
    write("vips.csv", &format!("user;badge\r\n{user};00123\r\nnobody@x.example;7\r\n"));
    write("teams.ndjson", "{\"badge\":\"00123\",\"team\":\"board\"}\n");
    let with = ["--with", "vips=vips.csv", "--with", "teams=teams.ndjson"];
    let sql = "SELECT v.badge, t.team, count(*) > 0 AS seen FROM legacy_sign_ins AS s \
               JOIN vips AS v ON v.\"user\" = s.user_principal_name JOIN teams AS t ON t.badge = v.badge GROUP BY 1, 2";
    let output = asked(&[&[sql], &with[..]].concat());
    assert_eq!(stdout(&output), "badge,team,seen\n00123,board,true\n", "{}", stderr(&output));
    // How its columns were read.
    assert!(
        stderr(&output).contains("vips: 2 rows of vips.csv: user text, badge text"),
        "{}",
        stderr(&output)
    );
    assert!(stdout(&asked(&[&["SHOW TABLES"], &with[..]].concat())).contains("vips"));

    std::fs::create_dir_all(place().path("own")).expect("a folder");
    write("own/vip_usage.sql", "-- VIPs with usage.\nSELECT v.badge FROM vips AS v ORDER BY 1\n");
    let report = ["report", "vip_usage", "--queries", "own"];
    let output = program(&[&report[..], &with].concat()).output().expect("the program starts");
    assert_eq!(stdout(&output), "badge\n00123\n7\n", "{}", stderr(&output));
    let output = program(&report).output().expect("the program starts");
    assert!(stderr(&output).contains("there is no table vips"), "{}", stderr(&output));
    let output = asked(&["SELECT * FROM 'vips.csv'"]);
    assert!(stderr(&output).contains("--with NAME=FILE"), "{}", stderr(&output));
}

#[test]
fn what_cannot_be_a_table_is_told_before_any_query_runs() {
    write("one.csv", "a\n1\n");
    write("torn.csv", "a,b\n1\n");
    for (with, told) in [
        ("sign_ins=one.csv", "--with sign_ins=FILE: expected another name; the lake has a view of this one"),
        ("who=one.csv", "a report has this one"),
        ("Mine=one.csv", "lower-case letters, digits and _"),
        ("select=one.csv", "this one is a word of SQL"),
        ("one.csv", "expected a name and a file, as in vips=vips.csv"),
        ("mine=", "expected a name and a file"),
        ("mine=no-such.csv", "--with: no-such.csv: "),
        ("mine=one.xlsx", "expected a file whose name ends with .csv, .tsv, .parquet, .ndjson or .jsonl"),
        ("mine=torn.csv", "--with: torn.csv: CSV error: record 1"),
    ] {
        let output = asked(&["SELECT * FROM no_such_table", "--with", with]);
        assert_eq!(output.status.code(), Some(2), "{with}: {}", stderr(&output));
        assert!(stderr(&output).contains(told), "{with}: {}", stderr(&output));
    }
    let twice = asked(&["SELECT 1", "--with", "a=one.csv", "--with", "a=one.csv"]);
    assert!(stderr(&twice).contains("two files have this one"), "{}", stderr(&twice));
}
