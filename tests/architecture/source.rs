//! The source tree as the compiler sees it: files, the modules they hold, and the names that these have.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};
use syn::{ImplItem, Item, UseTree};

/// A path below the crate, `["decode", "session"]`.
pub type ModulePath = Vec<String>;

pub struct Module {
    /// Below `src`.
    pub file: PathBuf,
    pub lines: usize,
    /// Names that `use` brings in, and where they come from.
    imports: BTreeMap<String, ModulePath>,
    /// What the code outside of tests names, from the crate on.
    names: BTreeSet<ModulePath>,
    /// Types, functions, fields and variants that are defined here.
    pub definitions: BTreeSet<String>,
}

/// All modules of `src`, by path.
pub struct Tree {
    pub modules: BTreeMap<ModulePath, Module>,
}

impl Tree {
    pub fn read(src: &Path) -> Self {
        let mut files = Vec::new();
        collect(src, &mut files);
        let paths: BTreeMap<ModulePath, PathBuf> = files
            .into_iter()
            .map(|file| (module_path(file.strip_prefix(src).unwrap()), file))
            .collect();
        let modules = paths.iter().map(|(path, file)| {
            let children = paths
                .keys()
                .filter(|child| child.starts_with(path) && child.len() == path.len() + 1);
            let children = children.filter_map(|child| child.last().cloned()).collect();
            (path.clone(), read(src, file, path, children))
        });
        Self {
            modules: modules.collect(),
        }
    }

    /// For each file the files that it uses.
    pub fn uses(&self) -> BTreeMap<&Path, BTreeSet<&Path>> {
        let of = |module: &'_ Module| -> BTreeSet<&Path> {
            let found = module.names.iter().filter_map(|name| self.defined_in(name, 0));
            found.filter(|file| *file != module.file).collect()
        };
        self.modules
            .values()
            .map(|module| (module.file.as_path(), of(module)))
            .collect()
    }

    /// The file that defines what `name` leads to; none for a module by itself.
    fn defined_in(&self, name: &[String], hops: usize) -> Option<&Path> {
        let deepest = (0..=name.len())
            .rev()
            .find(|end| self.modules.contains_key(&name[..*end]))?;
        let module = &self.modules[&name[..deepest]];
        let (first, rest) = name[deepest..].split_first()?;
        match module.imports.get(first) {
            Some(origin) if hops < 10 => {
                let further: ModulePath = origin.iter().chain(rest).cloned().collect();
                self.defined_in(&further, hops + 1)
            }
            _ => Some(&module.file),
        }
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // Tests may use what they like.
        let is_test = path.file_stem().is_some_and(|name| name == "tests");
        if path.is_dir() && !is_test {
            collect(&path, files);
        } else if path.extension().is_some_and(|kind| kind == "rs") && !is_test {
            files.push(path);
        }
    }
}

fn module_path(file: &Path) -> ModulePath {
    let stem = file.with_extension("");
    let mut path: ModulePath = stem.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if path
        .last()
        .is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str()))
    {
        path.pop();
    }
    path
}

fn read(src: &Path, file: &Path, path: &ModulePath, children: BTreeSet<String>) -> Module {
    let text = fs::read_to_string(file).unwrap();
    let parsed = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let mut reader = Reader {
        path,
        children,
        imports: BTreeMap::new(),
        handed_on: BTreeSet::new(),
        written: BTreeSet::new(),
        definitions: BTreeSet::new(),
    };
    // Imports first: what the code names depends on them, wherever they stand.
    for item in &parsed.items {
        if let Item::Use(item) = item
            && !is_test(&item.attrs)
        {
            let is_handed_on = !matches!(item.vis, syn::Visibility::Inherited);
            reader.import(&item.tree, &mut Vec::new(), is_handed_on);
        }
    }
    reader.visit_file(&parsed);
    let written = reader.written.iter().filter_map(|name| reader.named_in_code(name));
    let imported = reader
        .imports
        .iter()
        .filter(|(name, _)| !reader.handed_on.contains(*name));
    Module {
        names: written.chain(imported.map(|(_, origin)| origin.clone())).collect(),
        file: file.strip_prefix(src).unwrap().to_owned(),
        lines: text.lines().count(),
        imports: reader.imports,
        definitions: reader.definitions,
    }
}

struct Reader<'a> {
    path: &'a ModulePath,
    children: BTreeSet<String>,
    imports: BTreeMap<String, ModulePath>,
    /// Of the imports, those that are only shown to others.
    handed_on: BTreeSet<String>,
    /// Paths as they are written.
    written: BTreeSet<Vec<String>>,
    definitions: BTreeSet<String>,
}

impl Reader<'_> {
    fn import(&mut self, tree: &UseTree, before: &mut Vec<String>, is_handed_on: bool) {
        let (name, alias) = match tree {
            UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.import(&path.tree, before, is_handed_on);
                before.pop();
                return;
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.import(tree, before, is_handed_on);
                }
                return;
            }
            UseTree::Glob(_) => {
                assert!(
                    self.resolved(before).is_none(),
                    "{:?} imports everything of {before:?}",
                    self.path
                );
                return;
            }
            UseTree::Name(name) => (name.ident.to_string(), name.ident.to_string()),
            UseTree::Rename(rename) => (rename.ident.to_string(), rename.rename.to_string()),
        };
        let written: Vec<String> = match name.as_str() {
            "self" => before.clone(),
            _ => before.iter().cloned().chain([name]).collect(),
        };
        let alias = if alias == "self" {
            written.last().cloned().unwrap_or_default()
        } else {
            alias
        };
        if let Some(origin) = self.resolved(&written) {
            if is_handed_on {
                self.handed_on.insert(alias.clone());
            }
            self.imports.insert(alias, origin);
        }
    }

    /// A path as it may begin in a `use`, from the crate on; none for other crates.
    fn resolved(&self, written: &[String]) -> Option<ModulePath> {
        let (first, mut rest) = written.split_first()?;
        let mut base = match first.as_str() {
            "crate" => Vec::new(),
            "self" => self.path.clone(),
            "super" => self.path[..self.path.len() - 1].to_vec(),
            child if self.children.contains(child) => {
                rest = written;
                self.path.clone()
            }
            _ => return None,
        };
        while let Some((_, after)) = rest.split_first().filter(|(part, _)| *part == "super") {
            base.pop();
            rest = after;
        }
        base.extend(rest.iter().cloned());
        Some(base)
    }

    /// The same for a path in code, which may begin with an imported name.
    fn named_in_code(&self, written: &[String]) -> Option<ModulePath> {
        let (first, rest) = written.split_first()?;
        match self.imports.get(first) {
            Some(origin) => Some(origin.iter().chain(rest).cloned().collect()),
            None => self.resolved(written),
        }
    }

    fn defines(&mut self, name: &syn::Ident) {
        self.definitions.insert(name.to_string());
    }
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let list = attribute.meta.require_list();
        attribute.path().is_ident("cfg") && list.is_ok_and(|list| list.tokens.to_string() == "test")
    })
}

fn attributes(item: &Item) -> &[syn::Attribute] {
    match item {
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if is_test(attributes(item)) {
            return;
        }
        match item {
            Item::Const(item) => self.defines(&item.ident),
            Item::Enum(item) => {
                self.defines(&item.ident);
                item.variants.iter().for_each(|variant| self.defines(&variant.ident));
            }
            Item::Fn(item) => self.defines(&item.sig.ident),
            Item::Impl(item) => {
                for item in &item.items {
                    if let ImplItem::Fn(method) = item {
                        self.defines(&method.sig.ident);
                    }
                }
            }
            Item::Static(item) => self.defines(&item.ident),
            Item::Struct(item) => {
                self.defines(&item.ident);
                item.fields
                    .iter()
                    .filter_map(|field| field.ident.as_ref())
                    .for_each(|field| self.defines(field));
            }
            Item::Trait(item) => {
                self.defines(&item.ident);
                for item in &item.items {
                    if let syn::TraitItem::Fn(method) = item {
                        self.defines(&method.sig.ident);
                    }
                }
            }
            Item::Type(item) => self.defines(&item.ident),
            _ => {}
        }
        visit::visit_item(self, item);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.written
            .insert(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        visit::visit_path(self, path);
    }

    /// What macros are given is no syntax tree; paths are looked for in its text.
    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        let text = item.tokens.to_string().replace(" :: ", "::");
        for word in text.split(|part: char| !(part.is_alphanumeric() || part == '_' || part == ':')) {
            if word.contains("::") {
                self.written.insert(
                    word.split("::")
                        .filter(|part| !part.is_empty())
                        .map(str::to_owned)
                        .collect(),
                );
            }
        }
        visit::visit_macro(self, item);
    }
}
