//! A router over small models, requests to it, and answers as text.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    http::{Request, Response, header},
};
use expect_test::Expect;
use http_body_util::BodyExt;
use model::{Artifact, Layer, Network};
use tempfile::TempDir;
use tower::ServiceExt;

use formats::{
    artifact::TrainingSummary,
    profile::{DataProfile, HISTOGRAM_BINS, MEAN_IMAGE_SIDE},
    report::Accuracy,
    signature::Signature,
};
use inference::{Applications, Registry};
use server::{Access, App, BodyPace, ConnectionLimits, Limits, router};

pub(crate) const PREDICT: &str = "/gateway/applications/mnist-app/predict";

/// A server without a socket, on a registry in a throw-away folder.
pub(crate) struct Fixture {
    pub(crate) folder: TempDir,
    pub(crate) applications: Arc<Applications>,
    pub(crate) router: Router,
}

pub(crate) fn limits() -> Limits {
    Limits {
        body_max_bytes: 1 << 20,
        artifact_max_bytes: 1 << 20,
        images_max: 20,
        inline_max_bytes: 1 << 16,
        requests_in_flight_max: 16,
        request_timeout: Duration::from_secs(30),
        body_pace: BodyPace {
            timeout: Duration::from_secs(30),
            rate_min_bytes: 1,
        },
    }
}

/// Limits that no test meets by accident.
pub(crate) fn connection_limits() -> ConnectionLimits {
    let patient = Duration::from_secs(60);
    ConnectionLimits {
        connections_max: 100,
        header_max_bytes: 16 << 10,
        headers_max: ConnectionLimits::HEADERS_MAX,
        header_timeout: patient,
        write_timeout: patient,
        idle_timeout: patient,
        http2_streams_max: 100,
        http2_resets_max: 100,
    }
}

/// The whole service behind a type that has a name.
pub(crate) fn service(app: App) -> Router {
    Router::new().fallback_service(router(Arc::new(app)))
}

impl Fixture {
    /// Nothing published, nothing deployed, everything restored.
    pub(crate) async fn empty() -> Self {
        Self::reopened(TempDir::new().unwrap()).await
    }

    /// What another server left in `folder`, restored.
    pub(crate) async fn reopened(folder: TempDir) -> Self {
        let registry = Registry::open(folder.path().to_str().unwrap()).unwrap();
        let applications = Arc::new(Applications::new(registry));
        applications.refresh().await.unwrap();
        let router = service(App::new(applications.clone(), limits()));
        Self {
            folder,
            applications,
            router,
        }
    }

    /// `mnist:1` always answers 3, `mnist:2` always 4; `mnist-app` is on `mnist:1`.
    pub(crate) async fn deployed() -> Self {
        let fixture = Self::empty().await;
        for class in [3, 4] {
            fixture
                .applications
                .publish(&"mnist".parse().unwrap(), artifact(class).into(), None)
                .await
                .unwrap();
        }
        assert_eq!(fixture.deploy("mnist:1").await.status(), 201);
        fixture
    }

    /// The same applications behind other limits.
    pub(crate) fn with_limits(self, limits: Limits) -> Self {
        Self {
            router: service(App::new(self.applications.clone(), limits)),
            ..self
        }
    }

    /// The same applications, for those whom `access` admits.
    pub(crate) fn with_access(self, access: Access) -> Self {
        let app = App::new(self.applications.clone(), limits()).with_access(access);
        Self {
            router: service(app),
            ..self
        }
    }

    pub(crate) async fn deploy(&self, version: &str) -> Response<Body> {
        let spec = spec("mnist-app", version);
        self.send(put("/api/applications/mnist-app", spec)).await
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Response<Body> {
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// Sends the request and compares status and body.
    pub(crate) async fn check(&self, request: Request<Body>, expected: Expect) {
        expected.assert_eq(&text(self.send(request).await).await);
    }
}

/// Status and body; times become `0`, because they differ every time.
pub(crate) async fn text(response: Response<Body>) -> String {
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let mut body = String::from_utf8_lossy(&body).into_owned();
    let mut from = 0;
    while let Some(found) = body[from..].find("_at_ms\":") {
        from += found + "_at_ms\":".len();
        let digits = body[from..].bytes().take_while(u8::is_ascii_digit).count();
        body.replace_range(from..from + digits, "0");
    }
    format!("{status}\n{body}\n")
}

pub(crate) fn get(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

pub(crate) fn post(path: &str, body: impl Into<Body>) -> Request<Body> {
    Request::post(path)
        .header(header::CONTENT_TYPE, "application/json")
        .body(body.into())
        .unwrap()
}

pub(crate) fn put(path: &str, body: impl Into<Body>) -> Request<Body> {
    Request::put(path)
        .header(header::CONTENT_TYPE, "application/json")
        .body(body.into())
        .unwrap()
}

/// An application with all its traffic on one version, as JSON.
pub(crate) fn spec(name: &str, version: &str) -> String {
    format!(r#"{{"name":"{name}","stages":[{{"variants":[{{"model":"{version}","weight":100}}]}}]}}"#)
}

/// The body of a request with this many images, every pixel `pixel`.
pub(crate) fn images(n_images: usize, pixel: &str) -> String {
    let row = format!("[{}]", vec![pixel; 28].join(","));
    let image = format!("[{}]", vec![row; 28].join(","));
    format!(r#"{{"imgs":[{}]}}"#, vec![image; n_images].join(","))
}

/// A model whose answer is always `class`; the pixels add to every logit alike.
pub(crate) fn artifact(class: usize) -> Vec<u8> {
    let mut bias = vec![0.0; 10];
    bias[class] = 1.0;
    artifact_of(vec![0.5; 784 * 10], bias)
}

/// A model of one layer, with weights [784, 10] and a bias for each class.
pub(crate) fn artifact_of(weights: Vec<f32>, bias: Vec<f32>) -> Vec<u8> {
    let signature = Signature::classifier("predict".parse().unwrap(), 28, 28, 10);
    artifact_called(signature, weights, bias)
}

/// A model of one layer that is called in this way.
pub(crate) fn artifact_called(signature: Signature, weights: Vec<f32>, bias: Vec<f32>) -> Vec<u8> {
    let network = Network::new(vec![Layer { weights, bias }]).unwrap();
    let accuracy = Accuracy {
        correct: 97,
        total: 100,
    };
    let training = TrainingSummary {
        engine: "none".to_owned(),
        steps: 1,
        batch_size: 1,
        learning_rate: 0.01,
        schedule: "constant".to_owned(),
        seed: 1,
        recipe: None,
        final_loss: 0.5,
        clean: accuracy,
        noisy: accuracy,
    };
    let profile = DataProfile {
        n_images: 0,
        class_counts: vec![0; 10],
        pixel_histogram: vec![0; HISTOGRAM_BINS],
        pixel_mean: 0.0,
        pixel_std: 0.0,
        ink_histogram: vec![0; HISTOGRAM_BINS],
        ink_std: 0.0,
        mean_image: vec![0.0; MEAN_IMAGE_SIDE * MEAN_IMAGE_SIDE],
    };
    Artifact::new(network, signature, training, profile)
        .unwrap()
        .encode()
        .unwrap()
}
