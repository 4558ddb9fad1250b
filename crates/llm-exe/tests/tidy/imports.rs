//! Finds the dependencies between the files of a crate.
//!
//! A file depends on another file if it names an item declared there, in a `use` or by its path.
//! `mod x;`, re-exports of a module's own children, and test modules are ignored.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

use syn::visit::Visit;

use crate::files::rust_files;

/// The path of a module or an item, relative to the root of its crate.
type Segments = Vec<String>;

/// A source file of a crate.
pub(crate) struct File {
    pub(crate) path: PathBuf,
    /// The path of the module that the file contains.
    pub(crate) module: Segments,
    /// The indexes of the files that this file depends on, with the names that it uses from each
    /// file.
    pub(crate) uses: BTreeMap<usize, BTreeSet<String>>,
}

/// Returns the files in a crate's `src` folder, except test modules.
pub(crate) fn files_of(source: &Path) -> Vec<File> {
    let has_library = source.join("lib.rs").exists();
    let mut parsed = Vec::new();
    for path in rust_files(source) {
        let inner = path.strip_prefix(source).unwrap();
        // If a package has a library, its binary is a separate crate.
        if inner == Path::new("main.rs") && has_library {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let mut names = Names::default();
        names.visit_file(&syn::parse_file(&text).unwrap());
        parsed.push((module_of(inner), path, names));
    }
    let test_modules: HashSet<Segments> = parsed
        .iter()
        .flat_map(|(module, _, names)| names.test_modules.iter().map(|name| child(module, name)))
        .collect();
    parsed.retain(|(module, ..)| !test_modules.iter().any(|test| module.starts_with(test)));

    let graph = Graph {
        indexes: parsed.iter().enumerate().map(|(at, (module, ..))| (module.clone(), at)).collect(),
        modules: parsed.iter().map(|(module, _, names)| (module, names)).collect(),
    };
    let uses: Vec<_> = (0..parsed.len()).map(|at| graph.uses_of(at)).collect();
    let files = parsed.into_iter().zip(uses);
    files.map(|((module, path, _), uses)| File { path, module, uses }).collect()
}

/// Returns the module path of a file. Both `a/b.rs` and `a/b/mod.rs` contain the module `a::b`.
fn module_of(inner: &Path) -> Segments {
    let mut segments: Segments =
        inner.with_extension("").iter().map(|part| part.to_str().unwrap().to_owned()).collect();
    if matches!(segments.last().map(String::as_str), Some("mod" | "lib" | "main")) {
        segments.pop();
    }
    segments
}

fn child(module: &[String], name: &str) -> Segments {
    module.iter().cloned().chain([name.to_owned()]).collect()
}

/// A name that a `use` brings into scope.
struct Import {
    path: Segments,
    /// The name in scope. It is empty for a glob import.
    alias: String,
    is_export: bool,
}

/// The names that a file declares, imports and refers to by path.
#[derive(Default)]
struct Names {
    declared: HashSet<String>,
    imports: Vec<Import>,
    paths: Vec<Segments>,
    test_modules: Vec<String>,
}

impl Names {
    fn flatten(&mut self, tree: &syn::UseTree, mut path: Segments, is_export: bool) {
        match tree {
            syn::UseTree::Path(inner) => {
                path.push(inner.ident.to_string());
                self.flatten(&inner.tree, path, is_export);
            }
            syn::UseTree::Group(group) => {
                for inner in &group.items {
                    self.flatten(inner, path.clone(), is_export);
                }
            }
            syn::UseTree::Glob(_) => {
                self.imports.push(Import { path, alias: String::new(), is_export });
            }
            syn::UseTree::Name(name) => self.add(path, &name.ident, &name.ident, is_export),
            syn::UseTree::Rename(name) => self.add(path, &name.ident, &name.rename, is_export),
        }
    }

    fn add(&mut self, mut path: Segments, name: &syn::Ident, alias: &syn::Ident, export: bool) {
        let (name, mut alias) = (name.to_string(), alias.to_string());
        if name == "self" {
            alias = path.last().cloned().unwrap_or_default();
        } else {
            path.push(name);
        }
        self.imports.push(Import { path, alias, is_export: export });
    }
}

fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let syn::Meta::List(list) = &attribute.meta else { return false };
        list.path.is_ident("cfg") && list.tokens.to_string() == "test"
    })
}

impl<'ast> Visit<'ast> for Names {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        let (name, attributes) = match item {
            syn::Item::Fn(item) => (Some(&item.sig.ident), &item.attrs),
            syn::Item::Struct(item) => (Some(&item.ident), &item.attrs),
            syn::Item::Enum(item) => (Some(&item.ident), &item.attrs),
            syn::Item::Trait(item) => (Some(&item.ident), &item.attrs),
            syn::Item::Type(item) => (Some(&item.ident), &item.attrs),
            syn::Item::Const(item) => (Some(&item.ident), &item.attrs),
            syn::Item::Static(item) => (Some(&item.ident), &item.attrs),
            syn::Item::Macro(item) => (item.ident.as_ref(), &item.attrs),
            syn::Item::Impl(item) => (None, &item.attrs),
            syn::Item::Use(item) => (None, &item.attrs),
            syn::Item::Mod(item) => {
                if is_for_tests(&item.attrs) {
                    self.test_modules.push(item.ident.to_string());
                    return;
                }
                (None, &item.attrs)
            }
            _ => return,
        };
        if is_for_tests(attributes) {
            return;
        }
        self.declared.extend(name.map(ToString::to_string));
        syn::visit::visit_item(self, item);
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let is_export = !matches!(item.vis, syn::Visibility::Inherited);
        self.flatten(&item.tree, Vec::new(), is_export);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none() && path.segments.len() > 1 {
            let segments = path.segments.iter().map(|segment| segment.ident.to_string());
            self.paths.push(segments.collect());
        }
        syn::visit::visit_path(self, path);
    }
}

struct Graph<'a> {
    indexes: HashMap<Segments, usize>,
    modules: Vec<(&'a Segments, &'a Names)>,
}

impl Graph<'_> {
    fn uses_of(&self, at: usize) -> BTreeMap<usize, BTreeSet<String>> {
        let (module, names) = self.modules[at];
        let mut uses: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
        let mut note = |path: Option<Segments>| {
            let path = path.unwrap_or_default();
            if let Some((file, name)) = self.declaration(&path, 0)
                && file != at
            {
                uses.entry(file).or_default().insert(name);
            }
        };
        for import in &names.imports {
            let path = self.absolute(module, names, &import.path, true);
            let is_own_child = path.as_ref().is_some_and(|path| {
                path.len() > module.len()
                    && path.starts_with(module)
                    && self.indexes.contains_key(&path[..=module.len()])
            });
            if !(import.is_export && is_own_child) {
                note(path);
            }
        }
        for path in &names.paths {
            note(self.absolute(module, names, path, false));
        }
        uses
    }

    /// Converts a path in a module to a path from the root of the crate. Returns `None` for a path
    /// into another crate.
    fn absolute(
        &self,
        module: &[String],
        names: &Names,
        path: &[String],
        is_import: bool,
    ) -> Option<Segments> {
        let (first, rest) = path.split_first()?;
        let mut base: Segments = match first.as_str() {
            "crate" => Vec::new(),
            "self" => module.to_vec(),
            "super" => module.split_last()?.1.to_vec(),
            name if self.indexes.contains_key(&child(module, name)) => child(module, name),
            name if !is_import => {
                let import = names.imports.iter().find(|import| import.alias == name)?;
                self.absolute(module, names, &import.path, true)?
            }
            _ => return None,
        };
        for segment in rest {
            match segment.as_str() {
                "super" => drop(base.pop()),
                name => base.push(name.to_owned()),
            }
        }
        Some(base)
    }

    /// Returns the index of the file that declares the item at a path, and the name of the item.
    fn declaration(&self, path: &[String], depth: usize) -> Option<(usize, String)> {
        let mut length = 0;
        while length < path.len() && self.indexes.contains_key(&path[..=length]) {
            length += 1;
        }
        let at = *self.indexes.get(&path[..length])?;
        let name = path.get(length)?;
        let (module, names) = self.modules[at];
        if names.declared.contains(name) {
            return Some((at, name.clone()));
        }
        let exports = names.imports.iter().filter(|import| import.is_export && depth < 8);
        for export in exports {
            let mut target = self.absolute(module, names, &export.path, true).unwrap_or_default();
            if export.alias.is_empty() {
                target.push(name.clone());
            } else if export.alias != *name {
                continue;
            }
            if let Some(found) = self.declaration(&target, depth + 1) {
                return Some(found);
            }
        }
        None
    }
}

/// Returns the groups of files that depend on each other in a cycle.
pub(crate) fn cycles(files: &[File]) -> Vec<Vec<usize>> {
    let reachable = |from: usize| {
        let mut seen = BTreeSet::new();
        let mut open: Vec<usize> = files[from].uses.keys().copied().collect();
        while let Some(next) = open.pop() {
            if seen.insert(next) {
                open.extend(files[next].uses.keys());
            }
        }
        seen
    };
    let reach: Vec<BTreeSet<usize>> = (0..files.len()).map(reachable).collect();
    let mut groups = BTreeSet::new();
    for (at, reached) in reach.iter().enumerate() {
        if reached.contains(&at) {
            let group: Vec<usize> =
                reached.iter().copied().filter(|other| reach[*other].contains(&at)).collect();
            groups.insert(group);
        }
    }
    groups.into_iter().collect()
}
