//! The graph of a SavedModel: variables, classification, and the saver that fills the variables.

use formats::signature::Field;

use super::{shape, variables::Variable};
use crate::tensorflow::messages::{
    Attr, AttrValue, CheckpointFormatVersion, DataType, ListValue, NodeDef, SaverDef, TensorProto, TensorShapeProto,
};

const LOGITS: &str = "dnn/logits/BiasAdd";
const PROBABILITIES: &str = "head/predictions/probabilities";
const CLASS_IDS: &str = "head/predictions/ExpandDims";
const CLASSES: &str = "head/predictions/str_classes";
const FILENAME: &str = "save/Const";
const RESTORE: &str = "save/restore_all";
const SAVE: &str = "save/control_dependency";

/// The nodes of the graph, in an order in which each comes after those that it reads.
pub(super) struct SavedGraph {
    nodes: Vec<NodeDef>,
}

impl SavedGraph {
    /// The graph that classifies the images of the field `imgs` with these variables: kernels and biases in turn, from
    /// input to output.
    pub(super) fn new(variables: &[Variable], imgs: &Field) -> Self {
        let mut graph = Self { nodes: Vec::new() };
        for variable in variables {
            graph.add_variable(variable);
        }
        graph.add_layers(variables, imgs);
        graph.add_predictions();
        graph.add_saver(variables);
        graph
    }

    pub(super) fn into_nodes(self) -> Vec<NodeDef> {
        self.nodes
    }

    /// The tensor that is a field of the signature; an input is called like its field.
    pub(super) fn tensor_of(&self, field: &Field) -> String {
        let node = match field.name.as_str() {
            "logits" => LOGITS,
            "probabilities" => PROBABILITIES,
            "class_ids" => CLASS_IDS,
            "classes" => CLASSES,
            input => input,
        };
        format!("{node}:0")
    }

    /// How TensorFlow saves and restores the variables of this graph.
    pub(super) fn saver_def(&self) -> SaverDef {
        SaverDef {
            filename_tensor_name: format!("{FILENAME}:0"),
            save_tensor_name: format!("{SAVE}:0"),
            restore_op_name: RESTORE.to_owned(),
            // These two matter only for who goes on training; they are TensorFlow's defaults.
            max_to_keep: 5,
            keep_checkpoint_every_n_hours: 10_000.0,
            version: CheckpointFormatVersion::V2.into(),
        }
    }

    fn add_variable(&mut self, variable: &Variable) {
        let Variable { name, value, .. } = variable;
        let dtype = ("dtype", data_type(value.dtype));
        let shape = TensorShapeProto::of(&value.shape);
        let zeros = match value.dtype {
            DataType::Int64 => TensorProto {
                int64_val: vec![0],
                ..TensorProto::default()
            },
            _ => TensorProto {
                float_val: vec![0.0],
                ..TensorProto::default()
            },
        };
        let shared_name = ("shared_name", Attr::S(name.clone().into_bytes()));
        self.add(
            "VarHandleOp",
            name,
            &[],
            [dtype.clone(), ("shape", Attr::Shape(shape.clone())), shared_name],
        );
        self.add_constant(&variable.initial_value(), value.dtype, shape, zeros);
        let initial_value = variable.initial_value();
        self.add(
            "AssignVariableOp",
            &variable.initializer(),
            &[name, &initial_value],
            [dtype.clone()],
        );
        self.add("ReadVariableOp", &variable.read(), &[name], [dtype]);
    }

    fn add_layers(&mut self, variables: &[Variable], imgs: &Field) {
        let image_shape = shape(imgs);
        let dtype = ("dtype", data_type(DataType::Float));
        self.add(
            "Placeholder",
            &imgs.name,
            &[],
            [dtype, ("shape", Attr::Shape(image_shape))],
        );
        let n_pixels = variables[0].value.shape[0];
        let pixels = TensorProto {
            int64_val: vec![-1, n_pixels],
            ..TensorProto::default()
        };
        self.add_constant("dnn/pixels/shape", DataType::Int64, TensorShapeProto::of(&[2]), pixels);
        self.add(
            "Reshape",
            "dnn/pixels",
            &[&imgs.name, "dnn/pixels/shape"],
            [
                ("T", data_type(DataType::Float)),
                ("Tshape", data_type(DataType::Int64)),
            ],
        );
        let mut inputs = "dnn/pixels".to_owned();
        let (layers, _global_step) = variables.as_chunks::<2>();
        for (index, [kernel, bias]) in layers.iter().enumerate() {
            let scope = kernel.name.trim_end_matches("/kernel");
            let [product, sums] = [format!("{scope}/MatMul"), format!("{scope}/BiasAdd")];
            self.add_float("MatMul", &product, &[&inputs, &kernel.read()]);
            self.add_float("BiasAdd", &sums, &[&product, &bias.read()]);
            if index + 1 < layers.len() {
                inputs = format!("{scope}/Relu");
                self.add_float("Relu", &inputs, &[&sums]);
            }
        }
    }

    fn add_predictions(&mut self) {
        self.add_float("Softmax", PROBABILITIES, &[LOGITS]);
        for name in [
            "head/predictions/class_ids/dimension",
            "head/predictions/ExpandDims/dim",
        ] {
            let last = TensorProto {
                int_val: vec![-1],
                ..TensorProto::default()
            };
            self.add_constant(name, DataType::Int32, TensorShapeProto::default(), last);
        }
        let class_ids = "head/predictions/class_ids";
        self.add_float("ArgMax", class_ids, &[LOGITS, "head/predictions/class_ids/dimension"]);
        let int64 = [("T", data_type(DataType::Int64))];
        let with_dim = [class_ids, "head/predictions/ExpandDims/dim"];
        self.add("ExpandDims", CLASS_IDS, &with_dim, int64.clone());
        self.add("AsString", CLASSES, &[CLASS_IDS], int64);
    }

    /// Nodes that write all variables to a bundle, and that read them from one.
    fn add_saver(&mut self, variables: &[Variable]) {
        let string = [("dtype", data_type(DataType::String))];
        let scalar = TensorShapeProto::default();
        self.add_strings("save/filename/input", scalar.clone(), vec![b"model".to_vec()]);
        let [dtype] = string;
        self.add(
            "PlaceholderWithDefault",
            FILENAME,
            &["save/filename/input"],
            [dtype, ("shape", Attr::Shape(scalar))],
        );
        // A bundle is looked through in the order of its names.
        let mut variables: Vec<&Variable> = variables.iter().collect();
        variables.sort_by(|left, right| left.name.cmp(&right.name));
        let names: Vec<Vec<u8>> = variables
            .iter()
            .map(|variable| variable.name.clone().into_bytes())
            .collect();
        let count = TensorShapeProto::of(&[super::length(names.len())]);
        // Each variable whole, and not a slice of it.
        self.add_strings("save/slices", count.clone(), vec![Vec::new(); names.len()]);
        self.add_strings("save/names", count, names);
        let dtypes = Attr::List(ListValue {
            r#type: variables.iter().map(|variable| variable.value.dtype.into()).collect(),
        });

        let reads: Vec<String> = variables.iter().map(|variable| variable.read()).collect();
        let mut inputs = vec![FILENAME, "save/names", "save/slices"];
        self.add("RestoreV2", "save/RestoreV2", &inputs, [("dtypes", dtypes.clone())]);
        inputs.extend(reads.iter().map(String::as_str));
        self.add("SaveV2", "save/SaveV2", &inputs, [("dtypes", dtypes)]);
        let after_saving = [FILENAME, "^save/SaveV2"];
        self.add("Identity", SAVE, &after_saving, [("T", data_type(DataType::String))]);

        let mut restored = Vec::new();
        for (index, variable) in variables.into_iter().enumerate() {
            let name = format!("save/AssignVariableOp_{index}");
            let read = format!("save/RestoreV2:{index}");
            let dtype = ("dtype", data_type(variable.value.dtype));
            self.add("AssignVariableOp", &name, &[&variable.name, &read], [dtype]);
            restored.push(format!("^{name}"));
        }
        let restored: Vec<&str> = restored.iter().map(String::as_str).collect();
        self.add("NoOp", RESTORE, &restored, []);
    }

    fn add<const N: usize>(&mut self, op: &str, name: &str, inputs: &[&str], attributes: [(&str, Attr); N]) {
        let attributes = attributes.into_iter().map(|(key, value)| {
            let value = AttrValue { value: Some(value) };
            (key.to_owned(), value)
        });
        self.nodes.push(NodeDef {
            name: name.to_owned(),
            op: op.to_owned(),
            input: inputs.iter().map(|&input| input.to_owned()).collect(),
            attr: attributes.collect(),
        });
    }

    /// An operation on floating point numbers.
    fn add_float(&mut self, op: &str, name: &str, inputs: &[&str]) {
        self.add(op, name, inputs, [("T", data_type(DataType::Float))]);
    }

    /// A constant; `values` holds them and neither type nor shape.
    fn add_constant(&mut self, name: &str, dtype: DataType, shape: TensorShapeProto, values: TensorProto) {
        let value = TensorProto {
            dtype: dtype.into(),
            tensor_shape: Some(shape),
            ..values
        };
        let attributes = [("dtype", data_type(dtype)), ("value", Attr::Tensor(value))];
        self.add("Const", name, &[], attributes);
    }

    fn add_strings(&mut self, name: &str, shape: TensorShapeProto, string_val: Vec<Vec<u8>>) {
        let values = TensorProto {
            string_val,
            ..TensorProto::default()
        };
        self.add_constant(name, DataType::String, shape, values);
    }
}

fn data_type(dtype: DataType) -> Attr {
    Attr::Type(dtype.into())
}
