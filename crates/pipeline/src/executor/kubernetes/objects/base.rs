//! What stands before anything runs: accounts, volumes, what the user wrote, and what opens the server.

use k8s_openapi::ByteString;
use serde_json::{Value, json};

use super::{API_KEYS_KEY, Scene, TOKEN_KEY, labels, names, retraining::SETTINGS_KEY};
use crate::settings::{AccessMode, Quantity, Registry};

impl Scene {
    /// The namespace, in which pods must not be more than they need to be.
    pub(crate) fn namespace(name: &str) -> Value {
        let level = "restricted";
        let (label, value) = labels::OURS.split_once('=').expect("it is a name and a value");
        json!({
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {
                "name": name,
                "labels": {
                    label: value,
                    "pod-security.kubernetes.io/enforce": level,
                    "pod-security.kubernetes.io/warn": level,
                    "pod-security.kubernetes.io/audit": level,
                },
            },
        })
    }

    /// An account that may do nothing, for pods that need nothing of the cluster.
    pub(super) fn account(&self, name: &str) -> Value {
        json!({
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": self.metadata(name, "delivery"),
            "automountServiceAccountToken": false,
        })
    }

    pub(super) fn claims(&self) -> impl Iterator<Item = Value> {
        let settings = &self.settings.kubernetes;
        let work = self.claim(names::WORK, &settings.work_storage);
        let registry = match &self.settings.server.registry {
            Registry::Folder(_) => Some(self.claim(names::REGISTRY, &settings.registry_storage)),
            Registry::Bucket(_) => None,
        };
        [work].into_iter().chain(registry)
    }

    fn claim(&self, name: &str, storage: &Quantity) -> Value {
        let settings = &self.settings.kubernetes;
        let mut claim = json!({
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": self.metadata(name, "delivery"),
            "spec": {
                "accessModes": [match settings.access_mode {
                    AccessMode::ReadWriteOnce => "ReadWriteOnce",
                    AccessMode::ReadWriteMany => "ReadWriteMany",
                }],
                "resources": {"requests": {"storage": storage.to_string()}},
            },
        });
        // A class that is named as null means something else: no class at all.
        if let Some(class) = &settings.storage_class {
            claim["spec"]["storageClassName"] = json!(class);
        }
        claim
    }

    /// The application manifest under its own name, and the settings where somebody in the cluster reads them.
    pub(super) fn project(&self) -> Value {
        let mut data = json!({self.manifest_name(): self.manifest});
        if let Some(retraining) = &self.retraining {
            data[SETTINGS_KEY] = json!(retraining.settings);
        }
        json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": self.metadata(names::PROJECT, "delivery"),
            "data": data,
        })
    }

    /// The name of the manifest's file.
    pub(super) fn manifest_name(&self) -> String {
        self.settings.application.display().to_string()
    }

    pub(super) fn api_keys(&self) -> Option<Value> {
        let keys = self.api_keys.as_ref()?;
        Some(json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": self.metadata(names::API_KEYS, "server"),
            "data": {API_KEYS_KEY: ByteString(keys.clone().into_bytes())},
        }))
    }

    /// What opens the server's management.
    pub(crate) fn token(&self, token: &str) -> Value {
        json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": self.metadata(names::MANAGEMENT, "server"),
            "data": {TOKEN_KEY: ByteString(token.to_owned().into_bytes())},
        })
    }
}
