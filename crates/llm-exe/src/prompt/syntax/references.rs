//! Finds the variables to which a template refers, in its syntax tree.

use super::tree::{
    Block, Call, DataVariable, Expr, Node, Pair, Partial, PartialName, Path, PathStart, Program,
    Target,
};
use crate::prompt::helpers::args::{Helper, Kind};

/// A variable to which a template refers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VariableUse {
    /// The names from the root of the data to the value. Empty if the template uses all variables,
    /// as in `{{json this}}`, or one whose name is computed.
    pub path: Vec<String>,
    /// Whether the path begins at the root. In a section such as `{{#name}}`, that depends on the
    /// data.
    pub is_certain: bool,
}

/// Returns the variables to which a program refers. `reads_key` returns whether the partial with a
/// name looks up the variable at the path `key`.
pub(crate) fn find_variables(
    program: &Program,
    reads_key: &dyn Fn(&str) -> bool,
) -> Vec<VariableUse> {
    let mut finder = Finder { depth: Some(0), reads_key, found: Vec::new() };
    finder.program(program);
    finder.found
}

struct Finder<'a> {
    /// The number of contexts between the root and the current one. `None` if it depends on the
    /// data.
    depth: Option<usize>,
    reads_key: &'a dyn Fn(&str) -> bool,
    found: Vec<VariableUse>,
}

impl Finder<'_> {
    fn program(&mut self, program: &Program) {
        for inline in &program.inlines {
            // An inline partial can be included with any context.
            self.program_at(&inline.program, None);
        }
        for node in &program.body {
            match node {
                Node::Value(path) => self.path(path, &[]),
                Node::Mustache(mustache) => self.call(&mustache.call),
                Node::Block(block) => self.block(block),
                Node::Partial(partial) => self.partial(partial),
                Node::Text(_) | Node::Literal(_) | Node::Inline(_) | Node::Comment(_) => {}
            }
        }
    }

    fn program_at(&mut self, program: &Program, depth: Option<usize>) {
        let outer = std::mem::replace(&mut self.depth, depth);
        self.program(program);
        self.depth = outer;
    }

    fn block(&mut self, block: &Block) {
        self.call(&block.call);
        if let Some(program) = &block.program {
            self.program_at(program, self.depth_inside(&block.call));
        }
        for arm in &block.chain {
            self.call(&arm.call);
            self.program_at(&arm.program, self.depth_inside(&arm.call));
        }
        if let Some(inverse) = &block.inverse {
            self.program(inverse);
        }
    }

    /// Returns the depth inside of a block. `true` does not change the context of a section.
    fn depth_inside(&self, call: &Call) -> Option<usize> {
        match call.target {
            Target::Variable => None,
            Target::Helper(Helper { kind: Kind::Each | Kind::With, .. }) => {
                self.depth.map(|depth| depth + 1)
            }
            Target::Helper(_) | Target::InvalidCall(_) => self.depth,
        }
    }

    fn partial(&mut self, partial: &Partial) {
        let reads_key = match &partial.name {
            PartialName::Fixed(name) => (self.reads_key)(name),
            PartialName::Computed(call) => {
                self.call(call);
                true
            }
        };
        // A path in an argument is looked up in the context that is passed to the partial.
        let mut depth = self.depth;
        if let Some(context) = &partial.context {
            self.expr(context);
            depth = None;
        }
        let mut is_key_literal = false;
        for Pair { key, value } in &partial.hash {
            self.expr(value);
            if let Expr::Text(text) = value {
                is_key_literal |= &**key == "key";
                self.text_path(text, depth);
            }
        }
        if reads_key && !is_key_literal {
            self.add(Vec::new(), false);
        }
        if let Some(program) = &partial.block {
            self.program_at(program, None);
        }
    }

    fn call(&mut self, call: &Call) {
        let mut args = call.args.as_slice();
        match call.target {
            Target::Variable => self.path(&call.path, &[]),
            Target::Helper(Helper { name: "lookup", .. }) => {
                if let [Expr::Path(path), Expr::Text(name)] = args {
                    self.path(path, &[&**name]);
                    args = &[];
                }
            }
            Target::Helper(Helper { kind: Kind::KeyValue(_), .. }) => match args.first() {
                Some(Expr::Text(path)) => self.text_path(path, self.depth),
                _ => self.add(Vec::new(), false),
            },
            Target::Helper(_) | Target::InvalidCall(_) => {}
        }
        args.iter().for_each(|arg| self.expr(arg));
        call.hash.iter().for_each(|pair| self.expr(&pair.value));
    }

    fn expr(&mut self, expr: &Expr) {
        match expr {
            Expr::Path(path) => self.path(path, &[]),
            Expr::Call(call) => self.call(call),
            _ => {}
        }
    }

    /// Adds a path that a helper looks up in the context at a depth.
    fn text_path(&mut self, text: &str, depth: Option<usize>) {
        if depth.is_some_and(|depth| depth > 0) {
            return;
        }
        let names = text.split(['.', ',', '[', ']']).filter(|name| !name.is_empty());
        self.add(names.map(str::to_owned).collect(), false);
    }

    /// Adds a path if it can begin at the root. `more` are names after those of the path.
    fn path(&mut self, path: &Path, more: &[&str]) {
        let is_certain = match (path.start, self.depth) {
            (PathStart::Data(DataVariable::Root, _), _) => true,
            (PathStart::Context(up), Some(depth)) if up == depth => true,
            // `../` skips contexts that are the same.
            (PathStart::Context(up), Some(_)) if up > 0 => false,
            (PathStart::Context(_), None) => false,
            _ => return,
        };
        let names = path.parts.iter().map(|name| &**name).chain(more.iter().copied());
        self.add(names.map(str::to_owned).collect(), is_certain);
    }

    fn add(&mut self, path: Vec<String>, is_certain: bool) {
        let found = VariableUse { path, is_certain };
        if !self.found.contains(&found) {
            self.found.push(found);
        }
    }
}
