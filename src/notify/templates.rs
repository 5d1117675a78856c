//! The texts of notices: one embedded minijinja template a kind, and short parts that they share. A
//! user's own folder replaces them file by file. Whatever a template prints is escaped for Markdown
//! unless it says `|safe`, so own templates are as safe against hostile names as the embedded ones.

use std::path::{Path, PathBuf};
use std::{fs, io};

use minijinja::value::ValueKind;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};

use super::NotifyError;
use super::facts::Facts;
use super::notice::NoticeKind;
use lightsout_output::text;

/// The embedded files, by the path under which an own folder replaces them.
const EMBEDDED: [(&str, &str); 24] = [
    ("no_impact.md", include_str!("templates/no_impact.md")),
    ("warning.md", include_str!("templates/warning.md")),
    ("selected_protocols.md", include_str!("templates/selected_protocols.md")),
    ("insufficient_evidence.md", include_str!("templates/insufficient_evidence.md")),
    ("hold.md", include_str!("templates/hold.md")),
    ("follow_up.md", include_str!("templates/follow_up.md")),
    ("usage_report.md", include_str!("templates/usage_report.md")),
    ("parts/about.md", include_str!("templates/parts/about.md")),
    ("parts/also_used.md", include_str!("templates/parts/also_used.md")),
    ("parts/attempted.md", include_str!("templates/parts/attempted.md")),
    ("parts/clients.md", include_str!("templates/parts/clients.md")),
    ("parts/contact.md", include_str!("templates/parts/contact.md")),
    ("parts/coverage.md", include_str!("templates/parts/coverage.md")),
    ("parts/date.md", include_str!("templates/parts/date.md")),
    ("parts/doubts.md", include_str!("templates/parts/doubts.md")),
    ("parts/earlier.md", include_str!("templates/parts/earlier.md")),
    ("parts/limits.md", include_str!("templates/parts/limits.md")),
    ("parts/lookback.md", include_str!("templates/parts/lookback.md")),
    ("parts/modern_auth.md", include_str!("templates/parts/modern_auth.md")),
    ("parts/opt_out.md", include_str!("templates/parts/opt_out.md")),
    ("parts/reference.md", include_str!("templates/parts/reference.md")),
    ("parts/scope.md", include_str!("templates/parts/scope.md")),
    ("parts/smtp_auth.md", include_str!("templates/parts/smtp_auth.md")),
    ("parts/who.md", include_str!("templates/parts/who.md")),
];

/// The variables that a template has.
pub(crate) const VARIABLES: [&str; 43] = [
    "already_off",
    "also_used",
    "attempted",
    "campaign",
    "change",
    "clear",
    "coverage",
    "date_is_fixed",
    "decision_id",
    "dismissed",
    "doubts",
    "draft",
    "effective_date",
    "evidence_reasons",
    "failed",
    "held",
    "in_use",
    "in_use_loss",
    "in_use_others",
    "in_use_text",
    "kept",
    "limits",
    "lookback_over",
    "method_only",
    "month",
    "notice_date",
    "notice_days",
    "operator",
    "out_of_scope",
    "outlook_modern_auth",
    "reasons",
    "scope",
    "smtp_auth",
    "smtp_report",
    "stays_on",
    "tenant",
    "told",
    "told_loss",
    "told_method",
    "usage",
    "users",
    "who",
    "window",
];

/// Templates that have been read and parsed, embedded or own.
#[derive(Debug)]
pub struct Templates {
    environment: Environment<'static>,
    /// Where the own ones are, for messages.
    own: Vec<(&'static str, PathBuf)>,
    /// The language of each template that states one.
    languages: Vec<(&'static str, String)>,
}

impl Templates {
    /// The embedded templates, those of `folder` in place of them. An own template in another language
    /// than English says so in its first line: `{# lang: da #}`.
    ///
    /// # Errors
    /// Fails if a file can't be read, is no template that is used, or has an error in its syntax.
    pub fn load(folder: Option<&Path>) -> Result<Self, NotifyError> {
        let mut templates = Self { environment: environment(), own: Vec::new(), languages: Vec::new() };
        if let Some(folder) = folder {
            refuse_unknown(folder)?;
        }
        for (name, embedded) in EMBEDDED {
            let own = folder.map(|folder| read_own(&folder.join(name))).transpose()?.flatten();
            let source = if let Some((path, source)) = own {
                templates.own.push((name, path));
                templates.languages.extend(language(&source).map(|language| (name, language)));
                source
            } else {
                embedded.to_owned()
            };
            let added = templates.environment.add_template_owned(name, source);
            added.map_err(|error| templates.failed(name, error))?;
        }
        match folder {
            Some(folder) if templates.own.is_empty() => {
                Err(NotifyError::NoTemplate { path: folder.to_owned(), expected: names() })
            }
            _ => Ok(templates),
        }
    }

    /// Markdown of one notice, and its language.
    pub(super) fn render(&self, kind: NoticeKind, facts: &Facts) -> Result<(String, &str), NotifyError> {
        let name = kind.template();
        let rendered = self.environment.get_template(name).and_then(|template| template.render(facts));
        let rendered = rendered.map_err(|error| self.failed(name, error))?;
        let language = self.languages.iter().find(|(of, _)| *of == name);
        Ok((one_blank_line(&rendered), language.map_or("en", |(_, language)| language)))
    }

    fn failed(&self, rendering: &str, error: minijinja::Error) -> NotifyError {
        // The outermost error is at the `include`, the innermost where the trouble is.
        let mut innermost = &error;
        while let Some(cause) = std::error::Error::source(innermost).and_then(|cause| cause.downcast_ref()) {
            innermost = cause;
        }
        let name = innermost.name().unwrap_or(rendering);
        let own = self.own.iter().find(|(own, _)| *own == name);
        let file = own.map_or_else(|| format!("{name} (embedded)"), |(_, path)| path.display().to_string());
        let line = innermost.line().unwrap_or(1);
        let reason = match innermost.detail() {
            Some(detail) => format!("{}: {detail}", innermost.kind()),
            None => innermost.kind().to_string(),
        };
        NotifyError::Template { file, line, reason, source: Box::new(error) }
    }
}

fn names() -> Vec<&'static str> {
    EMBEDDED.map(|(name, _)| name).to_vec()
}

/// A file whose name is misspelt would be passed over in silence, and the embedded text sent.
fn refuse_unknown(folder: &Path) -> Result<(), NotifyError> {
    for (inside, required) in [(folder.to_owned(), true), (folder.join("parts"), false)] {
        if !required && !inside.is_dir() {
            continue;
        }
        for entry in fs::read_dir(&inside).map_err(NotifyError::read_template(&inside))? {
            let path = entry.map_err(NotifyError::read_template(&inside))?.path();
            let template = path.extension().is_some_and(|extension| extension == "md")
                && path.file_name().is_some_and(|name| name != "README.md");
            if template && !EMBEDDED.iter().any(|(name, _)| path == folder.join(name)) {
                return Err(NotifyError::UnknownTemplate { path, expected: names() });
            }
        }
    }
    Ok(())
}

fn read_own(path: &Path) -> Result<Option<(PathBuf, String)>, NotifyError> {
    match fs::read_to_string(path) {
        Ok(source) => Ok(Some((path.to_owned(), source))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(NotifyError::read_template(path)(error)),
    }
}

fn language(source: &str) -> Option<String> {
    let stated = source.lines().next()?.trim().strip_prefix("{#")?.strip_suffix("#}")?.trim();
    let language = stated.strip_prefix("lang:")?.trim();
    let valid = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    (!language.is_empty() && language.bytes().all(valid)).then(|| language.to_owned())
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    environment.set_keep_trailing_newline(true);
    environment.set_auto_escape_callback(|_| AutoEscape::Custom("markdown"));
    environment.set_formatter(|out, _, value| {
        let written = match value.as_str() {
            Some(text) if value.is_safe() => out.write_str(text),
            Some(text) => out.write_str(&text::markdown(text)),
            None if value.kind() == ValueKind::None => out.write_str("not known"),
            None => out.write_str(&text::markdown(&value.to_string())),
        };
        written.map_err(minijinja::Error::from)
    });
    environment.add_filter("count", |n: u64, one: &str, many: &str| text::count(n, one, many));
    environment.add_filter("number", text::number);
    environment
}

/// Blocks that were left out leave empty lines behind: at most one between paragraphs.
fn one_blank_line(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    for line in text.lines().map(str::trim_end) {
        if !(line.is_empty() && (kept.is_empty() || kept.ends_with("\n\n"))) {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept.truncate(kept.trim_end().len());
    kept.push('\n');
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notice_content::NoticeContent;
    use crate::sample::Sample;

    fn folder_with(name: &str, text: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join(name), text).expect("a template");
        folder
    }

    fn facts(sample: &Sample) -> Facts {
        let (context, tenant) = (sample.context(), &sample.assessment.tenants[0]);
        let told =
            NoticeContent::of(NoticeKind::NoImpact, &context, tenant).expect("there is something to tell");
        Facts::of(&told, &context, tenant)
    }

    #[test]
    fn the_variables_that_errors_tell_of_are_those_that_there_are() {
        let facts = serde_json::to_value(facts(&Sample::all_protocols())).expect("JSON");
        let mut names: Vec<&String> = facts.as_object().expect("an object").keys().collect();
        names.sort();
        assert_eq!(names, VARIABLES);
    }

    #[test]
    fn an_own_template_replaces_its_embedded_one_and_no_other() {
        let folder = folder_with("no_impact.md", "{# lang: da #}\n# Hej {{ tenant.name }}\n");
        let templates = Templates::load(Some(folder.path())).expect("valid");
        let sample = Sample::all_protocols();
        let (own, language) = templates.render(NoticeKind::NoImpact, &facts(&sample)).expect("renders");
        assert_eq!((own.as_str(), language), ("# Hej Alpine Ski Club\n", "da"));
        let (warning, language) = templates.render(NoticeKind::Warning, &facts(&sample)).expect("renders");
        assert!(warning.contains("still in use") && language == "en");
    }

    #[test]
    fn what_an_own_template_prints_is_escaped_too() {
        let folder = folder_with("no_impact.md", "{{ tenant.name }}");
        let templates = Templates::load(Some(folder.path())).expect("valid");
        let mut sample = Sample::all_protocols();
        sample.assessment.tenants[0].display_name = Some("<img src=x>\n# [a](http://b)".to_owned());
        let (own, _) = templates.render(NoticeKind::NoImpact, &facts(&sample)).expect("renders");
        assert_eq!(own, "\\<img src=x\\> # \\[a\\](http\\://b)\n");
    }

    #[test]
    fn an_unknown_variable_is_told_with_file_line_and_the_variables_there_are() {
        let folder = folder_with("warning.md", "# Title\n\n{{ tenent.name }}\n");
        let templates = Templates::load(Some(folder.path())).expect("the syntax is valid");
        let sample = Sample::all_protocols();
        let told = templates.render(NoticeKind::Warning, &facts(&sample)).expect_err("no such variable");
        let told = told.to_string();
        assert!(told.contains("warning.md, line 3: undefined value"), "{told}");
        assert!(told.contains("coverage") && told.contains("users, who, window"), "{told}");
    }

    #[test]
    fn an_error_of_syntax_is_told_when_the_templates_are_loaded() {
        let folder = folder_with("warning.md", "# Title\n{% if users %}\n");
        let told = Templates::load(Some(folder.path())).expect_err("no endif").to_string();
        assert!(told.contains("warning.md, line 2") && told.contains("syntax error"), "{told}");
    }

    #[test]
    fn an_error_in_a_part_is_told_where_it_is_not_where_it_is_included() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("parts")).expect("a folder");
        fs::write(folder.path().join("parts/about.md"), "\n\n{{ nobody }}").expect("a part");
        let templates = Templates::load(Some(folder.path())).expect("the syntax is valid");
        let sample = Sample::all_protocols();
        let told = templates.render(NoticeKind::NoImpact, &facts(&sample)).expect_err("no such variable");
        assert!(told.to_string().contains("parts/about.md, line 3"), "{told}");
    }

    #[test]
    fn a_misspelt_file_name_is_refused_with_the_valid_ones() {
        let folder = folder_with("noimpact.md", "# Hello");
        let told = Templates::load(Some(folder.path())).expect_err("not used").to_string();
        assert!(told.contains("noimpact.md is no template") && told.contains("no_impact.md"), "{told}");
    }

    #[test]
    fn a_folder_without_a_template_and_one_that_is_not_there_are_told() {
        let folder = folder_with("README.md", "mine");
        let told = Templates::load(Some(folder.path())).expect_err("empty").to_string();
        assert!(told.contains("holds no template"), "{told}");
        let told = Templates::load(Some(&folder.path().join("gone"))).expect_err("gone").to_string();
        assert!(told.contains("can't read") && told.contains("gone"), "{told}");
    }
}
