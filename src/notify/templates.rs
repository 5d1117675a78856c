//! The texts of notices: in each language one embedded minijinja template a kind, and short parts that they share. A
//! user's own folder replaces them file by file. Whatever a template prints is escaped for Markdown
//! unless it says `|safe`, so own templates are as safe against hostile names as the embedded ones.

use std::path::{Path, PathBuf};
use std::{fs, io};

use minijinja::value::ValueKind;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};

use super::facts::Facts;
use super::locale::Locale;
use super::notice::NoticeKind;
use super::{NotifyError, phrases};
use lightsout_model::language::Language;
use lightsout_output::atomic_file::write_content;
use lightsout_output::text;

/// The path of a template, and its text in each language, in the order of [`Language::ALL`]: a text that lacks a
/// language does not compile.
macro_rules! embedded {
    ($name:literal) => {
        (
            $name,
            [include_str!(concat!("templates/en/", $name)), include_str!(concat!("templates/de/", $name))],
        )
    };
}

/// The embedded files, by the path under which an own folder replaces them.
const EMBEDDED: [(&str, [&str; Language::ALL.len()]); 34] = [
    embedded!("no_impact.md"),
    embedded!("warning.md"),
    embedded!("selected_protocols.md"),
    embedded!("insufficient_evidence.md"),
    embedded!("hold.md"),
    embedded!("follow_up.md"),
    embedded!("released.md"),
    embedded!("withdrawn.md"),
    embedded!("rescheduled.md"),
    embedded!("used_after_change.md"),
    embedded!("corrected.md"),
    embedded!("opted_in.md"),
    embedded!("usage_report.md"),
    embedded!("parts/about.md"),
    embedded!("parts/also_used.md"),
    embedded!("parts/attempted.md"),
    embedded!("parts/clients.md"),
    embedded!("parts/contact.md"),
    embedded!("parts/coverage.md"),
    embedded!("parts/date.md"),
    embedded!("parts/doubts.md"),
    embedded!("parts/earlier.md"),
    embedded!("parts/explanation.md"),
    embedded!("parts/limits.md"),
    embedded!("parts/lookback.md"),
    embedded!("parts/modern_auth.md"),
    embedded!("parts/opt_out.md"),
    embedded!("parts/reference.md"),
    embedded!("parts/scope.md"),
    embedded!("parts/searched.md"),
    embedded!("parts/signature.md"),
    embedded!("parts/smtp_auth.md"),
    embedded!("parts/turned_off.md"),
    embedded!("parts/who.md"),
];

/// The variables that a template has.
pub(crate) const VARIABLES: [&str; 44] = [
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
    "effective_date_passed",
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
    /// In the order of [`Language::ALL`].
    languages: Vec<OfLanguage>,
}

/// The templates of one language.
#[derive(Debug)]
struct OfLanguage {
    language: Language,
    environment: Environment<'static>,
    /// Where the own ones are, for messages.
    own: Vec<(&'static str, PathBuf)>,
    /// The language that an own template states for itself.
    stated: Vec<(&'static str, String)>,
}

impl Templates {
    /// The embedded templates, those of `folder` in place of them: those of a language are in a folder of its tag, and
    /// English ones may be in `folder` itself. An own template in another language yet says so in its first
    /// line: `{# lang: da #}`.
    ///
    /// # Errors
    /// Fails if a file can't be read, is no template that is used, or has an error in its syntax.
    pub fn load(folder: Option<&Path>) -> Result<Self, NotifyError> {
        if let Some(folder) = folder {
            refuse_unknown(folder)?;
        }
        let languages = Language::ALL.into_iter().enumerate().map(|(at, language)| {
            let mut templates = OfLanguage {
                language,
                environment: environment(Locale(language)),
                own: Vec::new(),
                stated: Vec::new(),
            };
            for (name, embedded) in EMBEDDED {
                templates.add(name, embedded[at], folder)?;
            }
            Ok(templates)
        });
        let languages = languages.collect::<Result<Vec<_>, NotifyError>>()?;
        match folder {
            Some(folder) if languages.iter().all(|templates| templates.own.is_empty()) => {
                Err(NotifyError::NoTemplate { path: folder.to_owned(), expected: names() })
            }
            _ => Ok(Self { languages }),
        }
    }

    /// Writes the embedded templates of every language, to be copied and changed.
    ///
    /// # Errors
    /// Fails if one of the files is there already, before anything is written; or if one can't be written.
    pub fn write_embedded(folder: &Path) -> Result<usize, NotifyError> {
        let paths =
            |language: Language| EMBEDDED.map(|(name, _)| folder.join(language.tag()).join(name)).into_iter();
        if let Some(path) = Language::ALL.into_iter().flat_map(paths).find(|path| path.exists()) {
            return Err(NotifyError::TemplateExists { path });
        }
        for (at, language) in Language::ALL.into_iter().enumerate() {
            let parts = folder.join(language.tag()).join("parts");
            fs::create_dir_all(&parts).map_err(lightsout_output::Error::create_folder(&parts))?;
            for (path, (_, texts)) in paths(language).zip(EMBEDDED) {
                let text: &str = texts[at];
                write_content(&path, text.as_bytes())?;
            }
        }
        Ok(EMBEDDED.len() * Language::ALL.len())
    }

    /// Markdown of one notice, and the tag of its language.
    pub(super) fn render(
        &self,
        kind: NoticeKind,
        language: Language,
        facts: &Facts,
    ) -> Result<(String, &str), NotifyError> {
        self.languages[language as usize].render(kind, facts)
    }
}

impl OfLanguage {
    fn add(&mut self, name: &'static str, embedded: &str, folder: Option<&Path>) -> Result<(), NotifyError> {
        let own = folder.map(|folder| read_own(folder, self.language, name)).transpose()?.flatten();
        let source = if let Some((path, source)) = own {
            self.own.push((name, path));
            self.stated.extend(stated_language(&source).map(|language| (name, language)));
            source
        } else {
            embedded.to_owned()
        };
        let added = self.environment.add_template_owned(name, source);
        added.map_err(|error| self.failed(name, error))
    }

    fn render(&self, kind: NoticeKind, facts: &Facts) -> Result<(String, &str), NotifyError> {
        let name = kind.template();
        let rendered = self.environment.get_template(name).and_then(|template| template.render(facts));
        let rendered = rendered.map_err(|error| self.failed(name, error))?;
        let stated = self.stated.iter().find(|(of, _)| *of == name);
        Ok((tidy(&rendered), stated.map_or(self.language.tag(), |(_, language)| language)))
    }

    fn failed(&self, rendering: &str, error: minijinja::Error) -> NotifyError {
        // The outermost error is at the `include`, the innermost where the trouble is.
        let mut innermost = &error;
        while let Some(cause) = std::error::Error::source(innermost).and_then(|cause| cause.downcast_ref()) {
            innermost = cause;
        }
        let name = innermost.name().unwrap_or(rendering);
        let own = self.own.iter().find(|(own, _)| *own == name);
        let embedded = || format!("{}/{name} (embedded)", self.language.tag());
        let file = own.map_or_else(embedded, |(_, path)| path.display().to_string());
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

/// A file whose name is misspelt would be passed over in silence, and the embedded text sent; of two of one name, one.
fn refuse_unknown(folder: &Path) -> Result<(), NotifyError> {
    let english = folder.join(Language::English.tag());
    let mut roots = vec![folder.to_owned()];
    roots.extend(Language::ALL.into_iter().map(|language| folder.join(language.tag())));
    for root in roots {
        for (inside, required) in [(root.clone(), root == folder), (root.join("parts"), false)] {
            if !required && !inside.is_dir() {
                continue;
            }
            for entry in fs::read_dir(&inside).map_err(NotifyError::read_template(&inside))? {
                let path = entry.map_err(NotifyError::read_template(&inside))?.path();
                let template = path.extension().is_some_and(|extension| extension == "md")
                    && path.file_name().is_some_and(|name| name != "README.md");
                let name = EMBEDDED.iter().map(|(name, _)| *name).find(|name| path == root.join(name));
                match name {
                    None if template => {
                        return Err(NotifyError::UnknownTemplate { path, expected: names() });
                    }
                    Some(name) if root == folder && english.join(name).exists() => {
                        return Err(NotifyError::TwoTemplates { path, other: english.join(name) });
                    }
                    _ => {}
                }
            }
        }
    }
    Ok(())
}

fn read_own(folder: &Path, language: Language, name: &str) -> Result<Option<(PathBuf, String)>, NotifyError> {
    let mut paths = vec![folder.join(language.tag()).join(name)];
    if language == Language::English {
        paths.push(folder.join(name));
    }
    for path in paths {
        match fs::read_to_string(&path) {
            Ok(source) => return Ok(Some((path, source))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(NotifyError::read_template(&path)(error)),
        }
    }
    Ok(None)
}

fn stated_language(source: &str) -> Option<String> {
    let stated = source.lines().next()?.trim().strip_prefix("{#")?.strip_suffix("#}")?.trim();
    let language = stated.strip_prefix("lang:")?.trim();
    let valid = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    (!language.is_empty() && language.bytes().all(valid)).then(|| language.to_owned())
}

fn environment(locale: Locale) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    environment.set_keep_trailing_newline(true);
    environment.set_auto_escape_callback(|_| AutoEscape::Custom("markdown"));
    environment.set_formatter(move |out, _, value| {
        let written = match value.as_str() {
            Some(text) if value.is_safe() => out.write_str(text),
            Some(text) => out.write_str(&text::markdown(text)),
            None if value.kind() == ValueKind::None => out.write_str(locale.text(phrases::NOT_KNOWN)),
            None => out.write_str(&text::markdown(&value.to_string())),
        };
        written.map_err(minijinja::Error::from)
    });
    environment.add_filter("count", move |n: u64, one: &str, many: &str| {
        format!("{} {}", locale.number(n), if n == 1 { one } else { many })
    });
    environment.add_filter("number", move |n: u64| locale.number(n));
    environment
}

/// Blocks that were left out leave empty lines behind: at most one between paragraphs. A number with a full stop begins
/// a list only at the start of a line: "24. Dezember" stays readable everywhere else.
fn tidy(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    for line in text.lines().map(str::trim_end) {
        if !(line.is_empty() && (kept.is_empty() || kept.ends_with("\n\n"))) {
            for (at, part) in line.split("\\.").enumerate() {
                let start = kept.rfind('\n').map_or(0, |end| end + 1);
                let before = kept[start..].trim_end_matches(|c: char| c.is_ascii_digit());
                let is_number = before.len() < kept.len() - start;
                let begins = before.chars().all(|c| " \t>*+-".contains(c));
                if at > 0 {
                    kept.push_str(if is_number && !begins { "." } else { "\\." });
                }
                kept.push_str(part);
            }
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
        let (own, language) =
            templates.render(NoticeKind::NoImpact, Language::English, &facts(&sample)).expect("renders");
        assert_eq!((own.as_str(), language), ("# Hej Alpine Ski Club\n", "da"));
        let (warning, language) =
            templates.render(NoticeKind::Warning, Language::English, &facts(&sample)).expect("renders");
        assert!(warning.contains("still in use") && language == "en");
    }

    #[test]
    fn what_an_own_template_prints_is_escaped_too() {
        let folder = folder_with("no_impact.md", "{{ tenant.name }}");
        let templates = Templates::load(Some(folder.path())).expect("valid");
        let mut sample = Sample::all_protocols();
        sample.assessment.tenants[0].display_name = Some("<img src=x>\n# [a](http://b)".to_owned());
        let (own, _) =
            templates.render(NoticeKind::NoImpact, Language::English, &facts(&sample)).expect("renders");
        assert_eq!(own, "\\<img src=x\\> # \\[a\\](http\\://b)\n");
    }

    #[test]
    fn an_unknown_variable_is_told_with_file_line_and_the_variables_there_are() {
        let folder = folder_with("warning.md", "# Title\n\n{{ tenent.name }}\n");
        let templates = Templates::load(Some(folder.path())).expect("the syntax is valid");
        let sample = Sample::all_protocols();
        let told = templates
            .render(NoticeKind::Warning, Language::English, &facts(&sample))
            .expect_err("no such variable");
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
        let told = templates
            .render(NoticeKind::NoImpact, Language::English, &facts(&sample))
            .expect_err("no such variable");
        assert!(told.to_string().contains("parts/about.md, line 3"), "{told}");
    }

    #[test]
    fn a_full_stop_after_a_number_is_escaped_only_where_it_would_begin_a_list() {
        for (text, expected) in [
            ("Am **24\\. Dezember**, | 1\\.204 | 3\\. |", "Am **24. Dezember**, | 1.204 | 3. |\n"),
            ("24\\. Dezember", "24\\. Dezember\n"),
            ("- 24\\. Dezember", "- 24\\. Dezember\n"),
            ("a 1\\\\. b www\\.c", "a 1\\\\. b www\\.c\n"),
        ] {
            assert_eq!(tidy(text), expected);
        }
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

    #[test]
    fn a_folder_of_a_language_replaces_the_templates_of_that_language() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir_all(folder.path().join("de/parts")).expect("a folder");
        fs::write(folder.path().join("de/no_impact.md"), "# Hallo {{ tenant.name }}\n").expect("a template");
        fs::write(folder.path().join("de/parts/date.md"), "").expect("a part");
        let templates = Templates::load(Some(folder.path())).expect("valid");
        let facts = facts(&Sample::all_protocols());
        let (german, tag) =
            templates.render(NoticeKind::NoImpact, Language::German, &facts).expect("renders");
        assert_eq!((german.as_str(), tag), ("# Hallo Alpine Ski Club\n", "de"));
        let (english, tag) =
            templates.render(NoticeKind::NoImpact, Language::English, &facts).expect("renders");
        assert!(english.contains("No action is needed") && tag == "en", "{english}");

        fs::create_dir(folder.path().join("en")).expect("a folder");
        for file in ["warning.md", "en/warning.md"] {
            fs::write(folder.path().join(file), "# Hello\n").expect("a template");
        }
        let told = Templates::load(Some(folder.path())).expect_err("two of one name").to_string();
        assert!(told.contains("en/warning.md") && told.contains("remove one"), "{told}");
        fs::write(folder.path().join("de/warnung.md"), "# Hallo\n").expect("a template");
        fs::remove_file(folder.path().join("warning.md")).expect("it is there");
        let told = Templates::load(Some(folder.path())).expect_err("no such template").to_string();
        assert!(told.contains("warnung.md is no template"), "{told}");
    }

    #[test]
    fn the_templates_that_are_written_are_those_that_are_used_and_nothing_is_overwritten() {
        let folder = tempfile::tempdir().expect("a folder");
        let written = Templates::write_embedded(folder.path()).expect("the folder is empty");
        assert_eq!(written, 2 * EMBEDDED.len());
        let facts = facts(&Sample::all_protocols());
        let render = |folder: Option<&Path>, language| {
            let templates = Templates::load(folder).expect("valid");
            templates.render(NoticeKind::NoImpact, language, &facts).map(|(text, _)| text).expect("renders")
        };
        for language in Language::ALL {
            assert_eq!(render(Some(folder.path()), language), render(None, language));
        }
        fs::remove_file(folder.path().join("en/hold.md")).expect("it is there");
        fs::write(folder.path().join("de/hold.md"), "mine").expect("a template");
        let told = Templates::write_embedded(folder.path()).expect_err("a file is there").to_string();
        assert!(told.contains("is there already"), "{told}");
        assert!(!folder.path().join("en/hold.md").exists(), "nothing was written");
    }
}
