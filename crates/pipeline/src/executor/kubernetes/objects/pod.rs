//! What all pods have in common: they are nobody in particular, write nothing but their volumes, and have nothing else.

use serde_json::{Value, json};

use super::{API_KEYS_KEY, CERTIFICATES, Scene, TOKEN_KEY, names};
use crate::{
    places::IN_POD,
    plan::{Place, Step, Value as Argument},
    settings::Resources,
};

/// The user as which the image's programs run.
const NOBODY: u32 = 65_532;
/// The port at which a step takes the files of a folder that is not in the cluster.
pub(crate) const RECEIVE_PORT: u16 = 9000;
/// More than a packed data set has.
const SOURCE_SIZE_MAX: &str = "128Mi";

/// The one container of a pod, and what it needs around it.
pub(crate) struct Inside {
    pub(crate) name: String,
    /// Program and arguments.
    pub(crate) command: Vec<String>,
    /// What only this kind of container has.
    pub(crate) more: Value,
    pub(crate) resources: Resources,
    pub(crate) account: &'static str,
    pub(crate) grace_seconds: u64,
}

impl Scene {
    /// The pod in which a step's program runs.
    pub(super) fn pod(&self, step: &Step, inside: Inside) -> Value {
        let (account, grace_seconds) = (inside.account, inside.grace_seconds);
        let (container, volumes) = self.container(step, inside);
        around(vec![container], volumes, account, grace_seconds)
    }

    /// The container in which a step's program runs, and the volumes that it mounts.
    pub(crate) fn container(&self, step: &Step, inside: Inside) -> (Value, Vec<Value>) {
        self.contained(Mounts::of(self, step), inside)
    }

    /// A pod whose program reads and writes nothing.
    pub(super) fn bare_pod(&self, inside: Inside) -> Value {
        let (account, grace_seconds) = (inside.account, inside.grace_seconds);
        let (container, volumes) = self.contained(Mounts::default(), inside);
        around(vec![container], volumes, account, grace_seconds)
    }

    fn contained(&self, mounts: Mounts, inside: Inside) -> (Value, Vec<Value>) {
        let mut container = json!({
            "name": inside.name,
            "image": self.image,
            "imagePullPolicy": "IfNotPresent",
            "command": inside.command,
            "resources": {
                "requests": {"cpu": inside.resources.cpu.to_string(), "memory": inside.resources.memory.to_string()},
                "limits": {"memory": inside.resources.memory.to_string()},
            },
            "securityContext": {
                "allowPrivilegeEscalation": false,
                "readOnlyRootFilesystem": true,
                "capabilities": {"drop": ["ALL"]},
            },
            "volumeMounts": mounts.mounts,
        });
        merge(&mut container, inside.more);
        (container, mounts.volumes)
    }
}

/// The pod around its containers.
pub(super) fn around(containers: Vec<Value>, volumes: Vec<Value>, account: &str, grace_seconds: u64) -> Value {
    json!({
        "serviceAccountName": account,
        "automountServiceAccountToken": false,
        // The variables of a Service would be taken for settings by programs that read some of that name.
        "enableServiceLinks": false,
        "terminationGracePeriodSeconds": grace_seconds,
        "securityContext": nobody(),
        "containers": containers,
        "volumes": volumes,
    })
}

/// As whom every program runs.
pub(crate) fn nobody() -> Value {
    json!({
        "runAsNonRoot": true,
        "runAsUser": NOBODY,
        "runAsGroup": NOBODY,
        "fsGroup": NOBODY,
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    })
}

/// The volumes of a pod and where its container finds them.
#[derive(Default)]
struct Mounts {
    volumes: Vec<Value>,
    mounts: Vec<Value>,
}

impl Mounts {
    /// Those that a step needs. What it only reads, it cannot change.
    fn of(scene: &Scene, step: &Step) -> Self {
        let mut mounts = Self::default();
        let named = step.arguments.iter().filter_map(|argument| match &argument.value {
            Argument::Location(location) => Some(location),
            _ => None,
        });
        let is_read: Vec<Place> = named.chain(&step.reads).map(|location| location.place).collect();
        let is_written = |place| step.writes.iter().any(|location| location.place == place);
        let claims = [
            (Place::Data, "work", names::WORK),
            (Place::Models, "work", names::WORK),
            (Place::Results, "work", names::WORK),
            (Place::Registry, "registry", names::REGISTRY),
        ];
        for (place, volume, claim) in claims {
            if is_read.contains(&place) || is_written(place) {
                let folder = place.as_str();
                mounts.volume(volume, json!({"persistentVolumeClaim": {"claimName": claim}}));
                let mut mount = json!({"name": volume, "mountPath": format!("{IN_POD}/{folder}"), "subPath": folder});
                if !is_written(place) {
                    mount["readOnly"] = json!(true);
                }
                mounts.mounts.push(mount);
            }
        }
        if is_read.contains(&Place::Project) {
            let name = scene.manifest_name();
            let items = json!([{"key": name, "path": name}]);
            mounts.add(
                "project",
                json!({"configMap": {"name": names::PROJECT, "items": items}}),
            );
        }
        let takes = |value: &Argument| step.arguments.iter().any(|argument| argument.value == *value);
        if takes(&Argument::TokenFile) {
            mounts.add("management", secret(names::MANAGEMENT, TOKEN_KEY));
        }
        if takes(&Argument::ApiKeysFile) {
            mounts.add("api-keys", secret(names::API_KEYS, API_KEYS_KEY));
        }
        if let Some(certificates) = scene.bucket_certificates(step.name) {
            mounts.add(CERTIFICATES, certificates);
        }
        mounts
    }

    /// A volume that is mounted under its own name and not written.
    fn add(&mut self, name: &str, source: Value) {
        self.volume(name, source);
        let path = format!("{IN_POD}/{name}");
        self.mounts
            .push(json!({"name": name, "mountPath": path, "readOnly": true}));
    }

    fn volume(&mut self, name: &str, mut source: Value) {
        if self.volumes.iter().all(|volume| volume["name"] != name) {
            source["name"] = json!(name);
            self.volumes.push(source);
        }
    }
}

/// A folder in which a step keeps what it is sent, until it ends.
pub(super) fn add_source(pod: &mut Value) {
    let volume = json!({"name": "source", "emptyDir": {"sizeLimit": SOURCE_SIZE_MAX}});
    let mount = json!({"name": "source", "mountPath": format!("{IN_POD}/source")});
    let lists = [("/volumes", volume), ("/containers/0/volumeMounts", mount)];
    for (path, entry) in lists {
        let list = pod.pointer_mut(path).and_then(Value::as_array_mut);
        list.expect("a pod has volumes, and its container mounts").push(entry);
    }
}

/// One key of a secret as a file that nobody else reads.
fn secret(name: &str, key: &str) -> Value {
    json!({"secret": {"secretName": name, "items": [{"key": key, "path": key}], "defaultMode": 0o440}})
}

/// Puts the entries of one object into another.
fn merge(into: &mut Value, more: Value) {
    if let (Some(into), Value::Object(more)) = (into.as_object_mut(), more) {
        into.extend(more);
    }
}
