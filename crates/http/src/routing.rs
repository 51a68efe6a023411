//! From an operation's method and path to its handler, and from a handler's failure to its answer.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use actix_web::guard;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, Route};
use futures_util::FutureExt;
use utoipa::__dev::{SchemaReferences, Tags};
use utoipa::openapi::HttpMethod;

use crate::api::Api;
use crate::call::Call;
use crate::dialect::Dialect;
use crate::failure::Failure;

/// What a handler gives.
pub(crate) type Answer = Result<HttpResponse, Failure>;

/// An operation: where it stands, what handles it, and what the document says of it.
pub(crate) struct Operation {
    pub(crate) method: HttpMethod,
    pub(crate) path: String,
    pub(crate) describe: fn(&mut Schemas) -> utoipa::openapi::path::Operation,
    /// Added to the documented `operationId`, which must be unique, where the operation stands at a second place.
    pub(crate) place: &'static str,
    route: Route,
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
    let route = web::route().guard(guard::fn_guard(taking(&method))).to(
        move |api: web::Data<Api>, request: HttpRequest, payload: web::Payload| {
            let handler = handler.clone();
            async move {
                let mut call = Call::new(api, request, payload);
                // A request that breaks its handler must not take the worker's other requests with it.
                let handled = AssertUnwindSafe(handler(&mut call)).catch_unwind().await;
                let handled = handled.unwrap_or_else(|_| {
                    let operation = call.request.match_pattern().unwrap_or_default();
                    tracing::error!(operation, "a handler panicked");
                    Err(Failure::Internal)
                });
                match handled {
                    Ok(answer) => answer,
                    Err(failure) => {
                        let failure = outranked(&call, failure).await;
                        dialect.render(&failure, &call.request)
                    }
                }
            }
        },
    );
    Operation {
        method,
        path,
        describe: |schemas| {
            P::schemas(schemas);
            let mut described = P::operation();
            described.tags = Some(P::tags().into_iter().map(str::to_owned).collect());
            described
        },
        place: "",
        route,
    }
}

impl Operation {
    /// The same operation at another path.
    pub(crate) fn also_at(mut self, path: &str, place: &'static str) -> Self {
        path.clone_into(&mut self.path);
        self.place = place;
        self
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

fn taking(method: &HttpMethod) -> impl Fn(&guard::GuardContext<'_>) -> bool + 'static {
    let methods = methods_of(method);
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
            resource = resource.route(operation.route);
        }
        config.service(resource.default_service(web::to(move |request: HttpRequest| {
            let failure = Failure::MethodNotAllowed(allowed.clone());
            async move { dialect.render(&failure, &request) }
        })));
    }
}

/// The answer of a path that no operation has, in the dialect of that path.
pub(crate) async fn unknown_path(request: HttpRequest) -> HttpResponse {
    Dialect::of(request.path()).render(&Failure::UnknownPath, &request)
}
