//! `pipeline status`: what runs, which version, since when.

use std::{collections::BTreeMap, path::Path, process::ExitCode};

use anyhow::Context;
use clap::Args;
use formats::{api::ApplicationState, application::ApplicationRevision};
use serde::Serialize;

use crate::{
    cli::{
        Project,
        cluster::{Target, TargetArgs},
    },
    client::{Client, LOOK_MAX},
    commands::forward::PORT,
    credentials,
    decide::Service,
    executor::{Cluster, ClusterMemory, Forward, ForwardTarget, Lease, address, deployed, management},
    interrupt::Interrupt,
    plan::StepName,
    server_url::ServerUrl,
    service::ServiceFolder,
    state::{Memory, Run, State},
    summary::OUTPUT_FORMAT,
    time,
};

/// Tell what runs, which version answers, and since when
#[derive(Debug, Args)]
pub struct StatusArgs {
    #[command(flatten)]
    pub project: Project,

    #[command(flatten)]
    pub target: TargetArgs,

    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
}

#[derive(Serialize)]
struct Status {
    format: u32,
    /// Absent where no server runs.
    server: Option<ServerStatus>,
    /// Absent where nothing was delivered yet.
    last_run: Option<RunStatus>,
    /// The process of a delivery that is under way.
    delivering: Option<u32>,
    /// Who is about a delivery into a cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    holder: Option<String>,
}

#[derive(Serialize)]
struct ServerStatus {
    /// Its process on this machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pid: Option<u32>,
    /// `process 4242`, or the Deployment in a cluster.
    id: String,
    url: String,
    since_ms: u64,
    /// Absent where the server does not answer.
    applications: Option<Vec<ApplicationState>>,
}

#[derive(Serialize)]
struct RunStatus {
    id: String,
    started_at_ms: u64,
    finished_at_ms: Option<u64>,
    /// When each step finished last, in this run or one before.
    steps_finished_at_ms: BTreeMap<StepName, u64>,
}

/// Carries out `pipeline status`. That nothing runs is an answer, too.
pub(crate) fn status(arguments: &StatusArgs) -> anyhow::Result<ExitCode> {
    let status = match arguments.target.target {
        Target::Local => here(arguments.project.root())?,
        Target::Kubernetes => there(arguments)?,
    };
    if arguments.json {
        console::print(&serde_json::to_string(&status).context("cannot write the status")?);
    } else {
        console::print(&status.text());
    }
    Ok(ExitCode::SUCCESS)
}

fn here(root: &Path) -> anyhow::Result<Status> {
    let state = State::new(root);
    let run = state.runs()?.pop().map(|id| state.run(&id)).transpose()?.flatten();
    Ok(Status {
        format: OUTPUT_FORMAT,
        server: server(root, &state)?,
        last_run: last_run(run, &state)?,
        delivering: state.delivering(),
        holder: None,
    })
}

fn there(arguments: &StatusArgs) -> anyhow::Result<Status> {
    let cluster = Cluster::connect(&arguments.target.cluster, &Interrupt::default())?;
    let folder = State::of_namespace(arguments.project.root(), cluster.namespace());
    let memory = ClusterMemory::open(&cluster, folder)?;
    let server = match deployed(&cluster)? {
        Service::Stopped => None,
        Service::Running { id, started_at_ms, .. } => Some(ServerStatus {
            pid: None,
            id,
            url: address(&cluster, PORT)?.0.to_string(),
            since_ms: started_at_ms,
            applications: applications(&cluster).ok(),
        }),
    };
    Ok(Status {
        format: OUTPUT_FORMAT,
        server,
        last_run: last_run(memory.run(), &memory)?,
        delivering: None,
        holder: Lease::holder(&cluster)?.map(|holder| holder.name),
    })
}

/// What the server in the cluster says about its applications.
fn applications(cluster: &Cluster) -> anyhow::Result<Vec<ApplicationState>> {
    let forward = Forward::open(cluster, ForwardTarget::Ready, 0)?;
    Ok(management(cluster, &forward)?.get("/api/applications")?)
}

fn server(root: &Path, state: &State) -> anyhow::Result<Option<ServerStatus>> {
    let Some(document) = ServiceFolder::new(state.folder()).running()? else {
        return Ok(None);
    };
    let url: ServerUrl = document.url.parse().context("the service's document is wrong")?;
    let client = Client::new(url, LOOK_MAX);
    // What the server was started with opens it; where that is not there any more, it does not answer.
    let token_file = document.key.arguments.get("--management-token-file");
    let token = credentials::first(token_file.map(|file| root.join(file)).as_deref());
    Ok(Some(ServerStatus {
        pid: Some(document.pid),
        id: format!("process {}", document.pid),
        url: document.url,
        since_ms: document.started_at_ms,
        applications: token
            .and_then(|token| Ok(client.with_token(token).get("/api/applications")?))
            .ok(),
    }))
}

fn last_run(run: Option<Run>, memory: &dyn Memory) -> anyhow::Result<Option<RunStatus>> {
    let Some(run) = run else { return Ok(None) };
    Ok(Some(RunStatus {
        id: run.id.to_string(),
        started_at_ms: run.started_at_ms,
        finished_at_ms: run.finished_at_ms,
        steps_finished_at_ms: memory
            .records()?
            .into_iter()
            .map(|(step, record)| (step, record.finished_at_ms))
            .collect(),
    }))
}

impl Status {
    fn text(&self) -> String {
        let mut lines = Vec::new();
        match &self.server {
            None => lines.push("server       does not run".to_owned()),
            Some(server) => {
                let since = time::moment(server.since_ms);
                lines.push(format!(
                    "server       runs at {} since {since} ({})",
                    server.url, server.id
                ));
                lines.extend(server.lines());
            }
        }
        lines.push(match &self.last_run {
            None => "last run     none".to_owned(),
            Some(run) => match run.finished_at_ms {
                Some(at) => format!("last run     {} finished {}", run.id, time::moment(at)),
                None => format!(
                    "last run     {} has not finished; `pipeline up` goes on with it",
                    run.id
                ),
            },
        });
        lines.extend(
            self.delivering
                .map(|id| format!("process {id}"))
                .or_else(|| self.holder.clone())
                .map(|who| format!("delivery     under way ({who})")),
        );
        lines.join("\n")
    }
}

impl ServerStatus {
    fn lines(&self) -> Vec<String> {
        let Some(applications) = &self.applications else {
            return vec!["             but it does not answer".to_owned()];
        };
        if applications.is_empty() {
            return vec!["application  none is deployed".to_owned()];
        }
        applications.iter().flat_map(lines_of).collect()
    }
}

fn lines_of(application: &ApplicationState) -> Vec<String> {
    let answers = |deployed: &ApplicationRevision| {
        let versions: Vec<String> = deployed.application.versions().map(ToString::to_string).collect();
        format!(
            "application  {} answers with {} since {} (revision {})",
            application.name,
            versions.join(", "),
            time::moment(deployed.deployed_at_ms),
            deployed.revision
        )
    };
    let broken = application.broken.as_ref().map(|broken| {
        format!(
            "             revision {} of {} cannot be served: {}",
            broken.revision, application.name, broken.reason
        )
    });
    application
        .answers
        .as_ref()
        .map(answers)
        .into_iter()
        .chain(broken)
        .collect()
}
