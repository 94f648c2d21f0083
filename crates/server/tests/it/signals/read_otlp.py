"""Reads an OTLP message in JSON by OpenTelemetry's own schema, and prints its spans."""

import sys

from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

with open(sys.argv[1], encoding="utf-8") as file:
    # A field that the schema does not have, or of another type, is an error.
    request = json_format.Parse(file.read(), ExportTraceServiceRequest())
for resource_spans in request.resource_spans:
    for scope_spans in resource_spans.scope_spans:
        for span in scope_spans.spans:
            print(span.name, span.kind, len(span.attributes), span.end_time_unix_nano > span.start_time_unix_nano)
