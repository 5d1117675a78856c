//! The house: which crate may use which, and that the rooms of a crate do not go in circles. The permitted edges are
//! the table of `src/README.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use syn::visit::Visit;

type Edges = BTreeMap<String, BTreeSet<String>>;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The crates of the workspace, by the names of their folders, and which of each other they use.
fn crates() -> Edges {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version=1", "--locked", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo metadata");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let texts = |value: &serde_json::Value| value.as_str().expect("a name").to_owned();
    let mut crates = Edges::new();
    for package in metadata["packages"].as_array().expect("packages") {
        let dependencies = package["dependencies"].as_array().expect("dependencies").iter();
        // What tests use beside is no edge.
        let used = dependencies.filter(|dependency| dependency["kind"].is_null());
        let used = used.map(|dependency| texts(&dependency["name"]));
        let own = used.filter_map(|name| name.strip_prefix("lightsout-").map(str::to_owned)).collect();
        let name = texts(&package["name"]);
        crates.insert(name.strip_prefix("lightsout-").unwrap_or("root").to_owned(), own);
    }
    crates
}

/// The table "crate | owns | may use" of `src/README.md`.
fn permitted() -> Edges {
    let text = read(&root().join("src/README.md"));
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `")?.strip_suffix(" |"));
    rows.filter_map(|row| {
        let mut cells = row.split(" | ");
        let name = cells.next()?.strip_suffix('`')?.to_owned();
        let may_use = cells.nth(1)?.split(", ").filter(|name| *name != "-").map(str::to_owned).collect();
        Some((name, may_use))
    })
    .collect()
}

#[test]
fn the_crates_use_each_other_as_the_table_permits() {
    let (crates, permitted) = (crates(), permitted());
    let names = |edges: &Edges| edges.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&crates), names(&permitted), "the crates, and the rows of src/README.md");
    for (name, used) in &crates {
        let beyond: Vec<&String> = used.difference(&permitted[name]).collect();
        assert!(beyond.is_empty(), "{name} uses {beyond:?}, which src/README.md does not permit");
        let unused: Vec<&String> = permitted[name].difference(used).collect();
        assert!(unused.is_empty(), "src/README.md permits {name} to use {unused:?}, and it does not");
    }
}

/// Circles of modules that are left, with the reason.
const CIRCLES: [(&str, &[&str], &str); 3] = [
    (
        "assess",
        &["protocols", "settings"],
        "a protocol is off by settings, and settings are asked by protocol",
    ),
    ("model", &["evidence", "settings"], "days are in evidence, which has settings in it"),
    (
        "notify",
        &["facts", "mail", "message", "notice", "notice_content", "templates"],
        "a template and the facts that fill it know each other's names",
    ),
];

/// The module that a file of a crate is part of, and the path of modules to it.
fn modules_of(folder: &Path, file: &Path) -> Vec<String> {
    let inside = file.strip_prefix(folder).expect("a file of the crate").with_extension("");
    let mut names: Vec<String> = inside.iter().map(|name| name.to_string_lossy().into_owned()).collect();
    if names.last().is_some_and(|name| name == "mod" || name == "lib") {
        names.pop();
    }
    names
}

/// What a file names of its own crate, by the name of the module below the root.
struct Uses<'a> {
    /// The module that is looked at.
    place: Vec<String>,
    modules: &'a BTreeSet<String>,
    found: BTreeSet<String>,
}

impl Uses<'_> {
    fn add(&mut self, path: &[String]) {
        let target = match path.first().map(String::as_str) {
            Some("crate") => path.get(1).cloned(),
            Some("super") => {
                let ups = path.iter().take_while(|name| *name == "super").count();
                // Below the root the path begins at the root's own modules.
                match self.place.len().checked_sub(ups) {
                    Some(0) => path.get(ups).cloned(),
                    _ => None,
                }
            }
            _ => None,
        };
        self.found.extend(target.filter(|name| self.modules.contains(name)));
    }

    fn add_tree(&mut self, tree: &syn::UseTree, before: &[String]) {
        let with = |name: &syn::Ident| {
            let mut path = before.to_vec();
            path.push(name.to_string());
            path
        };
        match tree {
            syn::UseTree::Path(path) => self.add_tree(&path.tree, &with(&path.ident)),
            syn::UseTree::Name(name) => self.add(&with(&name.ident)),
            syn::UseTree::Rename(name) => self.add(&with(&name.ident)),
            syn::UseTree::Glob(_) => self.add(before),
            syn::UseTree::Group(group) => group.items.iter().for_each(|tree| self.add_tree(tree, before)),
        }
    }
}

fn is_of_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Ident>().is_ok_and(|condition| condition == "test")
    })
}

impl<'ast> Visit<'ast> for Uses<'_> {
    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        if is_of_tests(&module.attrs) {
            return;
        }
        self.place.push(module.ident.to_string());
        syn::visit::visit_item_mod(self, module);
        self.place.pop();
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.add_tree(&item.tree, &[]);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.add(&names);
        syn::visit::visit_path(self, path);
    }
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let files =
        walkdir::WalkDir::new(folder).sort_by_file_name().into_iter().map(|entry| entry.expect("an entry"));
    let rust = files.map(walkdir::DirEntry::into_path);
    let is_test = |path: &Path| {
        path.strip_prefix(folder).is_ok_and(|inside| {
            inside.iter().any(|name| name.to_string_lossy().trim_end_matches(".rs").ends_with("tests"))
        })
    };
    rust.filter(|path| path.extension().is_some_and(|extension| extension == "rs") && !is_test(path))
        .collect()
}

/// For each module below a crate's root, the others that its files name.
fn modules(folder: &Path) -> Edges {
    let files = rust_files(folder);
    let names: BTreeSet<String> =
        files.iter().filter_map(|file| modules_of(folder, file).into_iter().next()).collect();
    let mut edges = Edges::new();
    for file in &files {
        let place = modules_of(folder, file);
        let Some(module) = place.first().cloned() else { continue };
        let syntax =
            syn::parse_file(&read(file)).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let mut uses = Uses { place, modules: &names, found: BTreeSet::new() };
        uses.visit_file(&syntax);
        uses.found.remove(&module);
        edges.entry(module).or_default().extend(uses.found);
    }
    edges
}

/// The modules that a module leads to.
fn reached(edges: &Edges, from: &str) -> BTreeSet<String> {
    let (mut found, mut open) = (BTreeSet::new(), vec![from.to_owned()]);
    while let Some(module) = open.pop() {
        for next in edges.get(&module).into_iter().flatten() {
            if found.insert(next.clone()) {
                open.push(next.clone());
            }
        }
    }
    found
}

/// Groups of modules that lead back to themselves.
fn circles(edges: &Edges) -> BTreeSet<Vec<String>> {
    let reached: BTreeMap<&String, BTreeSet<String>> =
        edges.keys().map(|module| (module, reached(edges, module))).collect();
    let in_circle = |module: &&String| reached[*module].contains(*module);
    edges
        .keys()
        .filter(in_circle)
        .map(|module| {
            let back = |other: &&String| reached.get(other).is_some_and(|from| from.contains(module));
            reached[module].iter().filter(back).cloned().collect()
        })
        .collect()
}

#[test]
fn the_modules_of_a_crate_go_in_no_circle_that_is_not_listed() {
    let mut found = BTreeSet::new();
    for name in crates().keys().filter(|name| *name != "root") {
        for circle in circles(&modules(&root().join("src").join(name))) {
            found.insert((name.clone(), circle));
        }
    }
    let listed: BTreeSet<(String, Vec<String>)> = CIRCLES
        .iter()
        .map(|(name, circle, _)| ((*name).to_owned(), circle.iter().map(|name| (*name).to_owned()).collect()))
        .collect();
    let new: Vec<_> = found.difference(&listed).collect();
    assert!(new.is_empty(), "circles that CIRCLES does not list: {new:#?}");
    let gone: Vec<_> = listed.difference(&found).collect();
    assert!(gone.is_empty(), "CIRCLES lists circles that are gone: {gone:#?}");
}

#[test]
fn a_circle_is_found() {
    let edge =
        |from: &str, to: &[&str]| (from.to_owned(), to.iter().map(|name| (*name).to_owned()).collect());
    let edges: Edges = [edge("a", &["b"]), edge("b", &["c"]), edge("c", &["b"]), edge("d", &["a"])].into();
    assert_eq!(circles(&edges), [vec!["b".to_owned(), "c".to_owned()]].into());
}
