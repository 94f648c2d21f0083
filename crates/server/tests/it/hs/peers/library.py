"""Makes every call that the packages of `hs` 0.1.3 have for a server, also those that no command of it makes.

Usage: library.py ADDRESS, in a folder with `payload.tar.gz`. Its last line is a JSON document of the paths that stand in
these packages, so that none is forgotten here.
"""

import json
import re
import sys
from pathlib import Path

import hydroserving.httpclient.api as api
from hydroserving.httpclient.api import application, environment, model, monitoring, runtime, source
from hydroserving.httpclient.errors import HSApiError
from hydroserving.httpclient.remote_connection import RemoteConnection

remote = RemoteConnection(sys.argv[1])


def expect(found, expected):
    assert found == expected, f"expected {expected!r}, found {found!r}"


def refused(call, words):
    try:
        call()
    except HSApiError as error:
        text = str(error)
        body = json.loads(text[text.index("{") :])
        assert words in body["information"]["message"], f"expected {words!r} in {text}"
        return
    raise AssertionError("a call was not refused")


models = model.ModelAPI(remote)
uploaded = models.upload("payload.tar.gz", model.UploadMetadata("mnist", None, None, None))
version = models.find_version("mnist", 1)
expect(version["id"], uploaded["id"])
expect(models.build_status(str(uploaded["id"]))["status"], "Finished")
[listed] = models.list()
expect(models.build(listed["id"]), uploaded)
refused(lambda: models.build(7), "no model has the id 7")

runtimes = runtime.RuntimeAPI(remote)
created = runtimes.create("mine", "latest", ["tensorflow:1.7.0"])
expect(runtimes.get_status(created["id"])["status"], "Finished")
assert created in runtimes.list()

environments = environment.EnvironmentAPI(remote)
expect(environments.create("gpu", {"key": "disk"}), environments.get("gpu"))
expect(source.SourceAPI(remote).list(), [])

applications = application.ApplicationAPI(remote)
service = {"weight": 100, "signatureName": "predict", "runtimeId": created["id"], "modelVersionId": version["id"]}
graph = {"stages": [{"services": [service]}]}
described = application.CreateApplicationRequest("mnist-app", graph, [])
made = applications.create(described)
expect(applications.update(str(made["id"]), described)["id"], made["id"])
expect([entry["name"] for entry in applications.list()], ["mnist-app"])
answer = applications.serve(str(made["id"]), "predict", {"imgs": [[[0.0] * 28] * 28]})
expect(len(answer["class_ids"]), 1)

aggregations = monitoring.MonitoringAPI(remote)
provider = monitoring.MetricProviderSpecification(monitoring.METRIC_PROVIDERS["GAN"], None, False, None)
source_field = monitoring.FilterSpecification("imgs", "app7stage0")
added = aggregations.create_aggregation(monitoring.EntryAggregationSpecification("gan", provider, source_field))
expect([entry["id"] for entry in aggregations.list_aggregations()], [added["id"]])
aggregations.delete_aggregation(str(added["id"]))
expect(aggregations.list_aggregations(), [])

profiles = api.ProfilesAPI(remote)
refused(lambda: profiles.push(version["id"], "payload.tar.gz"), "data profiles are not computed here")
refused(lambda: profiles.status(version["id"]), "data profiles are not computed here")
refused(lambda: profiles.push(7, "payload.tar.gz"), "no model version has the id 7")

sources = Path(api.__file__).parent.glob("*.py")
paths = {path for file in sources for path in re.findall(r"""["'](/[a-zA-Z][^"']*)["']""", file.read_text())}
print(json.dumps(sorted(paths)))
