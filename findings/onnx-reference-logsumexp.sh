#!/bin/sh
# onnx 1.23.2: the reference evaluator gives NaN for ReduceLogSumExp of a row that is -inf throughout; onnxruntime gives -inf.
# Such a row is one outside of every component's support: its density is 0 and its log density -inf. The reference subtracts the
# largest value first, and -inf less -inf is NaN. Tests of a model against the reference then fail where the model is right.
# Seen: onnx.reference nan, onnxruntime 1.32.0 -inf; both 0 for (-inf, 0).
# Exits 0 as long as this is so, 1 when it changes. Needs the network; not part of the checks.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

axis = helper.make_tensor("axis", TensorProto.INT64, [1], [1])
node = helper.make_node("ReduceLogSumExp", ["x", "axis"], ["y"], keepdims=0)
inputs = [helper.make_tensor_value_info("x", TensorProto.DOUBLE, [None, 2])]
outputs = [helper.make_tensor_value_info("y", TensorProto.DOUBLE, [None])]
graph = helper.make_graph([node], "graph", inputs, outputs, [axis])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
rows = np.array([[-np.inf, -np.inf], [-np.inf, 0.0]])
with np.errstate(invalid="ignore"):
    reference = ReferenceEvaluator(model).run(None, {"x": rows})[0]
session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
runtime = session.run(None, {"x": rows})[0]
print("onnx", onnx.__version__, reference, "onnxruntime", onnxruntime.__version__, runtime)
sys.exit(not (np.isnan(reference[0]) and np.isneginf(runtime[0]) and reference[1] == runtime[1] == 0))
PYTHON
