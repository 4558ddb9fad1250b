//! White space control, which handles `~` flags and standalone tags. A line that contains only the
//! tag of a block, a comment or a partial is removed. The rules and their special cases are those
//! of handlebars.js.
//!
//! Checks for blank lines use the original text between two tags, even if an earlier step has
//! already stripped part of it.

use super::scan::is_js_space;
use super::tree::{Arm, Block, Inline, Node, Partial, Program, Span, Strip, Text};

/// Applies white space control to a whole template.
pub(crate) fn strip(program: &mut Program, source: &str) {
    Stripper { source }.program(program, true);
}

struct Stripper<'s> {
    source: &'s str,
}

/// The white space to strip around a statement.
#[derive(Default)]
struct OuterStrip {
    /// The `~` flags of the statement.
    strip: Strip,
    /// Whether the statement is a comment or partial. It is standalone if its line is otherwise
    /// blank.
    standalone: bool,
    /// Whether the line is blank after the block's opening tag, so that the tag can be standalone.
    open_standalone: bool,
    /// Whether the line is blank before the block's closing tag, so that the tag can be standalone.
    close_standalone: bool,
}

impl Stripper<'_> {
    fn program(&self, program: &mut Program, root: bool) {
        for at in 0..program.body.len() {
            let Some(outer) = program.body.get_mut(at).and_then(|node| self.statement(node)) else {
                continue;
            };
            let body = &mut program.body;
            let blank_before = self.blank_before(body, at, root);
            let blank_after = self.blank_after(body, at + 1, root);
            if outer.strip.after {
                self.strip_start(body.get_mut(at + 1), true);
            }
            if outer.strip.before {
                self.strip_end(previous(body, at), true);
            }
            if outer.standalone && blank_before && blank_after {
                self.strip_start(body.get_mut(at + 1), false);
                if self.strip_end(previous(body, at), false) {
                    self.set_indent(body, at);
                }
            }
            if outer.open_standalone && blank_before {
                self.strip_start(first_inside(body.get_mut(at)), false);
                self.strip_end(previous(body, at), false);
            }
            if outer.close_standalone && blank_after {
                self.strip_start(body.get_mut(at + 1), false);
                self.strip_end(last_inside(body.get_mut(at)), false);
            }
        }
    }

    /// Strips the white space inside a statement. Returns what to strip around the statement, or
    /// `None` if the statement is text or a value.
    fn statement(&self, node: &mut Node) -> Option<OuterStrip> {
        match node {
            Node::Text(_) | Node::Literal(_) | Node::Value(_) => None,
            Node::Mustache(mustache) => {
                Some(OuterStrip { strip: mustache.strip, ..OuterStrip::default() })
            }
            Node::Comment(strip) => {
                Some(OuterStrip { strip: *strip, standalone: true, ..OuterStrip::default() })
            }
            Node::Block(block) => Some(self.block(block)),
            Node::Inline(inline) => {
                let Inline { program, open, close, .. } = &mut **inline;
                Some(self.plain_block(program, *open, *close))
            }
            Node::Partial(partial) => {
                let Partial { block, strip, close, .. } = &mut **partial;
                Some(match block {
                    Some(program) => self.plain_block(program, *strip, *close),
                    None => OuterStrip { strip: *strip, standalone: true, ..OuterStrip::default() },
                })
            }
        }
    }

    /// Strips the white space inside a block without `else`.
    fn plain_block(&self, program: &mut Program, open: Strip, close: Strip) -> OuterStrip {
        self.program(program, false);
        self.arms(program, None, [open, Strip::default(), close])
    }

    fn block(&self, block: &mut Block) -> OuterStrip {
        for program in programs(block) {
            self.program(program, false);
        }
        // In handlebars.js, each `else if` is a block inside the `else` of the previous one, and
        // the innermost block is stripped first. Only the two outermost blocks use the flags of the
        // closing tag.
        for at in (0..block.chain.len()).rev() {
            let (arms, rest) = block.chain.split_at_mut(at + 1);
            let Some(Arm { strip, program, .. }) = arms.last_mut() else {
                continue;
            };
            let close = if at == 0 { block.close } else { *strip };
            let (inverse, inverse_strip) = match rest.first_mut() {
                Some(next) => (Some(&mut next.program), next.strip),
                None => (block.inverse.as_mut(), block.inverse_strip),
            };
            self.arms(program, inverse, [*strip, inverse_strip, close]);
        }
        let (inverse, inverse_strip) = match block.chain.first_mut() {
            Some(next) => (Some(&mut next.program), next.strip),
            None => (block.inverse.as_mut(), block.inverse_strip),
        };
        match (&mut block.program, inverse) {
            (Some(program), inverse) => {
                self.arms(program, inverse, [block.open, inverse_strip, block.close])
            }
            (None, Some(program)) => {
                self.arms(program, None, [block.open, Strip::default(), block.close])
            }
            (None, None) => OuterStrip::default(),
        }
    }

    /// Strips the white space in one body of a block and in the body that follows it. `tags`
    /// contains the flags of the tags before, between and after the two bodies.
    fn arms(
        &self,
        program: &mut Program,
        inverse: Option<&mut Program>,
        tags: [Strip; 3],
    ) -> OuterStrip {
        let [open, between, close] = tags;
        let body = &mut program.body;
        let end = body.len();
        let open_standalone = self.blank_after(body, 0, false);
        let ends_blank = self.blank_before(body, end, false);
        if open.after {
            self.strip_start(body.first_mut(), true);
        }
        let mut close_standalone = ends_blank;
        if let Some(inverse) = inverse {
            let inverse = &mut inverse.body;
            close_standalone = self.blank_before(inverse, inverse.len(), false);
            if between.before {
                self.strip_end(body.last_mut(), true);
            }
            if between.after {
                self.strip_start(inverse.first_mut(), true);
            }
            if close.before {
                self.strip_end(inverse.last_mut(), true);
            }
            if ends_blank && self.blank_after(inverse, 0, false) {
                self.strip_end(body.last_mut(), false);
                self.strip_start(inverse.first_mut(), false);
            }
        } else if close.before {
            self.strip_end(body.last_mut(), true);
        }
        let strip = Strip { before: open.before, after: close.after };
        OuterStrip { strip, standalone: false, open_standalone, close_standalone }
    }

    /// Returns whether only white space precedes statement `at` on its line.
    fn blank_before(&self, body: &[Node], at: usize, root: bool) -> bool {
        let Some(previous) = at.checked_sub(1) else {
            return root;
        };
        let Some(Node::Text(text)) = body.get(previous) else {
            return false;
        };
        let whole = text.whole.text(self.source);
        let trimmed = whole.trim_end_matches(is_js_space).len();
        let space = whole.get(trimmed..).unwrap_or_default();
        space.contains('\n') || (root && previous == 0 && trimmed == 0)
    }

    /// Returns whether only white space follows on the line, starting with statement `at`.
    fn blank_after(&self, body: &[Node], at: usize, root: bool) -> bool {
        let Some(next) = body.get(at) else {
            return root;
        };
        let Node::Text(text) = next else { return false };
        let whole = text.whole.text(self.source);
        let trimmed = whole.trim_start_matches(is_js_space).len();
        let space = whole.get(..whole.len() - trimmed).unwrap_or_default();
        space.contains('\n') || (root && at + 1 == body.len() && trimmed == 0)
    }

    /// Strips white space from the start of a text. Unless `all` is true, stops after the first
    /// line break.
    fn strip_start(&self, node: Option<&mut Node>, all: bool) {
        let Some(Node::Text(text)) = node else { return };
        if !all && text.start_stripped {
            return;
        }
        let before = text.remaining.text(self.source);
        let after = if all {
            before.trim_start_matches(is_js_space)
        } else {
            let line = before.trim_start_matches([' ', '\t']);
            let line = line.strip_prefix('\r').unwrap_or(line);
            line.strip_prefix('\n').unwrap_or(line)
        };
        text.start_stripped = after.len() < before.len();
        text.remaining.start = text.remaining.end - after.len();
    }

    /// Strips white space from the end of a text. Unless `all` is true, removes only the
    /// indentation of the next tag. Returns whether anything was removed.
    fn strip_end(&self, node: Option<&mut Node>, all: bool) -> bool {
        let Some(Node::Text(text)) = node else {
            return false;
        };
        if !all && text.end_stripped {
            return false;
        }
        let Text { remaining, end_stripped, .. } = text;
        let before = remaining.text(self.source);
        let after = if all {
            before.trim_end_matches(is_js_space)
        } else {
            before.trim_end_matches([' ', '\t'])
        };
        *end_stripped = after.len() < before.len();
        remaining.end = remaining.start + after.len();
        *end_stripped
    }

    /// Stores the indentation of a partial whose tag is alone on its line.
    fn set_indent(&self, body: &mut [Node], at: usize) {
        let Some((Node::Partial(partial), earlier)) =
            body.get_mut(..=at).and_then(|body| body.split_last_mut())
        else {
            return;
        };
        let Some(Node::Text(text)) = earlier.last() else {
            return;
        };
        let trimmed = text.whole.text(self.source).trim_end_matches([' ', '\t']).len();
        partial.indent = Some(Span { start: text.whole.start + trimmed, end: text.whole.end });
    }
}

fn previous(body: &mut [Node], at: usize) -> Option<&mut Node> {
    body.get_mut(at.checked_sub(1)?)
}

/// Returns the bodies of a block: the main body, then those of each `else if` and of the `else`.
fn programs(block: &mut Block) -> impl Iterator<Item = &mut Program> {
    let arms = block.chain.iter_mut().map(|arm| &mut arm.program);
    block.program.iter_mut().chain(arms).chain(block.inverse.iter_mut())
}

/// Returns the first node after a block's opening tag.
fn first_inside(node: Option<&mut Node>) -> Option<&mut Node> {
    let program = match node? {
        Node::Block(block) => block.program.as_mut().or(block.inverse.as_mut())?,
        Node::Inline(inline) => &mut inline.program,
        Node::Partial(partial) => partial.block.as_mut()?,
        _ => return None,
    };
    program.body.first_mut()
}

/// Returns the last node before a block's closing tag. Returns `None` if the block has an
/// `else if`, because handlebars.js then ends with a nested block, which is not stripped.
fn last_inside(node: Option<&mut Node>) -> Option<&mut Node> {
    let program = match node? {
        Node::Block(block) if !block.chain.is_empty() => return None,
        Node::Block(block) => block.inverse.as_mut().or(block.program.as_mut())?,
        Node::Inline(inline) => &mut inline.program,
        Node::Partial(partial) => partial.block.as_mut()?,
        _ => return None,
    };
    program.body.last_mut()
}
