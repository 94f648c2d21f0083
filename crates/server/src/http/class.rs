//! Classes of routes: what a request is for, known from the beginning of its path.

/// What a request is for. A client cannot make their number grow, so they serve as labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RouteClass {
    /// Predictions.
    Gateway,
    /// Predictions by the Open Inference Protocol, and what models say of themselves there.
    OpenInference,
    /// Predictions by the first version of it.
    V1,
    /// Predictions as SageMaker asks for them.
    Invocations,
    /// Predictions by calls of gRPC, and what models say of themselves there.
    Grpc,
    /// Models and applications as that protocol's repository.
    Repository,
    /// Models and their versions.
    Models,
    /// Applications and their revisions.
    Applications,
    /// What the original's clients manage.
    Original,
    /// Who and how the server is.
    Health,
    /// What people look at.
    Pages,
    /// Nothing that there is.
    None,
}

impl RouteClass {
    /// Every class, in the order of the enum.
    pub(crate) const ALL: [Self; 12] = [
        Self::Gateway,
        Self::OpenInference,
        Self::V1,
        Self::Invocations,
        Self::Grpc,
        Self::Repository,
        Self::Models,
        Self::Applications,
        Self::Original,
        Self::Health,
        Self::Pages,
        Self::None,
    ];

    /// The class of `path`. Whether there is a route, the router says.
    pub(crate) fn of(path: &str) -> Self {
        if path.starts_with("/gateway/") || path.starts_with("/api/v1/applications/serve/") {
            return Self::Gateway;
        }
        let mut segments = path.split('/').skip(1);
        match (segments.next(), segments.next()) {
            (Some("v2"), Some("models")) => Self::OpenInference,
            (Some("v1"), Some("models")) => Self::V1,
            (Some("inference.GRPCInferenceService"), Some(call)) => match call {
                "RepositoryIndex" | "RepositoryModelLoad" | "RepositoryModelUnload" => Self::Repository,
                "ServerLive" | "ServerReady" | "ServerMetadata" => Self::Health,
                _ => Self::Grpc,
            },
            (Some("tensorflow.serving.PredictionService"), Some(_)) => Self::Grpc,
            (Some("grpc.health.v1.Health"), Some(_)) => Self::Health,
            (Some("grpc.reflection.v1.ServerReflection" | "grpc.reflection.v1alpha.ServerReflection"), Some(_)) => {
                Self::Pages
            }
            (Some("invocations"), None) => Self::Invocations,
            (Some("v2"), Some("repository")) => Self::Repository,
            (Some("v2"), None | Some("health")) => Self::Health,
            (Some("api"), Some("models")) => Self::Models,
            (Some("api"), Some("applications")) => Self::Applications,
            (Some("api"), Some("v1")) | (Some("monitoring" | "profiler"), Some(_)) => Self::Original,
            (Some("api"), Some("server")) | (Some("livez" | "readyz" | "ping" | "metrics"), None) => Self::Health,
            (Some("" | "openapi.json"), None) => Self::Pages,
            _ => Self::None,
        }
    }

    /// The value of the label `route`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::OpenInference => "v2",
            Self::V1 => "v1",
            Self::Invocations => "invocations",
            Self::Grpc => "grpc",
            Self::Repository => "v2_repository",
            Self::Models => "models",
            Self::Applications => "applications",
            Self::Original => "original",
            Self::Health => "health",
            Self::Pages => "pages",
            Self::None => "none",
        }
    }

    /// Whether it is for those who want predictions.
    pub(crate) fn is_prediction(self) -> bool {
        matches!(
            self,
            Self::Gateway | Self::OpenInference | Self::V1 | Self::Invocations | Self::Grpc
        )
    }

    /// Whether it is for those who decide what is served.
    pub(crate) fn is_management(self) -> bool {
        matches!(
            self,
            Self::Models | Self::Applications | Self::Original | Self::Repository
        )
    }

    /// Whether requests count against the limit of requests in flight. Whoever watches the server must not be locked
    /// out by load, and what is nowhere is refused cheaply anyhow.
    pub(crate) fn is_work(self) -> bool {
        self.is_prediction() || self.is_management()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_at_its_place() {
        for (place, class) in RouteClass::ALL.into_iter().enumerate() {
            assert_eq!(class as usize, place);
        }
    }

    #[test]
    fn the_beginning_of_a_path_tells_its_class() {
        for (path, class) in [
            ("/gateway/applications/a/predict", RouteClass::Gateway),
            ("/gateway/x", RouteClass::Gateway),
            ("/gateway", RouteClass::None),
            ("/v2", RouteClass::Health),
            ("/v2/health/ready", RouteClass::Health),
            ("/v2/models/mnist-app/infer", RouteClass::OpenInference),
            ("/v2/repository/index", RouteClass::Repository),
            ("/v2/x", RouteClass::None),
            ("/v1/models/mnist-app:predict", RouteClass::V1),
            ("/invocations", RouteClass::Invocations),
            ("/ping", RouteClass::Health),
            ("/inference.GRPCInferenceService/ModelInfer", RouteClass::Grpc),
            ("/inference.GRPCInferenceService/Nothing", RouteClass::Grpc),
            ("/inference.GRPCInferenceService/ServerReady", RouteClass::Health),
            (
                "/inference.GRPCInferenceService/RepositoryModelLoad",
                RouteClass::Repository,
            ),
            ("/tensorflow.serving.PredictionService/Predict", RouteClass::Grpc),
            ("/grpc.health.v1.Health/Watch", RouteClass::Health),
            (
                "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
                RouteClass::Pages,
            ),
            ("/api/models", RouteClass::Models),
            ("/api/models/mnist/versions/1/artifact", RouteClass::Models),
            ("/api/modelsx", RouteClass::None),
            ("/api/applications/a/revisions", RouteClass::Applications),
            ("/api/v1/model/upload", RouteClass::Original),
            ("/api/v1/applications", RouteClass::Original),
            ("/api/v1/applications/serve/7/predict", RouteClass::Gateway),
            ("/monitoring/aggregations", RouteClass::Original),
            ("/monitoring", RouteClass::None),
            ("/profiler/batch/7/csv", RouteClass::Original),
            ("/api/server", RouteClass::Health),
            ("/livez", RouteClass::Health),
            ("/livez/x", RouteClass::None),
            ("/", RouteClass::Pages),
            ("/openapi.json", RouteClass::Pages),
            ("", RouteClass::None),
            ("*", RouteClass::None),
        ] {
            assert_eq!(RouteClass::of(path), class, "{path}");
        }
    }
}
