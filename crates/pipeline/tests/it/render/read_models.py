"""Reads what was rendered with the models of its tools, and refuses every field that these do not know."""

import pathlib
import sys

import yaml
from hera.workflows import models as argo
from kubeflow_trainer_api import models as trainer

import kserve_models


def strict(model):
    """A reader of one of pydantic's models."""
    return lambda document: model.model_validate(document, extra="forbid")


def with_amounts(value):
    """The same with amounts as Kubeflow's models have them: as objects around the text."""
    if isinstance(value, list):
        return [with_amounts(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    amounts = {"limits", "requests"}
    return {
        key: {name: {"actual_instance": amount} for name, amount in entry.items()} if key in amounts else with_amounts(entry)
        for key, entry in value.items()
    }


READERS = {
    "Workflow": strict(argo.Workflow),
    "CronWorkflow": strict(argo.CronWorkflow),
    "TrainJob": strict(trainer.TrainerV1alpha1TrainJob),
    "TrainingRuntime": lambda document: strict(trainer.TrainerV1alpha1TrainingRuntime)(with_amounts(document)),
    "InferenceService": kserve_models.reader("V1beta1InferenceService"),
    "ServingRuntime": kserve_models.reader("V1alpha1ServingRuntime"),
}

root = pathlib.Path(sys.argv[1])
for folder in ["argo", "kserve", "kubeflow"]:
    for path in sorted((root / folder).iterdir()):
        for document in yaml.safe_load_all(path.read_text()):
            read = READERS.get(document["kind"])
            if read is None:
                continue
            read(document)
            unknown = {**document, "metadata": {**document["metadata"]}, "spec": {**document["spec"], "unknownField": 1}}
            try:
                read(unknown)
            except ValueError:
                print(path.relative_to(root), document["kind"])
