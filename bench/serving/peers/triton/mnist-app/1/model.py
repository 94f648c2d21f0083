"""The model under Triton: its package brings no backend but that of Python, so onnxruntime is called there."""

import os

import onnxruntime
import triton_python_backend_utils as triton


class TritonPythonModel:
    def initialize(self, _):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(os.environ["MODEL"], options, providers=["CPUExecutionProvider"])

    def execute(self, requests):
        return [self.answer(request) for request in requests]

    def answer(self, request):
        images = triton.get_input_tensor_by_name(request, "imgs").as_numpy()
        [probabilities] = self.session.run(["probabilities"], {"imgs": images})
        return triton.InferenceResponse([triton.Tensor("probabilities", probabilities)])
