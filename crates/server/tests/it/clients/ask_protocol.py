"""Asks a server with the clients that are generated from the Open Inference Protocol itself, every call of it, and compares
every field of its messages with the server's own.

Prints one JSON object a line: the client, its version, and the names of the calls that were answered as they should be.
A call that is not ends the script.
"""

import asyncio
import json
import sys
from importlib.metadata import version

import grpc
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from open_inference.grpc import protocol
from open_inference.grpc.service import GRPCInferenceServiceStub
from open_inference.openapi.client import AsyncOpenInferenceClient, OpenInferenceClient
from open_inference.openapi.errors import BadRequestError, NotFoundError
from open_inference.openapi.types import InferenceRequest, RequestInput, RequestOutput, TensorData

ADDRESS = sys.argv[1]
# `mnist-app` is on `mnist:1`, which always answers 3; `mnist:2` answers 4.
APPLICATION, MODEL = "mnist-app", "mnist"
NUMBERS = [0.25] * (2 * 784)
OUTPUTS = ["class_ids", "classes", "logits", "probabilities"]


def expect(found, expected):
    assert found == expected, f"expected {expected!r}, found {found!r}"


def passed(client, package, calls):
    print(json.dumps({"client": client, "version": version(package), "calls": calls}))


def request(shape=(2, 28, 28), outputs=None):
    image = RequestInput(name="imgs", shape=list(shape), datatype="FP32", data=TensorData(__root__=NUMBERS))
    wanted = outputs and [RequestOutput(name=name) for name in outputs]
    return InferenceRequest(id="7", inputs=[image], outputs=wanted)


def check_answer(answer, names, label):
    expect(answer.id, "7")
    expect([output.name for output in answer.outputs], names)
    [class_ids] = [output for output in answer.outputs if output.name == "class_ids"]
    expect((class_ids.shape, class_ids.datatype, class_ids.data.__root__), ([2, 1], "INT64", [label, label]))


def refused(call, error, words):
    try:
        call()
    except error as refusal:
        assert words in refusal.body["error"], f"expected {words!r} in {refusal.body}"
        return
    raise AssertionError("a call was not refused")


def rest():
    client = OpenInferenceClient(base_url=f"http://{ADDRESS}")
    client.check_server_liveness()
    client.check_server_readiness()
    client.check_model_readiness(APPLICATION)
    client.check_model_version_readiness(MODEL, "2")
    refused(lambda: client.check_model_readiness("nope"), NotFoundError, "nope")
    expect(client.read_server_metadata().name, "slipway-server")
    expect(client.read_model_version_metadata(MODEL, "1").versions, ["1", "2"])
    metadata = client.read_model_metadata(APPLICATION)
    expect([output.name for output in metadata.outputs], OUTPUTS)
    check_answer(client.model_infer(APPLICATION, request=request()), OUTPUTS, 3)
    wanted = ["logits", "class_ids"]
    check_answer(client.model_version_infer(MODEL, "2", request=request(outputs=wanted)), wanted, 4)
    refused(lambda: client.model_infer(APPLICATION, request=request(shape=(2, 27))), BadRequestError, "inputs[0].shape")
    passed("open_inference.openapi", "open-inference-openapi", "every call, sync and async")


async def rest_aio():
    client = AsyncOpenInferenceClient(base_url=f"http://{ADDRESS}")
    await client.check_server_liveness()
    await client.check_server_readiness()
    await client.check_model_readiness(APPLICATION)
    await client.check_model_version_readiness(MODEL, "2")
    expect((await client.read_server_metadata()).name, "slipway-server")
    expect((await client.read_model_version_metadata(MODEL, "1")).versions, ["1", "2"])
    expect((await client.read_model_metadata(APPLICATION)).name, APPLICATION)
    check_answer(await client.model_infer(APPLICATION, request=request()), OUTPUTS, 3)
    check_answer(await client.model_version_infer(MODEL, "2", request=request()), OUTPUTS, 4)


def calls(channel):
    stub = GRPCInferenceServiceStub(channel)
    assert stub.ServerLive(protocol.ServerLiveRequest()).live
    assert stub.ServerReady(protocol.ServerReadyRequest()).ready
    assert stub.ModelReady(protocol.ModelReadyRequest(name=MODEL, version="2")).ready
    expect(stub.ServerMetadata(protocol.ServerMetadataRequest()).name, "slipway-server")
    metadata = stub.ModelMetadata(protocol.ModelMetadataRequest(name=APPLICATION))
    expect([output.name for output in metadata.outputs], OUTPUTS)
    image = {"name": "imgs", "datatype": "FP32", "shape": [2, 28, 28], "contents": {"fp32_contents": NUMBERS}}
    asked = protocol.ModelInferRequest(model_name=MODEL, model_version="2", id="7", inputs=[image])
    answer = stub.ModelInfer(asked)
    expect((answer.model_name, answer.model_version, answer.id), (MODEL, "2", "7"))
    expect(list(answer.outputs[0].contents.int64_contents), [4, 4])


def fields(messages):
    """Every field of these messages and of those within them: its number, name, type and whether there are several."""
    found = set()
    for message in messages:
        found |= {(message.full_name, f.number, f.name, f.type, f.is_repeated) for f in message.fields}
        found |= fields(message.nested_types)
    return found


def descriptions(channel):
    """Whatever the protocol has, the server has just so; it also has what Triton added."""
    ours = DescriptorPool(ProtoReflectionDescriptorDatabase(channel))
    theirs = protocol.DESCRIPTOR
    missing = fields(theirs.message_types_by_name.values()) - fields(
        ours.FindMessageTypeByName(message.full_name) for message in theirs.message_types_by_name.values()
    )
    expect(missing, set())
    [service] = theirs.services_by_name.values()
    for method in service.methods:
        mine = ours.FindServiceByName(service.full_name).FindMethodByName(method.name)
        named = [(m.input_type.full_name, m.output_type.full_name) for m in (mine, method)]
        expect(named[0], named[1])


rest()
asyncio.run(rest_aio())
with grpc.insecure_channel(ADDRESS) as channel:
    calls(channel)
    descriptions(channel)
passed("open_inference.grpc", "open-inference-grpc", "every call; every field compared")
