//! `lightsout formats`: everything that ingest reads, and what each kind of file can prove.

use clap::Args;

use super::shared::print;
use crate::cli::failure::{Failure, Result};
use lightsout_formats::catalogue::{Catalogue, catalogue};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Print the list to stdout as one JSON object
    #[arg(long)]
    json: bool,
}

const WIDTH: usize = 80;
const INDENT: usize = 15;

pub(super) fn run(arguments: &Arguments) -> Result<u8> {
    let catalogue = catalogue();
    if arguments.json {
        let json = serde_json::to_string_pretty(&catalogue)
            .map_err(|source| Failure::Json { what: "the list of formats", source })?;
        print(&json);
    } else {
        print(text(&catalogue).trim_end());
    }
    Ok(0)
}

fn text(catalogue: &Catalogue) -> String {
    let mut text = String::from("Shapes of records\n\n");
    for shape in &catalogue.shapes {
        text.push_str(shape.name);
        text.push('\n');
        for (title, words) in [
            ("known by", shape.known_by),
            ("comes from", shape.comes_from),
            ("proves", shape.proves),
            ("cannot prove", shape.cannot_prove),
        ] {
            paragraph(&mut text, title, words);
        }
        text.push('\n');
    }
    text.push_str("Envelopes: members of an object that may hold the record\n\n");
    for envelope in &catalogue.envelopes {
        let title = format!("  {}", envelope.path);
        let pad = 24_usize.saturating_sub(title.len()).max(1);
        text.extend([title.as_str(), " ".repeat(pad).as_str(), envelope.written_by, "\n"]);
    }
    let deep = format!(
        "The payload is an object, JSON text, an array of either, or rows below a list of columns. The order of members \
         does not matter, envelopes may be nested {} deep, and a line may begin with what syslog or fluentd puts before \
         the record.",
        catalogue.envelopes_deep
    );
    text.push('\n');
    wrapped(&mut text, "", &deep, 0);
    text.push_str("\nFiles\n\n");
    paragraph(&mut text, "encodings", &catalogue.encodings.join(", "));
    paragraph(&mut text, "packed", catalogue.packed);
    paragraph(&mut text, "refused", catalogue.refused);
    text
}

fn paragraph(text: &mut String, title: &str, words: &str) {
    let title = format!("  {title}");
    let pad = INDENT.saturating_sub(title.len());
    wrapped(text, &format!("{title}{}", " ".repeat(pad)), words, INDENT);
}

/// Words in lines of the width, the first one behind `start`, the others indented.
fn wrapped(text: &mut String, start: &str, words: &str, indent: usize) {
    let mut line = start.to_owned();
    for word in words.split(' ') {
        let len = line.chars().count();
        if len + 1 + word.chars().count() > WIDTH && len > indent {
            text.push_str(line.trim_end());
            text.push('\n');
            line = " ".repeat(indent);
        }
        if !line.is_empty() && !line.ends_with(' ') {
            line.push(' ');
        }
        line.push_str(word);
    }
    text.push_str(line.trim_end());
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_fits_the_width_and_names_every_shape() {
        let text = text(&catalogue());
        for line in text.lines() {
            assert!(line.chars().count() <= WIDTH, "{line}");
        }
        for shape in lightsout_formats::shapes::Shape::ALL {
            assert!(text.contains(&format!("\n{}\n", shape.as_str())), "{shape:?}");
        }
    }
}
