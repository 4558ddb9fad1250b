//! White space control: `~`, and lines that hold nothing but a block's tag, a comment or a
//! partial, which leave no trace. The rules are those of handlebars.js, its odd ones included.
//!
//! Texts keep what was written (`whole`), which the tests look at, apart from what is still
//! shown (`shown`), which the cuts narrow.

use super::ast::{Arm, Block, Inline, Node, Partial, Program, Span, Strip, Text};
use super::scan::is_js_space;

/// Cuts the white space of a whole template.
pub(crate) fn control(program: &mut Program, source: &str) {
    Control { source }.program(program, true);
}

struct Control<'s> {
    source: &'s str,
}

/// What a statement asks of its neighbours.
#[derive(Default)]
struct Wish {
    strip: Strip,
    /// A comment or partial: it can be alone on its line.
    alone: bool,
    /// A block: the tags that can be alone on their lines.
    opens_alone: bool,
    closes_alone: bool,
}

impl Control<'_> {
    fn program(&self, program: &mut Program, root: bool) {
        for at in 0..program.body.len() {
            let Some(wish) = program.body.get_mut(at).and_then(|node| self.statement(node)) else {
                continue;
            };
            let body = &mut program.body;
            let line_before = self.blank_before(body, at, root);
            let line_after = self.blank_after(body, at + 1, root);
            if wish.strip.after {
                self.cut_start(body.get_mut(at + 1), true);
            }
            if wish.strip.before {
                self.cut_end(before(body, at), true);
            }
            if wish.alone && line_before && line_after {
                self.cut_start(body.get_mut(at + 1), false);
                if self.cut_end(before(body, at), false) {
                    self.indent(body, at);
                }
            }
            if wish.opens_alone && line_before {
                self.cut_start(first_inside(body.get_mut(at)), false);
                self.cut_end(before(body, at), false);
            }
            if wish.closes_alone && line_after {
                self.cut_start(body.get_mut(at + 1), false);
                self.cut_end(last_inside(body.get_mut(at)), false);
            }
        }
    }

    fn statement(&self, node: &mut Node) -> Option<Wish> {
        match node {
            Node::Text(_) | Node::Shown(_) | Node::Value(_) => None,
            Node::Mustache(mustache) => Some(Wish { strip: mustache.strip, ..Wish::default() }),
            Node::Comment(strip) => Some(Wish { strip: *strip, alone: true, ..Wish::default() }),
            Node::Block(block) => Some(self.block(block)),
            Node::Inline(inline) => {
                let Inline { program, open, close, .. } = &mut **inline;
                Some(self.plain_block(program, *open, *close))
            }
            Node::Partial(partial) => {
                let Partial { block, strip, close, .. } = &mut **partial;
                Some(match block {
                    Some(program) => self.plain_block(program, *strip, *close),
                    None => Wish { strip: *strip, alone: true, ..Wish::default() },
                })
            }
        }
    }

    /// A block that has no `else`.
    fn plain_block(&self, program: &mut Program, open: Strip, close: Strip) -> Wish {
        self.program(program, false);
        self.arms(program, None, [open, Strip::default(), close])
    }

    fn block(&self, block: &mut Block) -> Wish {
        for program in programs(block) {
            self.program(program, false);
        }
        // Every `else if` is a block inside the `else` of the one before, and the innermost
        // comes first. Only the outermost two know the flags of the real closing tag.
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
            (None, None) => Wish::default(),
        }
    }

    /// One program of a block and the next, with the flags of the tags before the first,
    /// between the two, and at the end.
    fn arms(&self, program: &mut Program, inverse: Option<&mut Program>, tags: [Strip; 3]) -> Wish {
        let [open, between, close] = tags;
        let body = &mut program.body;
        let end = body.len();
        let opens_alone = self.blank_after(body, 0, false);
        let last_blank = self.blank_before(body, end, false);
        if open.after {
            self.cut_start(body.first_mut(), true);
        }
        let mut closes_alone = last_blank;
        if let Some(inverse) = inverse {
            let other = &mut inverse.body;
            closes_alone = self.blank_before(other, other.len(), false);
            if between.before {
                self.cut_end(body.last_mut(), true);
            }
            if between.after {
                self.cut_start(other.first_mut(), true);
            }
            if close.before {
                self.cut_end(other.last_mut(), true);
            }
            if last_blank && self.blank_after(other, 0, false) {
                self.cut_end(body.last_mut(), false);
                self.cut_start(other.first_mut(), false);
            }
        } else if close.before {
            self.cut_end(body.last_mut(), true);
        }
        let strip = Strip { before: open.before, after: close.after };
        Wish { strip, alone: false, opens_alone, closes_alone }
    }

    /// Whether only white space stands between the line's start and statement `at`.
    fn blank_before(&self, body: &[Node], at: usize, root: bool) -> bool {
        let Some(previous) = at.checked_sub(1) else {
            return root;
        };
        let Some(Node::Text(text)) = body.get(previous) else {
            return false;
        };
        let whole = text.whole.of(self.source);
        let kept = whole.trim_end_matches(is_js_space).len();
        let blank = whole.get(kept..).unwrap_or_default();
        blank.contains('\n') || (root && previous == 0 && kept == 0)
    }

    /// Whether only white space stands between what precedes statement `at` and the line's end.
    fn blank_after(&self, body: &[Node], at: usize, root: bool) -> bool {
        let Some(next) = body.get(at) else {
            return root;
        };
        let Node::Text(text) = next else { return false };
        let whole = text.whole.of(self.source);
        let kept = whole.trim_start_matches(is_js_space).len();
        let blank = whole.get(..whole.len() - kept).unwrap_or_default();
        blank.contains('\n') || (root && at + 1 == body.len() && kept == 0)
    }

    /// Cuts the start of a text: all white space, or the rest of the line if it is blank.
    fn cut_start(&self, node: Option<&mut Node>, all: bool) {
        let Some(Node::Text(text)) = node else { return };
        if !all && text.cut_left {
            return;
        }
        let shown = text.shown.of(self.source);
        let kept = if all {
            shown.trim_start_matches(is_js_space)
        } else {
            let line = shown.trim_start_matches([' ', '\t']);
            let line = line.strip_prefix('\r').unwrap_or(line);
            line.strip_prefix('\n').unwrap_or(line)
        };
        text.cut_left = kept.len() < shown.len();
        text.shown.start = text.shown.end - kept.len();
    }

    /// Cuts the end of a text: all white space, or the indentation; says whether there was any.
    fn cut_end(&self, node: Option<&mut Node>, all: bool) -> bool {
        let Some(Node::Text(text)) = node else {
            return false;
        };
        if !all && text.cut_right {
            return false;
        }
        let Text { shown, cut_right, .. } = text;
        let kept = if all {
            shown.of(self.source).trim_end_matches(is_js_space).len()
        } else {
            shown.of(self.source).trim_end_matches([' ', '\t']).len()
        };
        *cut_right = shown.start + kept < shown.end;
        shown.end = shown.start + kept;
        *cut_right
    }

    /// Remembers the indentation of a partial alone on its line.
    fn indent(&self, body: &mut [Node], at: usize) {
        let Some((Node::Partial(partial), earlier)) =
            body.get_mut(..=at).and_then(|body| body.split_last_mut())
        else {
            return;
        };
        let Some(Node::Text(text)) = earlier.last() else {
            return;
        };
        let kept = text.whole.of(self.source).trim_end_matches([' ', '\t']).len();
        partial.indent = Some(Span { start: text.whole.start + kept, end: text.whole.end });
    }
}

fn before(body: &mut [Node], at: usize) -> Option<&mut Node> {
    body.get_mut(at.checked_sub(1)?)
}

fn programs(block: &mut Block) -> impl Iterator<Item = &mut Program> {
    let arms = block.chain.iter_mut().map(|arm| &mut arm.program);
    block.program.iter_mut().chain(arms).chain(block.inverse.iter_mut())
}

/// The text right after a block's opening tag.
fn first_inside(node: Option<&mut Node>) -> Option<&mut Node> {
    let program = match node? {
        Node::Block(block) => block.program.as_mut().or(block.inverse.as_mut())?,
        Node::Inline(inline) => &mut inline.program,
        Node::Partial(partial) => partial.block.as_mut()?,
        _ => return None,
    };
    program.body.first_mut()
}

/// The text right before a block's closing tag; in a chain of `else if`, handlebars.js finds
/// a block there and no text.
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
