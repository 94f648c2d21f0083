//! The graph of a SavedModel, followed from a tensor to what it is computed from, into and out of functions.
//!
//! TensorFlow 1 writes one flat graph. TensorFlow 2 writes functions that call each other, and a graph that calls the
//! outermost ones. Here a call is stepped into where a tensor leads, so nothing is copied, and what no tensor leads to is
//! never looked at.

use std::collections::HashMap;

use super::SavedModelError;
use crate::tensorflow::messages::{Attr, FunctionDef, MetaGraphDef, NodeDef, TensorProto};

/// Most steps from one tensor to another, over all of a graph: a chain of 32 layers takes a few hundred.
const STEPS_MAX: usize = 100_000;
/// Most calls within each other.
const DEPTH_MAX: usize = 64;

/// A graph with the functions that it calls.
pub(super) struct Graph<'a> {
    functions: HashMap<&'a str, &'a FunctionDef>,
    /// The graph itself first, then each call that was stepped into.
    scopes: Vec<Scope<'a>>,
    /// Which scope belongs to which call.
    calls: HashMap<(usize, &'a str), usize>,
    n_steps: usize,
    restore: &'a str,
}

/// Nodes that see each other.
struct Scope<'a> {
    nodes: HashMap<&'a str, &'a NodeDef>,
    /// What the caller gives for each argument: a tensor of the caller's scope.
    arguments: HashMap<&'a str, (usize, &'a str)>,
    depth: usize,
}

/// A value in the graph: an output of a node that is no call.
#[derive(Clone, Copy)]
pub(super) struct Tensor<'a> {
    scope: usize,
    pub(super) node: &'a NodeDef,
    pub(super) output: usize,
}

impl<'a> Graph<'a> {
    pub(super) fn new(meta: &'a MetaGraphDef) -> Result<Self, SavedModelError> {
        let graph = meta.graph_def.as_ref().ok_or(SavedModelError::NoGraph)?;
        let functions = graph.library.iter().flat_map(|library| &library.function);
        let functions = functions.filter_map(|function| Some((function.signature.as_ref()?.name.as_str(), function)));
        Ok(Self {
            functions: functions.collect(),
            scopes: vec![Scope {
                nodes: by_name(&graph.node),
                arguments: HashMap::new(),
                depth: 0,
            }],
            calls: HashMap::new(),
            n_steps: 0,
            restore: meta.saver_def.as_ref().map_or("", |saver| &saver.restore_op_name),
        })
    }

    /// The tensor that is called so outside of all functions.
    pub(super) fn tensor(&mut self, name: &'a str) -> Result<Tensor<'a>, SavedModelError> {
        self.resolve(0, name)
    }

    /// What a tensor's node reads at `index`, not counting what it only waits for.
    pub(super) fn input(&mut self, tensor: Tensor<'a>, index: usize) -> Result<Tensor<'a>, SavedModelError> {
        let name = values(tensor.node).nth(index);
        let name = name.ok_or_else(|| SavedModelError::Dangling(format!("input {index} of `{}`", tensor.node.name)))?;
        self.resolve(tensor.scope, name)
    }

    /// The tensor itself, or what it is handed on from without a change.
    pub(super) fn through(&mut self, mut tensor: Tensor<'a>) -> Result<Tensor<'a>, SavedModelError> {
        while matches!(tensor.node.op.as_str(), "Identity" | "StopGradient") {
            tensor = self.input(tensor, 0)?;
        }
        Ok(tensor)
    }

    /// As [`Graph::input`] and [`Graph::through`].
    pub(super) fn input_through(&mut self, tensor: Tensor<'a>, index: usize) -> Result<Tensor<'a>, SavedModelError> {
        let input = self.input(tensor, index)?;
        self.through(input)
    }

    /// All nodes that may fill variables, each as its first output: those of the graph, and those of the function that
    /// restores them.
    pub(super) fn restoring(&mut self) -> Result<Vec<Tensor<'a>>, SavedModelError> {
        let mut scopes = vec![0];
        let restore = self
            .restore
            .trim_start_matches('^')
            .split(':')
            .next()
            .unwrap_or_default();
        if let Some(&node) = self.scopes[0].nodes.get(restore)
            && self.callee(node).is_some()
        {
            scopes.push(self.enter(0, node)?);
        }
        let nodes = scopes.into_iter().flat_map(|scope| {
            let nodes = self.scopes[scope].nodes.values();
            nodes.map(move |node| Tensor { scope, node, output: 0 })
        });
        Ok(nodes.collect())
    }

    fn resolve(&mut self, mut scope: usize, mut name: &'a str) -> Result<Tensor<'a>, SavedModelError> {
        loop {
            self.n_steps += 1;
            if self.n_steps > STEPS_MAX {
                return Err(SavedModelError::TooLarge);
            }
            if let Some(&(caller, given)) = self.scopes[scope].arguments.get(name) {
                (scope, name) = (caller, given);
                continue;
            }
            // `node`, `node:1`, and in functions `node:output:1`. No operation that is understood here has outputs of
            // more than one name, so the number tells which output it is.
            let mut parts = name.split(':');
            let node = parts.next().unwrap_or_default();
            let output = parts.next_back().map_or(Ok(0), str::parse);
            let found = self.scopes[scope].nodes.get(node).copied();
            let (Some(node), Ok(output)) = (found, output) else {
                return Err(SavedModelError::Dangling(name.to_owned()));
            };
            let Some(function) = self.callee(node) else {
                return Ok(Tensor { scope, node, output });
            };
            let returned = function
                .signature
                .as_ref()
                .and_then(|signature| signature.output_arg.get(output));
            let returned = returned.and_then(|output| function.ret.get(&output.name));
            let returned = returned.ok_or_else(|| SavedModelError::Dangling(name.to_owned()))?;
            (scope, name) = (self.enter(scope, node)?, returned);
        }
    }

    /// The function that a node calls, if it is a call.
    fn callee(&self, node: &'a NodeDef) -> Option<&'a FunctionDef> {
        let name = match node.op.as_str() {
            "PartitionedCall" | "StatefulPartitionedCall" => match node.attr.get("f")?.value.as_ref()? {
                Attr::Func(function) => &function.name,
                _ => return None,
            },
            operation => operation,
        };
        self.functions.get(name).copied()
    }

    /// The scope of a call.
    fn enter(&mut self, scope: usize, node: &'a NodeDef) -> Result<usize, SavedModelError> {
        if let Some(&entered) = self.calls.get(&(scope, node.name.as_str())) {
            return Ok(entered);
        }
        let depth = self.scopes[scope].depth + 1;
        let function = self.callee(node).filter(|_| depth <= DEPTH_MAX);
        let function = function.ok_or(SavedModelError::TooLarge)?;
        // Each call costs as much as its function is long, so that a few calls of a long one cannot fill the memory.
        self.n_steps += function.node_def.len();
        if self.n_steps > STEPS_MAX {
            return Err(SavedModelError::TooLarge);
        }
        let arguments = function.signature.iter().flat_map(|signature| &signature.input_arg);
        let given = values(node).map(|name| (scope, name));
        self.scopes.push(Scope {
            nodes: by_name(&function.node_def),
            arguments: arguments.map(|argument| argument.name.as_str()).zip(given).collect(),
            depth,
        });
        let entered = self.scopes.len() - 1;
        self.calls.insert((scope, node.name.as_str()), entered);
        Ok(entered)
    }
}

impl<'a> Tensor<'a> {
    /// What tells one tensor from another.
    pub(super) fn key(&self) -> (usize, &'a str, usize) {
        (self.scope, &self.node.name, self.output)
    }

    pub(super) fn operation(&self) -> &'a str {
        &self.node.op
    }

    /// The value of a constant.
    pub(super) fn constant(&self) -> Option<&'a TensorProto> {
        match (self.operation(), self.attribute("value")?) {
            ("Const", Attr::Tensor(value)) => Some(value),
            _ => None,
        }
    }

    /// The value of a constant that is one whole number, however it is kept.
    pub(super) fn whole(&self) -> Option<i64> {
        let value = self.constant()?;
        let content = value.tensor_content.as_slice();
        match (value.int_val.as_slice(), value.int64_val.as_slice(), content.len()) {
            ([number], _, _) => Some(i64::from(*number)),
            (_, [number], _) => Some(*number),
            (_, _, 4) => content.first_chunk().map(|bytes| i64::from(i32::from_le_bytes(*bytes))),
            (_, _, 8) => content.first_chunk().map(|bytes| i64::from_le_bytes(*bytes)),
            // A number that is 0 may be left out altogether.
            ([], [], 0) => Some(0),
            _ => None,
        }
    }

    /// Whether an attribute that is there by default as `false` was switched on.
    pub(super) fn is_set(&self, attribute: &str) -> bool {
        matches!(self.attribute(attribute), Some(Attr::B(true)))
    }

    /// That this is nothing which can be taken in.
    pub(super) fn unsupported(&self, expected: &'static str) -> SavedModelError {
        SavedModelError::Operation {
            operation: self.node.op.clone(),
            node: self.node.name.clone(),
            expected,
        }
    }

    fn attribute(&self, name: &str) -> Option<&'a Attr> {
        self.node.attr.get(name)?.value.as_ref()
    }
}

fn by_name(nodes: &[NodeDef]) -> HashMap<&str, &NodeDef> {
    nodes.iter().map(|node| (node.name.as_str(), node)).collect()
}

/// The names of what a node reads, without what it waits for.
fn values(node: &NodeDef) -> impl Iterator<Item = &str> {
    let inputs = node.input.iter().map(String::as_str);
    inputs.filter(|input| !input.starts_with('^'))
}
