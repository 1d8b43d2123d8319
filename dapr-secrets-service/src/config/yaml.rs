//! YAML text becomes a tree in which every key and value knows its line.
//!
//! Scalars keep the text they have in the file: what `8200` or `true` means is for the reader of
//! the field. Aliases are followed. A key that stands twice in one mapping is noted.
//!
//! Limits: 64 levels, and per file 1,000 documents, 20,000 nodes and 4 MiB of text, both counted
//! after aliases are followed, so that a few lines cannot grow into gigabytes.

use std::collections::HashMap;

use granit_parser::{Event, Options, Parser, ScalarStyle};
use zeroize::Zeroizing;

const NESTING_MAX: usize = 64;
const DOCUMENTS_MAX: usize = 1_000;
const NODES_MAX: usize = 20_000;
const TEXT_MAX: usize = 4 << 20;

/// A value with its line, counted from 1.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) line: usize,
    pub(super) value: Value,
}

/// What stands there. Texts may be secrets, and are wiped.
#[derive(Clone)]
pub(super) enum Value {
    Null,
    Text(Zeroizing<String>),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

/// A key with its line.
#[derive(Debug, Clone)]
pub(super) struct Key {
    pub(super) line: usize,
    pub(super) text: String,
}

/// One document of a file.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) root: Node,
    pub(super) repeated: Vec<Repeated>,
    /// The lines of merge keys. They are not followed.
    pub(super) merges: Vec<usize>,
}

/// A key that stands twice in one mapping.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Repeated {
    pub(super) key: String,
    pub(super) first: usize,
    pub(super) second: usize,
}

/// Where and why the text is not YAML, or too much of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) line: usize,
    pub(super) message: String,
}

impl Node {
    /// The value under a key, unless it is null.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        self.get_with_line(key).map(|(_, node)| node)
    }

    /// The value under a key, unless it is null, and the line of the key.
    pub(super) fn get_with_line(&self, key: &str) -> Option<(usize, &Self)> {
        self.get_even_null(key).filter(|(_, node)| !node.is_null())
    }

    /// The value under a key, null or not, and the line of the key.
    ///
    /// For fields that close something: what is written there and is null must not count as absent.
    pub(super) fn get_even_null(&self, key: &str) -> Option<(usize, &Self)> {
        self.members()
            .find(|(candidate, _)| candidate.text == key)
            .map(|(key, node)| (key.line, node))
    }

    /// The members of a mapping, null ones included; none for anything else.
    pub(super) fn members(&self) -> impl Iterator<Item = (&Key, &Self)> {
        let members: &[(Key, Self)] = match &self.value {
            Value::Map(members) => members,
            _ => &[],
        };
        members.iter().map(|(key, node)| (key, node))
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }

    pub(super) fn is_mapping(&self) -> bool {
        matches!(self.value, Value::Map(_))
    }

    /// The text of a scalar.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Text(_) => f.write_str("[redacted]"),
            Self::List(items) => items.fmt(f),
            Self::Map(members) => members.fmt(f),
        }
    }
}

/// The documents up to the first fault, and that fault.
pub(super) fn parse(text: &str) -> (Vec<Document>, Option<Fault>) {
    let mut tree = Tree::default();
    for event in Parser::new_from_str_with_options(text, options()) {
        let step = match event {
            Err(error) => Err(Fault {
                line: error.marker().line().max(1),
                message: format!("not valid YAML: {}", error.info()),
            }),
            Ok((event, span)) => {
                let line = span.start.line().max(1);
                tree.take(event, line).map_err(|message| Fault {
                    line,
                    message: message.to_owned(),
                })
            }
        };
        if let Err(fault) = step {
            return (tree.documents, Some(fault));
        }
    }
    (tree.documents, None)
}

fn options() -> Options {
    let mut options = Options::default();
    options.set_emit_comments(false);
    options.flow_nesting_limit = NESTING_MAX;
    options.block_nesting_limit = NESTING_MAX;
    options
}

/// The tree while it grows.
#[derive(Default)]
struct Tree {
    documents: Vec<Document>,
    repeated: Vec<Repeated>,
    merges: Vec<usize>,
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    nodes: usize,
    text: usize,
}

/// A list or mapping that has not ended.
struct Open {
    line: usize,
    anchor: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map {
        members: Vec<(Key, Node)>,
        lines: HashMap<String, usize>,
        key: Option<Key>,
    },
}

impl Tree {
    fn take(&mut self, event: Event<'_>, line: usize) -> Result<(), &'static str> {
        match event {
            Event::DocumentStart(..) => {
                self.anchors.clear();
                if self.documents.len() == DOCUMENTS_MAX {
                    return Err("more than 1000 documents in one file");
                }
                Ok(())
            }
            Event::Scalar(text, style, anchor, _) => {
                self.count(1, text.len())?;
                let is_null = style == ScalarStyle::Plain
                    && matches!(&*text, "" | "~" | "null" | "Null" | "NULL");
                let value = if is_null {
                    Value::Null
                } else {
                    Value::Text(Zeroizing::new(text.into_owned()))
                };
                self.add(Node { line, value }, anchor)
            }
            Event::Alias(anchor) => {
                let Some(node) = self.anchors.get(&anchor) else {
                    return Err("an alias inside of what it stands for");
                };
                let (nodes, text) = size(node);
                self.nodes = self.nodes.saturating_add(nodes);
                self.text = self.text.saturating_add(text);
                // Counted before the copy is made.
                within_bounds(self.nodes, self.text)?;
                let value = node.value.clone();
                self.add(Node { line, value }, 0)
            }
            Event::SequenceStart(_, anchor, _) => {
                self.open(line, anchor, Content::List(Vec::new()))
            }
            Event::MappingStart(_, anchor, _) => {
                let content = Content::Map {
                    members: Vec::new(),
                    lines: HashMap::new(),
                    key: None,
                };
                self.open(line, anchor, content)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            _ => Ok(()),
        }
    }

    fn count(&mut self, nodes: usize, text: usize) -> Result<(), &'static str> {
        self.nodes = self.nodes.saturating_add(nodes);
        self.text = self.text.saturating_add(text);
        within_bounds(self.nodes, self.text)
    }

    fn open(&mut self, line: usize, anchor: usize, content: Content) -> Result<(), &'static str> {
        self.count(1, 0)?;
        self.open.push(Open {
            line,
            anchor,
            content,
        });
        Ok(())
    }

    fn close(&mut self) -> Result<(), &'static str> {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        let value = match open.content {
            Content::List(items) => Value::List(items),
            Content::Map { members, .. } => Value::Map(members),
        };
        let node = Node {
            line: open.line,
            value,
        };
        self.add(node, open.anchor)
    }

    fn add(&mut self, node: Node, anchor: usize) -> Result<(), &'static str> {
        if anchor > 0 {
            let (nodes, text) = size(&node);
            self.count(nodes, text)?;
            self.anchors.insert(anchor, node.clone());
        }
        let Some(open) = self.open.last_mut() else {
            self.documents.push(Document {
                root: node,
                repeated: std::mem::take(&mut self.repeated),
                merges: std::mem::take(&mut self.merges),
            });
            return Ok(());
        };
        match &mut open.content {
            Content::List(items) => items.push(node),
            Content::Map {
                members,
                lines,
                key,
            } => match key.take() {
                Some(key) => {
                    if let Some(first) = lines.insert(key.text.clone(), key.line) {
                        self.repeated.push(Repeated {
                            key: key.text.clone(),
                            first,
                            second: key.line,
                        });
                    }
                    members.push((key, node));
                }
                None => {
                    let Value::Text(text) = node.value else {
                        return Err("a key that is no text");
                    };
                    if *text == "<<" {
                        self.merges.push(node.line);
                    }
                    *key = Some(Key {
                        line: node.line,
                        text: text.to_string(),
                    });
                }
            },
        }
        Ok(())
    }
}

fn within_bounds(nodes: usize, text: usize) -> Result<(), &'static str> {
    if nodes > NODES_MAX {
        Err(
            "more than 20000 nodes in one file, aliases followed: split the file, or write fewer aliases",
        )
    } else if text > TEXT_MAX {
        Err(
            "more than 4 MiB of text in one file, aliases followed: split the file, or write fewer aliases",
        )
    } else {
        Ok(())
    }
}

/// How many nodes and bytes of text a copy takes.
fn size(node: &Node) -> (usize, usize) {
    let add =
        |(nodes, text): (usize, usize), (more, bytes): (usize, usize)| (nodes + more, text + bytes);
    match &node.value {
        Value::Null => (1, 0),
        Value::Text(text) => (1, text.len()),
        Value::List(items) => items.iter().map(size).fold((1, 0), add),
        Value::Map(members) => members
            .iter()
            .map(|(key, node)| add(size(node), (0, key.text.len())))
            .fold((1, 0), add),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(node: &Node) -> String {
        let inner = match &node.value {
            Value::Null => "null".to_owned(),
            Value::Text(text) => text.to_string(),
            Value::List(items) => {
                format!(
                    "[{}]",
                    items.iter().map(shown).collect::<Vec<_>>().join(" ")
                )
            }
            Value::Map(members) => {
                let members: Vec<_> = members
                    .iter()
                    .map(|(key, node)| format!("{}@{}={}", key.text, key.line, shown(node)))
                    .collect();
                format!("{{{}}}", members.join(" "))
            }
        };
        format!("{inner}@{}", node.line)
    }

    #[test]
    fn s13_scalars_keep_their_text_and_everything_its_line() {
        for (name, text, expected) in [
            (
                "numbers and truth values",
                "a: 8200\nb: true\nc: 1.50\n",
                "{a@1=8200@1 b@2=true@2 c@3=1.50@3}@1",
            ),
            (
                "nulls",
                "a:\nb: ~\nc: null\nd: \"null\"\ne: ''\n",
                "{a@1=null@1 b@2=null@2 c@3=null@3 d@4=null@4 e@5=@5}@1",
            ),
            ("a list", "- a\n- [b, c]\n", "[a@1 [b@2 c@2]@2]@1"),
            (
                "flow, as JSON",
                "{\"a\": {\"b\": 1}}",
                "{a@1={b@1=1@1}@1}@1",
            ),
            (
                "a block",
                "a: |\n  x\n  y\nb: z\n",
                "{a@1=x\ny\n@2 b@4=z@4}@1",
            ),
            (
                "an alias",
                "a: &x {b: 1}\nc: *x\n",
                "{a@1={b@1=1@1}@1 c@2={b@1=1@1}@2}@1",
            ),
        ] {
            let (documents, fault) = parse(text);
            assert_eq!(fault, None, "{name}");
            assert_eq!(shown(&documents[0].root), expected, "{name}");
        }
    }

    #[test]
    fn s8_documents_before_a_fault_are_kept() {
        let (documents, fault) = parse("a: 1\n---\nb: 2\n---\nc: [1\nd: }\n");
        assert_eq!(documents.len(), 2);
        let fault = fault.expect("broken");
        assert!(
            fault.message.starts_with("not valid YAML: "),
            "{}",
            fault.message
        );
        assert!((5..=6).contains(&fault.line), "{}", fault.line);
    }

    #[test]
    fn a_repeated_key_is_noted_with_both_lines() {
        let (documents, _) = parse("a: 1\nb: 2\na: 3\n");
        assert_eq!(
            documents[0].repeated,
            [Repeated {
                key: "a".to_owned(),
                first: 1,
                second: 3
            }]
        );
    }

    #[test]
    fn what_a_few_lines_can_grow_into_is_bounded() {
        let mut laughs = "a: &a [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for (previous, next) in ('a'..'i').zip('b'..='i') {
            let items = vec![format!("*{previous}"); 9].join(", ");
            laughs.push_str(&format!("{next}: &{next} [{items}]\n"));
        }
        let long = "x".repeat(1 << 20);
        let rows = [
            ("aliases of aliases", laughs, "nodes in one file"),
            (
                "a long text, often",
                format!("a: &a {long}\nb: [*a, *a, *a, *a]\n"),
                "MiB of text",
            ),
            ("many nodes", "- a\n".repeat(20_001), "nodes in one file"),
            ("many documents", "--- a\n".repeat(1_001), "1000 documents"),
            ("deep flow", "[".repeat(100_000), "not valid YAML"),
            (
                "deep blocks",
                (0..200).map(|n| format!("{}a:\n", " ".repeat(n))).collect(),
                "not valid YAML",
            ),
            ("an alias of itself", "a: &a [*a]\n".to_owned(), "alias"),
            ("an unknown alias", "a: *b\n".to_owned(), "not valid YAML"),
            (
                "a key that is a list",
                "? [a, b]\n: c\n".to_owned(),
                "no text",
            ),
        ];
        for (name, text, message) in rows {
            let fault = parse(&text).1.expect(name);
            assert!(fault.message.contains(message), "{name}: {}", fault.message);
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "[-:\\[\\]{}&*|>'\"#%@!? a\n]{0,60}") {
            let _ = parse(&text);
        }
    }
}
