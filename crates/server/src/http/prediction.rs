//! One prediction, whoever asks for it and in whatever form: the numbers are read, classified and written in one go.

use std::{cell::RefCell, sync::Arc, time::Instant};

use axum::{
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;

use formats::{
    api::MODEL_VERSION,
    name::{ApplicationName, ModelName, SignatureName},
    signature::Signature,
    tensor::{self, outputs::Outputs},
    version::ModelVersion,
};
use inference::{Application, Engine, Route, Scratch};

use crate::{
    App,
    http::{ApiError, RouteClass, exchange::Answered, models, openapi::JSON, ticket},
    metrics::{Parts, Served, Subject},
};

/// How a request is written, and its answer.
pub(super) trait Form: Send + 'static {
    /// What a request says besides its numbers.
    type Asked;
    /// What is known of an answer besides its bytes.
    type Note: Send + 'static;

    /// How much there is to read.
    fn n_bytes(&self) -> usize;

    /// Reads the numbers into the buffers of `request`.
    fn read(
        &self,
        signature: &Signature,
        limits: tensor::Limits,
        request: &mut tensor::Request,
    ) -> Result<Self::Asked, ApiError>;

    /// Writes the answer into the empty `bytes`.
    fn write(&self, asked: Self::Asked, said: Said<'_>, bytes: &mut Vec<u8>) -> Self::Note;
}

/// What a version says.
pub(super) struct Said<'a> {
    pub(super) signature: &'a Signature,
    /// Of the last stage: the one that gives the answer.
    pub(super) version: &'a ModelVersion,
    /// Of all stages, in the order in which they worked.
    pub(super) versions: &'a str,
    pub(super) outputs: Outputs<'a>,
}

/// What is asked: an application, or a version by its own name.
pub(super) struct Target {
    route: Arc<Route>,
    called: Called,
}

/// How the client calls it.
enum Called {
    Application(Arc<Application>),
    Version(ModelVersion),
}

/// How an answer names the version that gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Naming {
    /// Not at all: it is nobody's business.
    Hidden,
    /// By its number: the client has named the model.
    Number,
    /// By model and number: an application may be on any model.
    Whole,
}

/// An answer, and what it is about.
pub(super) struct Answer<N> {
    /// What gave it.
    engine: Arc<Engine>,
    /// The versions of all stages, in the order in which they worked.
    versions: HeaderValue,
    bytes: Bytes,
    note: N,
    n_images: usize,
    parts: Parts,
}

/// Room for the numbers and the text of one request.
#[derive(Default)]
struct Workspace {
    request: tensor::Request,
    scratch: Scratch,
    versions: String,
    bytes: Vec<u8>,
}

thread_local! {
    /// Of requests that are worked on where they were read: these are short, so the room that they leave is small.
    static WORKSPACE: RefCell<Workspace> = RefCell::default();
}

impl Target {
    /// What `application` answers with under `signature`.
    pub(super) fn signature(
        app: &App,
        application: &ApplicationName,
        signature: &SignatureName,
    ) -> Result<Self, ApiError> {
        let application = app.application(application)?;
        Ok(Self {
            route: application.route(signature)?,
            called: Called::Application(application),
        })
    }

    /// The same for any texts; none where they are not the names of anything.
    pub(super) fn find(app: &App, application: &str, signature: &str) -> Option<Self> {
        let application = app.applications.find(application)?;
        Some(Self {
            route: application.find(signature)?,
            called: Called::Application(application),
        })
    }

    /// What `application` answers with where a client cannot name a signature.
    pub(super) fn application(application: Arc<Application>) -> Self {
        Self {
            route: application.only_route(),
            called: Called::Application(application),
        }
    }

    /// The version of `model` with this number.
    pub(super) async fn version(app: &App, model: &ModelName, number: &str) -> Result<Self, ApiError> {
        let version = models::model_version(model, number)?;
        Ok(Self {
            route: app.applications.version_route(&version).await?,
            called: Called::Version(version),
        })
    }

    /// What a message names: an application, or with a number the version of a model. `place` is where the name stands.
    pub(super) async fn named(app: &App, place: &'static str, name: &str, number: &str) -> Result<Self, ApiError> {
        let wrong = |error| ApiError::Name { place, error };
        match number {
            "" => Ok(Self::application(app.application(&name.parse().map_err(wrong)?)?)),
            number => Self::version(app, &name.parse().map_err(wrong)?, number).await,
        }
    }

    /// How answers name the version that gave them.
    pub(super) fn naming(&self, app: &App) -> Naming {
        match self.called {
            Called::Version(_) => Naming::Number,
            Called::Application(_) if app.access.hides_version => Naming::Hidden,
            Called::Application(_) => Naming::Whole,
        }
    }

    /// Asks for a prediction, by a request with these headers.
    pub(super) async fn predict<F: Form>(
        &self,
        app: &App,
        headers: &HeaderMap,
        form: F,
    ) -> Result<Answer<F::Note>, ApiError> {
        let limits = tensor::Limits {
            images_max: app.limits.images_max,
        };
        let route = self.route.clone();
        let ticket = ticket::draw(&route, headers);
        // A hop to another thread costs more than one image does; many images would hold up this thread's other requests.
        if form.n_bytes() <= app.limits.inline_max_bytes {
            return WORKSPACE.with_borrow_mut(|workspace| workspace.answer(&form, &route, limits, ticket));
        }
        let work = move || Workspace::default().answer(&form, &route, limits, ticket);
        app.heavy.run(work).await.map_err(ApiError::Worker)?
    }

    /// An answer in the form that `render` gives its bytes, or the refusal in its place; both are counted.
    pub(super) fn response<N>(
        &self,
        app: &App,
        class: RouteClass,
        answered: Result<Answer<N>, ApiError>,
        render: impl FnOnce(Bytes, N) -> Response,
    ) -> Answered {
        let served = Some(self.served(app, class, answered.as_ref().ok()));
        let response = match answered {
            Ok(answer) => {
                let mut response = render(answer.bytes, answer.note);
                // Unless that is nobody's business.
                if !app.access.hides_version {
                    response.headers_mut().insert(MODEL_VERSION, answer.versions);
                }
                response
            }
            Err(error) => error.into_response(),
        };
        Answered { response, served }
    }

    /// To whose counters an answer belongs, or the refusal in its place.
    fn served<N>(&self, app: &App, class: RouteClass, answer: Option<&Answer<N>>) -> Served {
        let (application, version) = match &self.called {
            Called::Application(application) => {
                (Some(application.name()), answer.map(|answer| answer.engine.version()))
            }
            Called::Version(version) => (None, Some(version)),
        };
        let subject = Subject {
            class,
            application,
            version,
        };
        Served {
            traffic: app.metrics.traffic(subject),
            n_images: answer.map_or(0, |answer| answer.n_images as u64),
            parts: answer.map(|answer| answer.parts),
        }
    }
}

impl Naming {
    pub(super) fn text(self, said: &Said<'_>) -> Option<String> {
        match self {
            Self::Hidden => None,
            Self::Number => Some(said.version.version.to_string()),
            Self::Whole => Some(said.versions.to_owned()),
        }
    }
}

/// An answer that is JSON.
pub(super) fn json(bytes: Bytes, (): ()) -> Response {
    ([(header::CONTENT_TYPE, JSON)], bytes).into_response()
}

/// Sets `text` to the versions of all stages, as a header has them.
fn write_versions<'a>(engines: impl Iterator<Item = &'a Arc<Engine>>, text: &mut String) {
    text.clear();
    for engine in engines {
        if !text.is_empty() {
            text.push_str(", ");
        }
        text.push_str(engine.label());
    }
}

impl Workspace {
    fn answer<F: Form>(
        &mut self,
        form: &F,
        route: &Route,
        limits: tensor::Limits,
        ticket: u64,
    ) -> Result<Answer<F::Note>, ApiError> {
        let Self {
            request,
            scratch,
            versions,
            bytes,
        } = self;
        let began = Instant::now();
        let asked = form.read(route.signature(), limits, request)?;
        let read = Instant::now();
        let prediction = route.predict(&request.inputs[0], ticket, scratch)?;
        let classified = Instant::now();
        write_versions(prediction.engines(), versions);
        let said = Said {
            signature: route.signature(),
            version: prediction.version(),
            versions,
            outputs: prediction.outputs(),
        };
        let n_images = said.outputs.class_ids.len();
        bytes.clear();
        let note = form.write(asked, said, bytes);
        Ok(Answer {
            engine: prediction.engine().clone(),
            versions: HeaderValue::from_str(versions).expect("a version is ASCII letters, digits and punctuation"),
            bytes: Bytes::copy_from_slice(bytes),
            note,
            n_images,
            parts: Parts {
                reading: read - began,
                classifying: classified - read,
                writing: classified.elapsed(),
            },
        })
    }
}
