"""Runs an ONNX encoder in OpenVINO: for each line with a batch size, encodes that many photos and prints `done`.

Arguments: the graph's file, threads. Photos are uint8 [batch, height, width, 3], all the same size as the graph's.
"""

import sys

import numpy as np
import openvino as ov

graph, threads = sys.argv[1], int(sys.argv[2])
settings = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32"}
core = ov.Core()
model = core.read_model(graph)
_, height, width, _ = model.input(0).partial_shape
request = core.compile_model(model, "CPU", settings).create_infer_request()
photos = {}
print("ready", flush=True)
for line in sys.stdin:
    shape = (int(line), height.get_length(), width.get_length(), 3)
    if shape not in photos:
        photos[shape] = (np.arange(np.prod(shape)) * 7919 % 251).astype(np.uint8).reshape(shape)
    request.infer({0: photos[shape]})
    print("done", flush=True)
