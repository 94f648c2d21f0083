//! A chart: the same objects, with values in place of what differs from cluster to cluster.

use serde_json::{Value, json};

use super::{kustomize::objects_of, set, yaml};
use crate::{
    executor::{CERTIFICATES, Scene},
    settings::{Bucket, KubernetesSettings, Registry},
};

/// The value with the name of the secret that opens a bucket.
const CREDENTIALS: &str = "registryCredentials";
/// The value with the name of the ConfigMap that has the authority of its certificate.
const AUTHORITY: &str = "registryCertificates";
/// The version of the chart is that of the programs.
const VERSION: &str = env!("CARGO_PKG_VERSION");

pub(super) fn files(scene: &Scene) -> Vec<(&'static str, String)> {
    vec![
        ("chart/Chart.yaml", yaml::document(&chart())),
        ("chart/values.yaml", yaml::document(&values(scene))),
        ("chart/values.schema.json", pretty(&schema(scene))),
        ("chart/templates/slipway.yaml", yaml::documents(&templates(scene))),
        ("chart/templates/token.yaml", TOKEN.to_owned()),
        ("chart/templates/NOTES.txt", notes(scene)),
    ]
}

fn chart() -> Value {
    json!({
        "apiVersion": "v2",
        "name": "slipway",
        "description": "Trains a classifier of handwritten digits, serves it and proves it",
        "type": "application",
        "version": VERSION,
        "appVersion": VERSION,
        "icon": "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'/%3E",
    })
}

fn values(scene: &Scene) -> Value {
    let settings = &scene.settings.kubernetes;
    let mut values = json!({
        "image": scene.image,
        "replicas": settings.replicas,
        "workStorage": settings.work_storage.to_string(),
        "storageClass": settings.storage_class,
        "serverMemory": settings.server.memory.to_string(),
        "serverCpu": settings.server.cpu.to_string(),
        "serviceType": "ClusterIP",
    });
    match &scene.settings.server.registry {
        Registry::Folder(_) => values["registryStorage"] = json!(settings.registry_storage.to_string()),
        Registry::Bucket(bucket) => {
            for (_, name, value) in flags(bucket) {
                values[name] = json!(value);
            }
            for (name, object) in objects(settings) {
                values[name] = json!(object);
            }
        }
    }
    values
}

/// How the server is told of a bucket, and under which names the chart's values have it.
fn flags(bucket: &Bucket) -> Vec<(&'static str, &'static str, String)> {
    let endpoint = bucket.endpoint.as_ref().map(ToString::to_string);
    let flags = [
        ("--registry", "registry", Some(bucket.url.to_string())),
        ("--bucket-endpoint", "registryEndpoint", endpoint),
        ("--bucket-region", "registryRegion", bucket.region.clone()),
    ];
    flags
        .into_iter()
        .filter_map(|(flag, name, value)| Some((flag, name, value?)))
        .collect()
}

/// The objects that are there before the chart, under the names that its values have for them.
fn objects(settings: &KubernetesSettings) -> impl Iterator<Item = (&'static str, &str)> {
    let objects = [
        (CREDENTIALS, &settings.registry_credentials),
        (AUTHORITY, &settings.registry_certificates),
    ];
    objects
        .into_iter()
        .filter_map(|(name, object)| Some((name, object.as_deref()?)))
}

fn schema(scene: &Scene) -> Value {
    let quantity = json!({"type": "string", "pattern": "^[1-9][0-9]*(m|Ki|Mi|Gi|Ti)?$"});
    let text = json!({"type": "string", "minLength": 1});
    let mut schema = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "image": text,
            "replicas": {"type": "integer", "minimum": 1},
            "workStorage": quantity,
            "storageClass": {"type": ["string", "null"]},
            "serverMemory": quantity,
            "serverCpu": quantity,
            "serviceType": {"enum": ["ClusterIP", "NodePort", "LoadBalancer"]},
            "global": {"type": "object"},
        },
    });
    let mut required = vec!["image", "replicas", "workStorage"];
    match &scene.settings.server.registry {
        Registry::Folder(_) => {
            schema["properties"]["registryStorage"] = quantity;
            required.push("registryStorage");
        }
        Registry::Bucket(bucket) => {
            let flags = flags(bucket).into_iter().map(|(_, name, _)| name);
            for name in flags.chain(objects(&scene.settings.kubernetes).map(|(name, _)| name)) {
                schema["properties"][name] = text.clone();
                required.push(name);
            }
        }
    }
    required.extend(["serverMemory", "serverCpu", "serviceType"]);
    schema["required"] = json!(required);
    schema
}

/// The objects with values in their places.
fn templates(scene: &Scene) -> Vec<Value> {
    let mut objects = objects_of(scene);
    for object in &mut objects {
        object["metadata"]["labels"]["app.kubernetes.io/managed-by"] = value("Release.Service");
        object["metadata"]["labels"]["helm.sh/chart"] = json!(format!("slipway-{VERSION}"));
        match object["kind"].as_str() {
            Some("PersistentVolumeClaim") => {
                let storage = match object["metadata"]["name"] == "slipway-work" {
                    true => "Values.workStorage",
                    false => "Values.registryStorage",
                };
                set(object, "/spec/resources/requests/storage", value(storage));
                // Absent where no class is named: the cluster has a default.
                object["spec"]["storageClassName"] = json!("{{ .Values.storageClass | toJson }}");
            }
            Some("Service") => object["spec"]["type"] = value("Values.serviceType"),
            Some("Deployment") => {
                object["spec"]["replicas"] = json!("{{ .Values.replicas }}");
                let container = "/spec/template/spec/containers/0";
                set(object, &format!("{container}/image"), value("Values.image"));
                let resources = [
                    ("requests/cpu", "Values.serverCpu"),
                    ("requests/memory", "Values.serverMemory"),
                    ("limits/memory", "Values.serverMemory"),
                ];
                for (path, name) in resources {
                    set(object, &format!("{container}/resources/{path}"), value(name));
                }
                if let Some(bucket) = scene.settings.server.registry.bucket() {
                    set_bucket(&mut object["spec"]["template"]["spec"], bucket);
                }
            }
            Some("Job") => hook(object),
            Some("CronJob") => retraining(object, &scene.image),
            Some("RoleBinding") => set(object, "/subjects/0/namespace", value("Release.Namespace")),
            _ => {}
        }
    }
    objects
}

/// Whoever installs the chart has another bucket than who rendered it.
fn set_bucket(pod: &mut Value, bucket: &Bucket) {
    let volumes = pod["volumes"].as_array_mut().into_iter().flatten();
    for volume in volumes.filter(|volume| volume["name"] == CERTIFICATES) {
        set(volume, "/configMap/name", value(&format!("Values.{AUTHORITY}")));
    }
    let container = &mut pod["containers"][0];
    let command = container["command"].as_array_mut().expect("a container has a command");
    for (flag, name, _) in flags(bucket) {
        let place = command.iter().position(|argument| argument == flag);
        command[place.expect("the server is told of the bucket") + 1] = value(&format!("Values.{name}"));
    }
    let variables = container["env"].as_array_mut().into_iter().flatten();
    for variable in variables.filter(|variable| !variable["valueFrom"].is_null()) {
        set(
            variable,
            "/valueFrom/secretKeyRef/name",
            value(&format!("Values.{CREDENTIALS}")),
        );
    }
}

/// A delivery follows each installation and upgrade, which end well only with it.
fn hook(job: &mut Value) {
    job["metadata"]["name"] = json!("slipway-delivery");
    job["metadata"]["annotations"] = json!({
        "helm.sh/hook": "post-install,post-upgrade",
        // A pod that is left, even one that has ended, would hold the volumes when the chart is removed.
        "helm.sh/hook-delete-policy": "before-hook-creation,hook-succeeded",
    });
    for list in ["/spec/template/spec/initContainers", "/spec/template/spec/containers"] {
        let containers = job.pointer_mut(list).and_then(Value::as_array_mut);
        for container in containers.expect("a delivery has containers") {
            container["image"] = value("Values.image");
        }
    }
}

/// The image stands twice: as that of the pod, and as what its program delivers.
fn retraining(cron_job: &mut Value, image: &str) {
    let container = "/spec/jobTemplate/spec/template/spec/containers/0";
    set(cron_job, &format!("{container}/image"), value("Values.image"));
    let command = cron_job
        .pointer_mut(&format!("{container}/command"))
        .and_then(Value::as_array_mut);
    for word in command
        .expect("a container has a command")
        .iter_mut()
        .filter(|word| *word == image)
    {
        *word = value("Values.image");
    }
}

fn value(name: &str) -> Value {
    json!(format!("{{{{ .{name} | quote }}}}"))
}

fn notes(scene: &Scene) -> String {
    let (application, signature) = (&scene.settings.manifest.name, scene.settings.signature());
    format!(
        "The model is trained, served, and proven through its own address, or this installation had failed.\n\n\
         kubectl --namespace {{{{ .Release.Namespace }}}} port-forward service/slipway-server 8080:80\n\
         curl -sS -H 'Content-Type: application/json' -d @example.json \
         http://127.0.0.1:8080/gateway/applications/{application}/{signature}\n"
    )
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).expect("its keys are text") + "\n"
}

/// Made with the first installation, and kept with each upgrade.
const TOKEN: &str = r#"{{- $made := lookup "v1" "Secret" .Release.Namespace "slipway-management" }}
apiVersion: v1
kind: Secret
metadata:
  name: slipway-management
  labels:
    app.kubernetes.io/name: slipway
    app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
data:
{{- if $made }}
  token: {{ index $made.data "token" | quote }}
{{- else }}
  token: {{ randAlphaNum 48 | b64enc | quote }}
{{- end }}
"#;
