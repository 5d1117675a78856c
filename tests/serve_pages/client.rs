//! A browser that can do little: one request, one answer.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use crate::server::Server;

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: String,
    pub(crate) body: String,
}

impl Answer {
    /// A header by its name in lower case, empty where there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.lines().filter_map(|line| line.split_once(": "));
        found
            .filter(|(of, _)| of.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
            .next()
            .unwrap_or_default()
    }

    /// The text with its markup's own characters as themselves.
    pub(crate) fn text(&self) -> String {
        let mut text = self.body.clone();
        for (written, meant) in
            [("&#x2f;", "/"), ("&#x27;", "'"), ("&#39;", "'"), ("&quot;", "\""), ("&lt;", "<"), ("&gt;", ">")]
        {
            text = text.replace(written, meant);
        }
        text.replace("&amp;", "&")
    }

    /// Where the link with these words leads.
    pub(crate) fn link(&self, words: &str) -> String {
        let text = self.text();
        let (before, _) =
            text.split_once(&format!("\">{words}</a>")).unwrap_or_else(|| panic!("{words}: {text}"));
        before.rsplit_once("href=\"").expect("an address").1.to_owned()
    }
}

impl Server {
    pub(crate) fn ask(&self, method: &str, path: &str) -> Answer {
        let mut stream = TcpStream::connect(("127.0.0.1", self.http_port)).expect("a connection");
        stream.set_read_timeout(Some(Duration::from_mins(2))).expect("a limit");
        let request = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("sent");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("an answer");
        let answer = String::from_utf8(answer).expect("text");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        let (status, headers) = head.split_once("\r\n").expect("a status and headers");
        let status = status.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a code");
        Answer { status, headers: headers.to_owned(), body: body.to_owned() }
    }

    /// A page that is there.
    pub(crate) fn page(&self, path: &str) -> Answer {
        let answer = self.ask("GET", path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer
    }
}

/// What lies between two marks, the second after the first.
pub(crate) fn between<'a>(page: &'a str, from: &str, to: &str) -> &'a str {
    let (_, rest) = page.split_once(from).unwrap_or_else(|| panic!("{from} is not in {page}"));
    rest.split_once(to).unwrap_or_else(|| panic!("{to} does not follow {from}")).0
}

/// The rows of a list, each as its cells' text without markup.
pub(crate) fn rows(page: &str, id: &str) -> Vec<Vec<String>> {
    let list = between(page, &format!("<div class=list id={id}>"), "</div></div>");
    let text = |cell: &str| {
        let mut text = String::new();
        let mut inside = false;
        for c in cell.chars() {
            match c {
                '<' => inside = false,
                '>' => inside = true,
                c if inside => text.push(c),
                _ => {}
            }
        }
        text.replace(',', "").trim().to_owned()
    };
    list.split("\n<tr>")
        .skip(1)
        .map(|row| {
            let row = row.lines().next().unwrap_or_default().replace("<th", "<td");
            row.split("<td").skip(1).map(text).collect()
        })
        .collect()
}
