//! From an operation's method and path to its handler, and from a handler's failure to its answer.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, Route};
use actix_web::{guard, rt};
use futures_util::FutureExt;
use utoipa::__dev::{SchemaReferences, Tags};
use utoipa::openapi::HttpMethod;

use crate::api::Api;
use crate::call::Call;
use crate::dialect::Dialect;
use crate::failure::Failure;
use crate::metrics::{self, dialect_of};

/// What a handler gives.
pub(crate) type Answer = Result<HttpResponse, Failure>;

/// An operation: where it stands, what handles it, and what the document says of it.
pub(crate) struct Operation {
    pub(crate) method: HttpMethod,
    pub(crate) path: String,
    pub(crate) describe: fn(&mut Schemas) -> utoipa::openapi::path::Operation,
    /// The documented `operationId`.
    id: String,
    /// Added to the `operationId`, which must be unique, where the operation stands at a second place.
    pub(crate) place: &'static str,
    /// Makes the route of an operation that is counted by this name.
    route: Box<dyn FnOnce(Rc<str>) -> Route>,
}

/// The schemas that documented operations speak of, by name.
pub(crate) type Schemas = Vec<(String, utoipa::openapi::RefOr<utoipa::openapi::Schema>)>;

/// The operation that `P` documents, with the method and the path that it says, handled by `handler`.
pub(crate) fn operation<P, H>(handler: H) -> Operation
where
    P: utoipa::Path + SchemaReferences + for<'t> Tags<'t>,
    H: AsyncFn(&mut Call) -> Answer + Clone + 'static,
{
    // An operation that is documented under no method could not be reached: it is taken for a GET.
    let method = P::methods().pop().unwrap_or(HttpMethod::Get);
    let path = P::path();
    let dialect = Dialect::of(&path);
    let guard = guard::fn_guard(taking(methods_of(&method)));
    let route = move |id: Rc<str>| {
        web::route().guard(guard).to(
            move |api: web::Data<Api>, request: HttpRequest, payload: web::Payload| {
                let (handler, id) = (handler.clone(), Rc::clone(&id));
                async move {
                    let began = Instant::now();
                    let mut call = Call::new(api, request, payload);
                    let answer = answer(&handler, &mut call, dialect).await;
                    let counted = dialect_of(call.request.path());
                    let metrics = &call.api.metrics;
                    metrics.answered(counted, &id, answer.status(), began.elapsed());
                    answer
                }
            },
        )
    };
    Operation {
        method,
        path,
        describe: |schemas| {
            P::schemas(schemas);
            let mut described = P::operation();
            described.tags = Some(P::tags().into_iter().map(str::to_owned).collect());
            described
        },
        id: P::operation().operation_id.unwrap_or_default(),
        place: "",
        route: Box::new(route),
    }
}

/// The handler's answer, or the answer to its failure; 503 where neither came in time.
async fn answer<H>(handler: &H, call: &mut Call, dialect: Dialect) -> HttpResponse
where
    H: AsyncFn(&mut Call) -> Answer,
{
    let limit = call.api.request_time;
    let handled = rt::time::timeout(limit, handle(handler, call)).await;
    let handled = handled.unwrap_or_else(|_| {
        let operation = call.request.match_pattern().unwrap_or_default();
        tracing::warn!(operation, "a request was given up");
        Err(Failure::Unavailable)
    });
    handled.unwrap_or_else(|failure| dialect.render(&failure, &call.request))
}

async fn handle<H>(handler: &H, call: &mut Call) -> Answer
where
    H: AsyncFn(&mut Call) -> Answer,
{
    // A request that breaks its handler must not take the worker's other requests with it.
    let handled = AssertUnwindSafe(handler(call)).catch_unwind().await;
    let handled = handled.unwrap_or_else(|_| {
        let operation = call.request.match_pattern().unwrap_or_default();
        tracing::error!(operation, "a handler panicked");
        Err(Failure::Internal)
    });
    match handled {
        Ok(answer) => Ok(answer),
        Err(failure) => Err(outranked(call, failure).await),
    }
}

impl Operation {
    /// The same operation at another path.
    pub(crate) fn also_at(mut self, path: &str, place: &'static str) -> Self {
        path.clone_into(&mut self.path);
        self.place = place;
        self
    }

    /// What it is counted by: the `operationId` in the document.
    fn name(&self) -> Rc<str> {
        format!("{}{}", self.id, self.place).into()
    }
}

/// The methods that reach an operation: whoever may get a thing may ask for the head of that answer (RFC 9110 §9.3.2).
const fn methods_of(method: &HttpMethod) -> &'static [&'static str] {
    match method {
        HttpMethod::Get => &["GET", "HEAD"],
        HttpMethod::Post => &["POST"],
        HttpMethod::Put => &["PUT"],
        HttpMethod::Delete => &["DELETE"],
        HttpMethod::Options => &["OPTIONS"],
        HttpMethod::Head => &["HEAD"],
        HttpMethod::Patch => &["PATCH"],
        HttpMethod::Trace => &["TRACE"],
    }
}

fn taking(methods: &'static [&'static str]) -> impl Fn(&guard::GuardContext<'_>) -> bool + 'static {
    move |context| methods.contains(&context.head().method.as_str())
}

/// Who may not enter learns nothing else: a session that is over outranks what is wrong with the body.
async fn outranked(call: &Call, failure: Failure) -> Failure {
    match &call.seen {
        Some((caller, shown)) if failure.precedes_admission() => {
            match call.api.doorbell.admit(*caller, shown.as_ref()).await {
                Ok(()) => failure,
                Err(error) => error.into(),
            }
        }
        _ => failure,
    }
}

/// Mounts operations, one resource a path; another method of a known path is 405 with `Allow`.
pub(crate) fn mount(config: &mut ServiceConfig, operations: Vec<Operation>) {
    let mut resources: BTreeMap<String, Vec<Operation>> = BTreeMap::new();
    for operation in operations {
        resources
            .entry(operation.path.clone())
            .or_default()
            .push(operation);
    }
    for (path, operations) in resources {
        let mut methods: Vec<&str> = operations
            .iter()
            .flat_map(|operation| methods_of(&operation.method))
            .copied()
            .collect();
        methods.sort_unstable();
        let allowed: Arc<str> = methods.join(", ").into();
        let dialect = Dialect::of(&path);
        let mut resource = web::resource(path);
        for operation in operations {
            let name = operation.name();
            resource = resource.route((operation.route)(name));
        }
        config.service(resource.default_service(web::to(
            move |api: web::Data<Api>, request: HttpRequest| {
                let allowed = allowed.clone();
                async move { other_method(&api, &request, dialect, allowed) }
            },
        )));
    }
}

/// The answer to a method that a path does not take, unless a browser asks by it what a page may do.
fn other_method(api: &Api, request: &HttpRequest, dialect: Dialect, allowed: Arc<str>) -> HttpResponse {
    let began = Instant::now();
    let (operation, answer) = match api.cors.preflight(request, &allowed) {
        Some(answer) => (metrics::PREFLIGHT, answer),
        None => (
            metrics::UNKNOWN,
            dialect.render(&Failure::MethodNotAllowed(allowed), request),
        ),
    };
    let counted = dialect_of(request.path());
    api.metrics
        .answered(counted, operation, answer.status(), began.elapsed());
    answer
}

/// The answer of a path that no operation has, in the dialect of that path.
pub(crate) async fn unknown_path(api: web::Data<Api>, request: HttpRequest) -> HttpResponse {
    let began = Instant::now();
    let answer = Dialect::of(request.path()).render(&Failure::UnknownPath, &request);
    let counted = dialect_of(request.path());
    api.metrics
        .answered(counted, metrics::UNKNOWN, answer.status(), began.elapsed());
    answer
}
