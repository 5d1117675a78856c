//! What a case is told, as a text: the commands and what they say, without the SQL. The verdict is
//! asked for in the test itself, so that rewriting the texts cannot change it unseen.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::logs::Tenant;
use crate::program::Place;

const LAKE: &str = "lake";

pub(crate) struct Case {
    name: &'static str,
    pub(crate) place: Place,
    text: String,
}

impl Case {
    /// `story` opens the text: who these people are, and what they handed in.
    pub(crate) fn new(name: &'static str, story: &str) -> Self {
        Self { name, place: Place::new(), text: format!("{story}\n") }
    }

    /// Runs the program and tells how; the answer is not told.
    fn lightsout(&mut self, arguments: &[&str]) -> (String, String) {
        self.lightsout_with(0, arguments)
    }

    fn lightsout_with(&mut self, code: i32, arguments: &[&str]) -> (String, String) {
        let shown: Vec<String> = arguments
            .iter()
            .map(|word| if word.contains(' ') { format!("'{word}'") } else { (*word).to_owned() })
            .collect();
        let _ = writeln!(self.text, "\n$ lightsout {}", shown.join(" "));
        let output = Command::new(env!("CARGO_BIN_EXE_lightsout"))
            .args(arguments)
            .arg("--lake")
            .arg(self.place.path(LAKE))
            .current_dir(self.place.path(""))
            .env_remove("LIGHTSOUT_LAKE")
            .output()
            .expect("the program starts");
        let text = |bytes| String::from_utf8(bytes).expect("text");
        let (stdout, stderr) = (text(output.stdout), text(output.stderr));
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {stderr}");
        (stdout, stderr)
    }

    /// An ingest that refuses a file, and what it says of that.
    pub(crate) fn ingest_with_rejects(&mut self, arguments: &[&str]) {
        let (_, stderr) = self.lightsout_with(3, &[&["ingest"], arguments].concat());
        let refused = stderr.lines().filter(|line| line.starts_with("refused "));
        self.text
            .extend(refused.map(|line| line.replace(&self.place.path("").display().to_string(), "") + "\n"));
    }

    pub(crate) fn dismiss(&mut self, arguments: &[&str]) {
        self.lightsout(&[&["lake", "dismiss"], arguments].concat());
    }

    pub(crate) fn ingest(&mut self, arguments: &[&str]) {
        self.lightsout(&[&["ingest"], arguments].concat());
    }

    /// The closing table.
    pub(crate) fn assess(&mut self, arguments: &[&str]) {
        let (_, stderr) = self.lightsout(&[&["assess"], arguments].concat());
        for line in stderr.lines() {
            // An id changes with every query.
            let line = if line.starts_with("decision ") { "decision [..]" } else { line.trim_end() };
            let _ = writeln!(self.text, "{line}");
        }
    }

    /// Tells why a tenant has its verdict, which has to be this one.
    pub(crate) fn explain(&mut self, tenant: &Tenant, verdict: &str, arguments: &[&str]) {
        let (stdout, _) = self.lightsout(&[&["explain", tenant.id.as_str()], arguments].concat());
        let told = stdout.split("\n-- ").next().unwrap_or_default();
        let short = without_idle_protocols(told);
        let short = short.lines().map(without_day_of_dismissal).collect::<String>();
        self.text.push_str(&short);
        let second = told.lines().nth(1).unwrap_or_default();
        assert!(second.starts_with(&format!("{verdict} in campaign")), "{}:\n{short}", self.name);
    }

    /// The chapter of a tenant's notice that has this heading.
    pub(crate) fn notice(&mut self, tenant: &Tenant, heading: &str) {
        self.lightsout(&["notices"]);
        let path = self.place.path("out/notices").join(&tenant.id).join("notice.md");
        let notice = fs::read_to_string(path).expect("a notice");
        let title = notice.lines().find(|line| line.starts_with("# ")).unwrap_or_default();
        let chapter =
            notice.split("\n## ").find(|chapter| chapter.starts_with(heading)).expect("the chapter");
        let _ = writeln!(self.text, "{title}\n\n## {}", chapter.trim_end());
    }

    /// A file that the last command left.
    pub(crate) fn file(&mut self, name: &str) {
        let text = fs::read_to_string(self.place.path(name)).expect("a file");
        let _ = write!(self.text, "\n{name}\n{text}");
    }

    /// Compares all that was told with what was told before.
    pub(crate) fn matches_what_was_told(self) {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/real_life/told/{}.txt", self.name));
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            fs::write(&path, &self.text).expect("a file");
        }
        let expected = fs::read_to_string(&path).unwrap_or_default();
        assert!(expected == self.text, "{}\nexpected:\n{expected}\nfound:\n{}", path.display(), self.text);
    }
}

/// A dismissal is of today.
fn without_day_of_dismissal(line: &str) -> String {
    match (line.strip_prefix("dismissed: "), line.split_once(" on 20")) {
        (Some(_), Some((before, after))) => format!("{before} on [..]{}\n", &after["00-00-00".len()..]),
        _ => format!("{line}\n"),
    }
}

/// Lines of protocols that nobody used or tried say nothing here.
fn without_idle_protocols(told: &str) -> String {
    let idle = |line: &str| line.matches(" 0 ").count() == 6;
    told.lines().filter(|line| !idle(line)).fold(String::new(), |text, line| text + line.trim_end() + "\n")
}
