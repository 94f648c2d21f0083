"""Asks a server with the clients of other people, every call that they have for what it offers.

Prints one JSON object a line: the client, its version, and the names of the calls that were answered as they should be.
A call that is not ends the script.
"""

import asyncio
import json
import queue
import sys
from importlib.metadata import version

import numpy as np

ADDRESS = sys.argv[1]
# `mnist-app` is on `mnist:1`, which always answers 3; `mnist:2` answers 4.
APPLICATION, MODEL = "mnist-app", "mnist"
IMAGES = np.full((2, 28, 28), 0.25, np.float32)
OUTPUTS = ["class_ids", "classes", "logits", "probabilities"]


def expect(found, expected):
    assert found == expected, f"expected {expected!r}, found {found!r}"


def passed(client, package, calls):
    print(json.dumps({"client": client, "version": version(package), "calls": calls}))


def check_answer(answer, label):
    expect(answer.as_numpy("class_ids").tolist(), [[label], [label]])
    expect(answer.as_numpy("classes").astype(str).tolist(), [[str(label)], [str(label)]])
    expect(answer.as_numpy("logits").shape, (2, 10))
    assert np.allclose(answer.as_numpy("probabilities").sum(axis=1), 1)


def inputs(triton, binary=None):
    """The same images in every type and shape."""
    for datatype, kind in [("FP32", np.float32), ("FP64", np.float64), ("UINT8", np.uint8), ("INT32", np.int32), ("INT64", np.int64)]:
        for shape in [(2, 28, 28), (2, 784), (2, 28, 28, 1)]:
            image = triton.InferInput("imgs", list(shape), datatype)
            array = (IMAGES * 4).astype(kind).reshape(shape)
            if binary is None:
                image.set_data_from_numpy(array)
            else:
                image.set_data_from_numpy(array, binary_data=binary)
            yield image


def refused(call, word):
    try:
        call()
    except Exception as error:
        assert word in str(error), f"expected {word!r} in {error}"
        return
    raise AssertionError("a call was not refused")


def triton_http():
    import tritonclient.http as triton

    client = triton.InferenceServerClient(ADDRESS)
    assert client.is_server_live() and client.is_server_ready()
    assert client.is_model_ready(APPLICATION) and client.is_model_ready(MODEL, "2")
    assert not client.is_model_ready("nope") and not client.is_model_ready(MODEL, "9")
    expect(client.get_server_metadata()["name"], "slipway-server")
    expect(client.get_model_metadata(MODEL, "1")["versions"], ["1", "2"])
    expect([output["name"] for output in client.get_model_metadata(APPLICATION)["outputs"]], OUTPUTS)
    for binary in [True, False]:
        for image in inputs(triton, binary):
            check_answer(client.infer(APPLICATION, [image], request_id="7"), 3)
        for wanted in [True, False]:
            outputs = [triton.InferRequestedOutput(name, binary_data=wanted) for name in OUTPUTS]
            check_answer(client.infer(MODEL, [image], model_version="2", outputs=outputs), 4)
    expect(client.infer(APPLICATION, [image], request_id="7").get_response()["id"], "7")
    check_answer(client.infer(APPLICATION, [image], request_compression_algorithm="gzip"), 3)
    check_answer(client.async_infer(APPLICATION, [image]).get_result(), 3)
    wrong = triton.InferInput("imgs", [1, 27], "FP32")
    wrong.set_data_from_numpy(np.zeros((1, 27), np.float32))
    refused(lambda: client.infer(APPLICATION, [wrong]), "inputs[0].shape")
    expect([entry["name"] for entry in client.get_model_repository_index()], [APPLICATION, MODEL, MODEL])
    client.unload_model(MODEL)
    assert not client.is_model_ready(MODEL, "1")
    client.load_model(MODEL)
    assert client.is_model_ready(MODEL, "1")
    assert client.get_inference_statistics(APPLICATION)["model_stats"][-1]["inference_count"] > 0
    assert client.get_inference_statistics()["model_stats"]
    calls = "live, ready, model_ready, metadata, model_metadata, infer (JSON, binary, gzip), async_infer, index, load, unload, statistics"
    passed("tritonclient.http", "tritonclient", calls)


def triton_grpc():
    import tritonclient.grpc as triton

    client = triton.InferenceServerClient(ADDRESS)
    assert client.is_server_live() and client.is_server_ready()
    assert client.is_model_ready(APPLICATION) and client.is_model_ready(MODEL, "2")
    refused(lambda: client.is_model_ready("nope"), "nope")
    expect(client.get_server_metadata().name, "slipway-server")
    expect(list(client.get_model_metadata(MODEL, "1").versions), ["1", "2"])
    for image in inputs(triton):
        check_answer(client.infer(APPLICATION, [image], request_id="7"), 3)
    outputs = [triton.InferRequestedOutput(name) for name in OUTPUTS]
    answer = client.infer(MODEL, [image], model_version="2", outputs=outputs, request_id="7")
    check_answer(answer, 4)
    expect(answer.get_response().id, "7")
    check_answer(client.infer(APPLICATION, [image], compression_algorithm="gzip"), 3)
    answers = queue.Queue()
    client.async_infer(APPLICATION, [image], lambda result, error: answers.put((result, error)))
    answer, error = answers.get(timeout=20)
    expect(error, None)
    check_answer(answer, 3)
    wrong = triton.InferInput("imgs", [1, 27], "FP32")
    wrong.set_data_from_numpy(np.zeros((1, 27), np.float32))
    refused(lambda: client.infer(APPLICATION, [wrong]), "inputs[0].shape")
    expect([entry.name for entry in client.get_model_repository_index().models], [APPLICATION, MODEL, MODEL])
    client.unload_model(MODEL)
    refused(lambda: client.is_model_ready(MODEL, "1"), "unloaded")
    client.load_model(MODEL)
    assert client.is_model_ready(MODEL, "1")
    assert client.get_inference_statistics(APPLICATION).model_stats[-1].inference_count > 0
    calls = "live, ready, model_ready, metadata, model_metadata, infer (also gzip), async_infer, index, load, unload, statistics"
    passed("tritonclient.grpc", "tritonclient", calls)


async def triton_http_aio():
    import tritonclient.http.aio as triton

    async with triton.InferenceServerClient(ADDRESS) as client:
        assert await client.is_server_live() and await client.is_server_ready()
        assert await client.is_model_ready(APPLICATION)
        expect((await client.get_server_metadata())["name"], "slipway-server")
        expect((await client.get_model_metadata(MODEL, "1"))["versions"], ["1", "2"])
        for binary in [True, False]:
            for image in inputs(triton, binary):
                check_answer(await client.infer(APPLICATION, [image]), 3)
        assert await client.get_model_repository_index()
    passed("tritonclient.http.aio", "tritonclient", "live, ready, model_ready, metadata, model_metadata, infer (JSON, binary), index")


async def triton_grpc_aio():
    import tritonclient.grpc.aio as triton

    async with triton.InferenceServerClient(ADDRESS) as client:
        assert await client.is_server_live() and await client.is_server_ready()
        assert await client.is_model_ready(APPLICATION)
        expect((await client.get_server_metadata()).name, "slipway-server")
        expect(list((await client.get_model_metadata(MODEL, "1")).versions), ["1", "2"])
        for image in inputs(triton):
            check_answer(await client.infer(APPLICATION, [image]), 3)
        assert (await client.get_model_repository_index()).models
    passed("tritonclient.grpc.aio", "tritonclient", "live, ready, model_ready, metadata, model_metadata, infer, index")


def kserve_inputs():
    from kserve import InferInput, InferRequest

    for binary in [True, False]:
        image = InferInput(name="imgs", shape=[2, 28, 28], datatype="FP32")
        image.set_data_from_numpy(IMAGES, binary_data=binary)
        yield InferRequest(model_name=APPLICATION, infer_inputs=[image], request_id="7")


def check_kserve(answer):
    outputs = {output.name: output.as_numpy() for output in answer.outputs}
    expect(sorted(outputs), sorted(OUTPUTS))
    expect(outputs["class_ids"].flatten().tolist(), [3, 3])
    expect(outputs["logits"].size, 20)


async def kserve_rest():
    from kserve import InferenceRESTClient, RESTConfig

    url = f"http://{ADDRESS}"
    client = InferenceRESTClient(RESTConfig(protocol="v2"))
    assert await client.is_server_live(url) and await client.is_server_ready(url)
    assert await client.is_model_ready(url, APPLICATION)
    for request in kserve_inputs():
        check_kserve(await client.infer(url, request, model_name=APPLICATION))
    first = InferenceRESTClient(RESTConfig(protocol="v1"))
    answer = await first.infer(url, {"instances": IMAGES.tolist()}, model_name=APPLICATION)
    expect([row["class_ids"] for row in answer["predictions"]], [[3], [3]])
    assert await first.is_model_ready(url, APPLICATION)
    passed("kserve.InferenceRESTClient", "kserve", "live, ready, model_ready, infer (V2 JSON and binary, V1)")


async def kserve_grpc():
    from kserve import InferenceGRPCClient

    client = InferenceGRPCClient(ADDRESS)
    assert await client.is_server_live() and await client.is_server_ready()
    assert await client.is_model_ready(APPLICATION)
    for request in kserve_inputs():
        check_kserve(await client.infer(request))
    passed("kserve.InferenceGRPCClient", "kserve", "live, ready, model_ready, infer (lists, bytes)")


def health_and_reflection():
    import grpc
    from grpc_health.v1 import health_pb2, health_pb2_grpc
    from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

    channel = grpc.insecure_channel(ADDRESS)
    stub = health_pb2_grpc.HealthStub(channel)
    expect(stub.Check(health_pb2.HealthCheckRequest()).status, health_pb2.HealthCheckResponse.SERVING)
    watch = stub.Watch(health_pb2.HealthCheckRequest(service=APPLICATION))
    expect(next(watch).status, health_pb2.HealthCheckResponse.SERVING)
    watch.cancel()
    passed("grpc_health", "grpcio-health-checking", "Check, Watch")
    names = ProtoReflectionDescriptorDatabase(channel).get_services()
    for name in ["inference.GRPCInferenceService", "tensorflow.serving.PredictionService", "grpc.health.v1.Health"]:
        assert name in names, names
    passed("grpc_reflection", "grpcio-reflection", "list of services")


async def main(family):
    # Triton and KServe describe the same protocol, each in a file of its own, which one process cannot have both.
    if family == "triton":
        triton_http()
        await triton_http_aio()
        triton_grpc()
        await triton_grpc_aio()
    else:
        await kserve_rest()
        await kserve_grpc()
        health_and_reflection()


asyncio.run(main(sys.argv[2]))
