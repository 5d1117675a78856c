use super::*;

/// What broke: one dangling link ended the ingest of the whole folder.
#[cfg(unix)]
#[test]
fn what_cannot_be_read_in_a_folder_is_listed_beside_its_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("good.json"), "{}").expect("written");
    std::os::unix::fs::symlink("nowhere", at("dangling.json")).expect("a link");
    std::os::unix::fs::symlink(folder.path(), at("itself")).expect("a link");
    drop(std::os::unix::net::UnixListener::bind(at("socket")).expect("a socket"));
    let found = find(&[folder.path().display().to_string()]).expect("found");
    let names: Vec<(&str, bool)> = found
        .inputs
        .iter()
        .map(|input| (input.name.rsplit('/').next().unwrap_or_default(), input.unreadable.is_some()))
        .collect();
    assert_eq!(names, [("dangling.json", true), ("good.json", false), ("socket", true)]);
}

/// What broke: `run .` ingested the files of its own lake and of its own output.
#[test]
fn what_lightsout_has_written_is_no_input() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    for name in [
        "a.json",
        "lake/sign_in_records/_delta_log/0.json",
        "out/run.json",
        "out/assessment.parquet",
        "new/b.json",
    ] {
        std::fs::create_dir_all(at(name).parent().expect("a folder")).expect("made");
        std::fs::write(at(name), "{}").expect("written");
    }
    let here = folder.path().display().to_string();
    let last = |path: &String| path.rsplit('/').next().map(str::to_owned);
    let found = find_beside(std::slice::from_ref(&here), &[&at("new")]).expect("found");
    let names: Vec<_> = found.inputs.iter().filter_map(|input| last(&input.name)).collect();
    assert_eq!(names, ["a.json"]);
    assert_eq!(found.own.iter().filter_map(last).collect::<Vec<_>>(), ["lake", "new", "out"]);
    let lake = find(&[at("lake").display().to_string()]);
    assert!(matches!(lake, Err(Error::OwnFolder { .. })));
    let file = find(&[at("out/run.json").display().to_string()]).expect("a file that is named is read");
    assert_eq!(file.inputs.len(), 1);
}

/// What broke: hidden logs were passed without a word.
#[test]
fn hidden_files_are_not_read_and_those_that_may_be_logs_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in [
        "a.json",
        ".b.json",
        ".PT1H.json.Xa3bQz",
        ".a.json.swp",
        "._a.json",
        ".DS_Store",
        ".git/config",
        ".old/c.csv",
    ] {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, "{}").expect("written");
    }
    let found = find(&[folder.path().display().to_string()]).expect("found");
    let last = |path: &String| path.rsplit('/').next().map(str::to_owned);
    let inputs: Vec<_> = found.inputs.iter().filter_map(|input| last(&input.name)).collect();
    assert_eq!(inputs, ["a.json"]);
    let hidden: Vec<_> = found.hidden.iter().filter_map(last).collect();
    assert_eq!(hidden, [".PT1H.json.Xa3bQz", ".b.json", ".old"]);
    let named = find(&[folder.path().join(".b.json").display().to_string()]).expect("found");
    assert_eq!(named.inputs.len(), 1, "a hidden file that is named is read");
}

#[test]
fn a_storage_path_says_tenant_category_and_hour() {
    let facts = PathFacts::of(Path::new(
        "dump/insights-logs-noninteractiveusersigninlogs/tenantId={7A1F3C52-0B1D-4E6A-9C2F-5D8E0F1A2B3C}/y=2026/m=10/d=05/h=23/m=00/PT1H.json",
    ));
    let (tenant, category, hour) = facts.storage().expect("a whole storage path");
    assert_eq!((tenant, category), ("7a1f3c52-0b1d-4e6a-9c2f-5d8e0f1a2b3c", Category::NonInteractive));
    assert_eq!(hour_end(hour).to_rfc3339(), "2026-10-06T00:00:00+00:00");
}

#[test]
fn a_portal_download_says_its_category() {
    for (name, expected) in [
        ("x/NonInteractiveSignIns_2026-10-05_2026-11-04 (1).csv", Some(Category::NonInteractive)),
        ("InteractiveSignIns_2026-10-05_2026-11-04.json", Some(Category::Interactive)),
        ("MSISignIns_2026-10-05.csv", Some(Category::ManagedIdentity)),
        ("signins.csv", None),
    ] {
        assert_eq!(PathFacts::of(Path::new(name)).category, expected, "{name}");
    }
}

#[test]
fn a_portal_download_names_its_first_and_last_day_and_states_those_between() {
    let between = |name: &str| {
        let range = PathFacts::of(Path::new(name)).days_between?;
        Some(format!("{}..{}", range.first, range.last))
    };
    let october = Some("2026-10-06..2026-11-03".to_owned());
    assert_eq!(between("NonInteractiveSignIns_2026-10-05_2026-11-04 (1).csv"), october);
    assert_eq!(between("x/2026-01-01/InteractiveSignIns_2026-10-05_2026-11-04.json"), october);
    for nothing in [
        "InteractiveSignIns_2026-10-05_2026-10-06.csv",
        "InteractiveSignIns_2026-10-05.csv",
        "InteractiveSignIns_2026-11-04_2026-10-05.csv",
        "export_2026-10-05_2026-11-04.csv",
    ] {
        assert_eq!(between(nothing), None, "{nothing}");
    }
}

#[test]
fn a_path_with_an_impossible_day_covers_nothing() {
    let facts = PathFacts::of(Path::new(
        "insights-logs-signinlogs/tenantId=7a1f3c52-0b1d-4e6a-9c2f-5d8e0f1a2b3c/y=2026/m=13/d=05/h=23/m=00/PT1H.json",
    ));
    assert_eq!(facts.storage(), None);
    assert!(facts.tenant_id.is_some());
    let facts = PathFacts::of(Path::new("tenantId=contoso.onmicrosoft.com/PT1H.json"));
    assert_eq!(facts.tenant_id, None, "a domain is no tenant id");
}
