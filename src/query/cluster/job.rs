//! One plan as a job of the scheduler, and the rows that the executors made of it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use ballista_core::client::BallistaClient;
use ballista_core::error::BallistaError;
use ballista_core::extension::SessionConfigExt as _;
use ballista_core::serde::protobuf::execute_query_params::Query;
use ballista_core::serde::protobuf::get_job_status_result::FlightProxy;
use ballista_core::serde::protobuf::scheduler_grpc_client::SchedulerGrpcClient;
use ballista_core::serde::protobuf::{
    CancelJobParams, ExecuteQueryParams, GetJobStatusParams, KeyValuePair, PartitionLocation,
    execute_query_result, job_status,
};
use ballista_core::utils::{GrpcClientConfig, create_grpc_client_endpoint};
use ballista_core::{BALLISTA_VERSION, version};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::prelude::SessionConfig;
use datafusion_proto::physical_plan::AsExecutionPlan as _;
use datafusion_proto::protobuf::PhysicalPlanNode;
use futures::{StreamExt as _, TryStreamExt as _};
use tonic::transport::Channel;

use super::Cluster;

/// Between two questions for the state of a job.
const POLL: Duration = Duration::from_millis(50);
/// So many answers in a row that there is no such job; a new one may not be known at once.
const UNKNOWN_MAX: u32 = 200;
/// Between two looks at what is being submitted.
const SUBMIT_POLL: Duration = Duration::from_millis(5);
/// For cancelling jobs when the program is interrupted.
const CANCEL_TIMEOUT: Duration = Duration::from_millis(400);

/// Why a cluster has no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum ClusterError {
    #[error(
        "no Ballista scheduler answers at df://{address}: {source}; start one with ballista-scheduler, or leave out --cluster"
    )]
    Unreachable { address: String, source: tonic::transport::Error },
    #[error("the scheduler at df://{address} is of another version: {message}")]
    Version { address: String, message: String },
    #[error("the scheduler at df://{address} failed while {action}: {message}")]
    Scheduler { address: String, action: &'static str, message: String },
    #[error(
        "this query is nested deeper than a Ballista scheduler reads ({source}); ask for less in one query, or leave out --cluster"
    )]
    TooDeep { source: DataFusionError },
    #[error("the cluster at df://{address} could not finish the query: {message}")]
    Failed { address: String, message: String },
    #[error(
        "the result could not be fetched from the cluster at df://{address}: {message}; run the query again"
    )]
    Fetch { address: String, message: String },
}

fn external(error: ClusterError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

/// Jobs that are not done, with the addresses of their schedulers.
fn running() -> MutexGuard<'static, BTreeMap<String, String>> {
    static RUNNING: OnceLock<Mutex<BTreeMap<String, String>>> = OnceLock::new();
    RUNNING.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner)
}

/// Somebody has interrupted the program: what is cancelled has not failed.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Plans that are on their way to a scheduler, which may make a job of each.
static SUBMITTING: AtomicUsize = AtomicUsize::new(0);

/// Cancels what this process still has running on clusters.
pub async fn cancel_all() {
    INTERRUPTED.store(true, Ordering::Release);
    let cancelled = async {
        while SUBMITTING.load(Ordering::Acquire) > 0 {
            tokio::time::sleep(SUBMIT_POLL).await;
        }
        let jobs = running().clone();
        futures::future::join_all(jobs.into_iter().map(|(job_id, address)| cancel(address, job_id))).await
    };
    let _ = tokio::time::timeout(CANCEL_TIMEOUT, cancelled).await;
}

/// Cancelling twice does no harm. Where the scheduler can't be told, the job runs to its end for nobody.
async fn cancel(address: String, job_id: String) {
    if let Ok(mut scheduler) = connect(&address, &GrpcClientConfig::default()).await {
        let _ = scheduler.cancel_job(CancelJobParams { job_id: job_id.clone() }).await;
    }
    running().remove(&job_id);
}

/// A job that is cancelled if its rows are not waited for.
struct Job {
    address: String,
    job_id: String,
}

impl Job {
    fn new(address: String, job_id: String) -> Self {
        running().insert(job_id.clone(), address.clone());
        Self { address, job_id }
    }
}

/// Counts one plan while it is submitted.
struct Submitting;

impl Submitting {
    fn new() -> Self {
        SUBMITTING.fetch_add(1, Ordering::AcqRel);
        Self
    }
}

impl Drop for Submitting {
    fn drop(&mut self) {
        SUBMITTING.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        // What is done or is cancelled already is not there.
        if running().contains_key(&self.job_id)
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(cancel(self.address.clone(), self.job_id.clone()));
        }
    }
}

async fn connect(
    address: &str,
    config: &GrpcClientConfig,
) -> std::result::Result<SchedulerGrpcClient<Channel>, tonic::transport::Error> {
    let endpoint = create_grpc_client_endpoint(format!("http://{address}"), Some(config))?;
    let client = SchedulerGrpcClient::new(endpoint.connect().await?);
    Ok(client
        .max_encoding_message_size(config.max_message_size)
        .max_decoding_message_size(config.max_message_size))
}

/// The plan as the scheduler takes it.
pub(super) fn encoded(plan: &Arc<dyn ExecutionPlan>, config: &SessionConfig) -> Result<Vec<u8>> {
    let codec = config.ballista_physical_extension_codec();
    let node = PhysicalPlanNode::try_from_physical_plan(Arc::clone(plan), codec.as_ref())?;
    let mut bytes = Vec::new();
    node.try_encode(&mut bytes)?;
    Ok(bytes)
}

/// Sends a query, which becomes a job.
async fn submit(
    mut scheduler: SchedulerGrpcClient<Channel>,
    address: String,
    request: ExecuteQueryParams,
) -> Result<Job> {
    let mut request = tonic::Request::new(request);
    version::insert_version_header(request.metadata_mut());
    let failed = |message: String| {
        let (address, action) = (address.clone(), "accepting the query");
        external(ClusterError::Scheduler { address, action, message })
    };
    let submitting = Submitting::new();
    let answer = scheduler.execute_query(request).await;
    let answer = answer.map_err(|status| failed(status.message().to_owned()))?;
    let versions = version::check_compatibility(
        Some(BALLISTA_VERSION),
        version::version_from_metadata(answer.metadata()),
    );
    let accepted = match answer.into_inner().result {
        Some(execute_query_result::Result::Success(accepted)) => Ok(accepted),
        Some(execute_query_result::Result::Failure(refused)) => Err(format!("{refused:?}")),
        None => Err("an empty answer".to_owned()),
    };
    let job = accepted.map(|accepted| Job::new(address.clone(), accepted.job_id));
    drop(submitting);
    versions.map_err(|message| external(ClusterError::Version { address: address.clone(), message }))?;
    job.map_err(failed)
}

/// Has a plan computed; the rows come when the whole of it is done.
pub(super) async fn run(
    cluster: Cluster,
    plan: Arc<dyn ExecutionPlan>,
    config: SessionConfig,
) -> Result<SendableRecordBatchStream> {
    let schema = plan.schema();
    let address = cluster.address;
    let grpc = GrpcClientConfig::from(&config.ballista_config());
    let failed = |action: &'static str| {
        let address = address.clone();
        move |status: tonic::Status| {
            external(ClusterError::Scheduler { address, action, message: status.message().to_owned() })
        }
    };
    let mut scheduler = connect(&address, &grpc)
        .await
        .map_err(|source| external(ClusterError::Unreachable { address: address.clone(), source }))?;
    let plan = encoded(&plan, &config)?;
    PhysicalPlanNode::try_decode(&plan).map_err(|source| external(ClusterError::TooDeep { source }))?;
    let settings = config.options().entries().into_iter();
    let request = ExecuteQueryParams {
        query: Some(Query::PhysicalPlan(plan)),
        settings: settings.map(|entry| KeyValuePair { key: entry.key, value: entry.value }).collect(),
        session_id: uuid::Uuid::new_v4().to_string(),
        operation_id: uuid::Uuid::new_v4().to_string(),
    };
    // A task of its own: it comes to its end, so that the job is known, if nobody waits for the rows any more.
    let submitted = tokio::spawn(submit(scheduler.clone(), address.clone(), request));
    let job = submitted.await.map_err(|ended| DataFusionError::ExecutionJoin(Box::new(ended)))??;
    let mut unknown = 0;
    loop {
        let question = GetJobStatusParams { job_id: job.job_id.clone() };
        let state =
            scheduler.get_job_status(question).await.map_err(failed("reporting on the job"))?.into_inner();
        match state.status.and_then(|status| status.status) {
            None if unknown == UNKNOWN_MAX => {
                running().remove(&job.job_id);
                let message = "it does not know the job any more; was it restarted?".to_owned();
                let action = "reporting on the job";
                return Err(external(ClusterError::Scheduler { address, action, message }));
            }
            None => {
                unknown += 1;
                tokio::time::sleep(POLL).await;
            }
            Some(job_status::Status::Queued(_) | job_status::Status::Running(_)) => {
                unknown = 0;
                tokio::time::sleep(POLL).await;
            }
            Some(job_status::Status::Failed(failure)) => {
                if INTERRUPTED.load(Ordering::Acquire) {
                    // The program is about to end, and says why.
                    std::future::pending::<()>().await;
                }
                running().remove(&job.job_id);
                return Err(external(ClusterError::Failed { address, message: failure.error }));
            }
            Some(job_status::Status::Successful(done)) => {
                running().remove(&job.job_id);
                drop(job);
                let proxy = state.flight_proxy;
                let parts = done.partition_location.into_iter().map(move |part| {
                    let fetched = fetch(part, address.clone(), proxy.clone(), grpc.clone());
                    futures::stream::once(fetched).try_flatten()
                });
                let rows = futures::stream::iter(parts).flatten();
                return Ok(Box::pin(RecordBatchStreamAdapter::new(schema, rows)));
            }
        }
    }
}

/// The rows of one partition, from the executor that has them or from who stands before it.
async fn fetch(
    part: PartitionLocation,
    address: String,
    proxy: Option<FlightProxy>,
    grpc: GrpcClientConfig,
) -> Result<SendableRecordBatchStream> {
    let lost = |message: String| external(ClusterError::Fetch { address: address.clone(), message });
    let layout = part.layout();
    let file_id = part.file_id;
    let (Some(executor), Some(partition)) = (part.executor_meta, part.partition_id) else {
        return Err(lost("the scheduler did not say where they are".to_owned()));
    };
    let own = (executor.host.clone(), u16::try_from(executor.port).unwrap_or(0));
    let (host, port) = match &proxy {
        Some(FlightProxy::External(proxy)) => host_and_port(proxy),
        Some(FlightProxy::Local(true)) => host_and_port(&address),
        Some(FlightProxy::Local(false)) | None => Some(own.clone()),
    }
    .ok_or_else(|| lost("the address of the executors' proxy has no port".to_owned()))?;
    let of_ballista = |error: BallistaError| lost(error.to_string());
    let mut client = BallistaClient::try_new(
        &host,
        port,
        grpc.max_message_size,
        false,
        None,
        grpc.io_retries_times,
        grpc.io_retry_wait_time_ms,
        0,
        0,
    )
    .await
    .map_err(of_ballista)?;
    client
        .fetch_partition_proxied(&executor.id, &partition.into(), file_id, layout, &own.0, own.1, true)
        .await
        .map_err(of_ballista)
}

fn host_and_port(address: &str) -> Option<(String, u16)> {
    let (host, port) = address.rsplit_once(':')?;
    Some((host.to_owned(), port.parse().ok()?))
}
