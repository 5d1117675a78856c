//! Which files a run leaves, and which it takes away.

use std::collections::BTreeMap;

use super::*;
use crate::sample::Sample;

fn embedded() -> Templates {
    Templates::load(None).expect("the embedded templates are valid")
}

/// The names in each tenant's folder.
fn found(out: &Path) -> BTreeMap<String, Vec<String>> {
    let names = |folder: &Path| -> Vec<String> {
        let entries = fs::read_dir(folder).expect("a folder");
        let mut names: Vec<String> = entries
            .map(|entry| entry.expect("an entry").file_name().into_string().expect("a plain name"))
            .collect();
        names.sort();
        names
    };
    let folders = names(&out.join("notices"));
    folders.into_iter().map(|folder| (folder.clone(), names(&out.join("notices").join(folder)))).collect()
}

fn four(stem: &str) -> Vec<String> {
    ["eml", "html", "json", "md"].map(|extension| format!("{stem}.{extension}")).to_vec()
}

#[test]
fn each_tenant_gets_its_notice_and_a_warning_the_draft_of_what_can_be_turned_off() {
    let mut sample = Sample::all_protocols();
    sample.draft = true;
    let out = tempfile::tempdir().expect("a folder");
    let written = write_all(out.path(), &sample.context(), &embedded()).expect("notices");
    let kinds: Vec<(NoticeKind, usize)> = written.iter().map(|one| (one.kind, one.contacts)).collect();
    let expected = [
        (NoticeKind::NoImpact, 1),
        (NoticeKind::Warning, 0),
        (NoticeKind::SelectedProtocols, 0),
        (NoticeKind::InsufficientEvidence, 0),
    ];
    assert_eq!(kinds, expected, "the excluded tenant has none");
    for file in written.iter().flat_map(|one| &one.files) {
        assert!(file.is_file(), "{}", file.display());
    }
    let found = found(out.path());
    let of = |n: usize| found.get(&sample.assessment.tenants[n].tenant_id).cloned().unwrap_or_default();
    assert_eq!(of(0), four("notice"));
    assert_eq!(of(1), [four("notice"), four("selected_protocols")].concat());
    assert_eq!(of(2), four("notice"));
    assert_eq!(found.len(), 3);
}

#[test]
fn selected_protocols_that_are_off_already_make_no_draft_and_take_away_an_earlier_one() {
    let mut sample = Sample::all_protocols();
    sample.draft = true;
    let out = tempfile::tempdir().expect("a folder");
    write_all(out.path(), &sample.context(), &embedded()).expect("notices");
    let id = sample.assessment.tenants[1].tenant_id.clone();
    sample.roster.tenants.get_mut(&id).expect("in the roster").protocols_enabled =
        Some(vec![lightsout_model::protocol::Protocol::Imap4]);
    write_all(out.path(), &sample.context(), &embedded()).expect("notices");
    assert_eq!(found(out.path()).remove(&id), Some(four("notice")));
}

#[test]
fn announced_selected_protocols_are_the_tenants_notice_and_its_drafts_are_gone() {
    let mut sample = Sample::all_protocols();
    sample.draft = true;
    let out = tempfile::tempdir().expect("a folder");
    write_all(out.path(), &sample.context(), &embedded()).expect("notices");
    sample.draft = false;
    let tenant = &sample.assessment.tenants[1];
    let kind = NoticeKind::SelectedProtocols;
    let sent = out.path().join("sent");
    let written =
        write(&sent, kind, &sample.context(), tenant, &embedded(), Existing::Keep).expect("a notice");
    let removed = remove_drafts(&drafts(out.path()), &written).expect("drafts are removed");
    assert_eq!(removed.len(), 8);
    assert_eq!(found(out.path()).remove(&tenant.tenant_id), None, "no draft is left, and no folder");
    let text = fs::read_to_string(&written.files[0]).expect("the notice");
    assert!(
        text.starts_with("# Basic Authentication will be turned off in your tenant for 2 unused protocols"),
        "{text}"
    );
}

#[test]
fn a_hold_a_follow_up_and_a_report_lie_beside_the_notice_and_stay_there() {
    let out = tempfile::tempdir().expect("a folder");
    let all = Sample::all_protocols();
    let samples = [
        (NoticeKind::Hold, Sample::hold_for_usage()),
        (NoticeKind::FollowUp, Sample::follow_up()),
        (NoticeKind::UsageReport, Sample::usage_report()),
    ];
    for (kind, sample) in samples {
        let tenant = &sample.assessment.tenants[1];
        let folder = drafts(out.path());
        write(&folder, kind, &sample.context(), tenant, &embedded(), Existing::Replace).expect("a notice");
    }
    write_all(out.path(), &all.context(), &embedded()).expect("notices");
    let expected = ["follow_up", "hold", "notice", "usage_report"].map(four).concat();
    assert_eq!(found(out.path()).remove(&all.assessment.tenants[1].tenant_id), Some(expected));
}

#[test]
fn usage_reports_are_for_tenants_with_usage_and_last_months_do_not_stay_without() {
    let mut sample = Sample::usage_report();
    let out = tempfile::tempdir().expect("a folder");
    let written = write_usage_reports(out.path(), &sample.context(), &embedded()).expect("reports");
    let id = sample.assessment.tenants[1].tenant_id.clone();
    assert_eq!(written.iter().map(|one| one.tenant_id.as_str()).collect::<Vec<_>>(), [id.as_str()]);
    assert_eq!(found(out.path()).remove(&id), Some(four("usage_report")));
    sample.assessment.tenants[1].protocols_in_use.clear();
    assert!(write_usage_reports(out.path(), &sample.context(), &embedded()).expect("none").is_empty());
    assert_eq!(found(out.path()).remove(&id), Some(Vec::new()));
}

#[test]
fn a_tenant_that_gets_no_notice_any_more_keeps_none_of_an_earlier_run() {
    let mut sample = Sample::all_protocols();
    sample.draft = true;
    let out = tempfile::tempdir().expect("a folder");
    write_all(out.path(), &sample.context(), &embedded()).expect("notices");
    for tenant in &mut sample.assessment.tenants {
        tenant.verdict = TenantVerdict::Excluded;
    }
    assert!(write_all(out.path(), &sample.context(), &embedded()).expect("none").is_empty());
    assert!(found(out.path()).values().all(Vec::is_empty));
}

#[test]
fn ids_and_names_choose_no_folder_and_no_file() {
    let mut sample = Sample::all_protocols();
    sample.assessment.tenants[1].tenant_id = "../../etc".to_owned();
    let out = tempfile::tempdir().expect("a folder");
    let inside = out.path().join("a/b");
    write_all(&inside, &sample.context(), &embedded()).expect("notices");
    let found = found(&inside);
    assert_eq!(found.len(), 3);
    assert!(found.keys().any(|folder| folder.starts_with("tenant-")), "{found:?}");
    assert_eq!(fs::read_dir(out.path()).expect("the folder").count(), 1, "nothing beside it");
}

#[test]
fn a_notice_that_cannot_be_put_in_place_leaves_no_part_of_it() {
    let sample = Sample::all_protocols();
    let out = tempfile::tempdir().expect("a folder");
    let tenant = &sample.assessment.tenants[0];
    let folder = of_tenant(&drafts(out.path()), &tenant.tenant_id);
    fs::create_dir_all(folder.join("notice.html")).expect("a folder in the way");
    let (drafts, existing) = (drafts(out.path()), Existing::Replace);
    let told = write(&drafts, NoticeKind::NoImpact, &sample.context(), tenant, &embedded(), existing);
    let told = told.expect_err("a folder is in the way").to_string();
    assert!(told.contains("can't write") && told.contains("notice.html"), "{told}");
    assert_eq!(
        found(out.path()).remove(&tenant.tenant_id),
        Some(vec!["notice.html".to_owned(), "notice.md".to_owned()])
    );
}

#[test]
fn own_templates_are_used_for_what_is_written() {
    let own = tempfile::tempdir().expect("a folder");
    fs::write(own.path().join("no_impact.md"), "{# lang: de #}\n# Hallo {{ tenant.name }}\n")
        .expect("a template");
    let out = tempfile::tempdir().expect("a folder");
    let sample = Sample::all_protocols();
    let templates = Templates::load(Some(own.path())).expect("valid");
    write_all(out.path(), &sample.context(), &templates).expect("notices");
    let folder = out.path().join("notices").join(&sample.assessment.tenants[0].tenant_id);
    assert_eq!(fs::read_to_string(folder.join("notice.md")).expect("a notice"), "# Hallo Alpine Ski Club\n");
    let page = fs::read_to_string(folder.join("notice.html")).expect("a page");
    assert!(page.contains("<html lang=\"de\">") && page.contains("<title>Hallo Alpine Ski Club</title>"));
}

/// What `.ci/notices` looks at: `LIGHTSOUT_NOTICES` names the folder that they are left in.
#[test]
fn every_kind_is_written_for_friendly_and_hostile_tenants() {
    let place = tempfile::tempdir().expect("a folder");
    let out = std::env::var_os("LIGHTSOUT_NOTICES").map_or(place.path().to_owned(), PathBuf::from);
    let german = Sample::of_every_kind().into_iter().map(|(kind, sample, at)| (kind, sample.in_german(), at));
    for (n, (kind, mut sample, at)) in Sample::of_every_kind().into_iter().chain(german).enumerate() {
        for hostile in [false, true] {
            if hostile {
                let tenant = &mut sample.assessment.tenants[at];
                tenant.display_name = Some("</title><script>alert(1)</script>\u{202e}\r\n".to_owned());
                for row in sample.who.values_mut().flatten() {
                    row.user = "<img src=x onerror=alert(1)>|</td></table>".to_owned();
                    row.user_agent = Some("x".repeat(400));
                }
            }
            let nature = if hostile { "hostile" } else { "friendly" };
            let out = out.join(format!("{n}-{}-{nature}/notices", kind.as_str()));
            let (tenant, existing) = (&sample.assessment.tenants[at], Existing::Replace);
            let written =
                write(&out, kind, &sample.context(), tenant, &embedded(), existing).expect("a notice");
            let page = fs::read_to_string(&written.files[1]).expect("a page");
            assert_eq!(page.matches("</html>").count(), 1);
            assert!(!page.contains("<script") && !page.contains("<img"), "{page}");
        }
    }
}

#[test]
fn a_notice_that_was_sent_stays_as_it_was_and_a_part_that_is_missing_is_written() {
    let mut sample = Sample::all_protocols();
    let out = tempfile::tempdir().expect("a folder");
    let put = |sample: &Sample, existing| {
        let tenant = &sample.assessment.tenants[0];
        write(out.path(), NoticeKind::NoImpact, &sample.context(), tenant, &embedded(), existing)
    };
    let files = put(&sample, Existing::Keep).expect("a notice").files;
    let sent = fs::read(&files[0]).expect("the notice");
    sample.campaign.title = "Another title".to_owned();
    put(&sample, Existing::Keep).expect("it is there");
    assert_eq!(fs::read(&files[0]).expect("the notice"), sent);
    fs::remove_file(&files[2]).expect("it is there");
    put(&sample, Existing::Keep).expect("a notice");
    assert!(files[2].exists() && fs::read(&files[0]).expect("the notice") != sent);
    put(&sample, Existing::Replace).expect("a notice");
}
